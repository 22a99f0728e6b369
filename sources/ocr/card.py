"""The part of a dataset card about synthesized documents and scene text."""

from sources.base.card import Example, SourceCard

CARD = SourceCard(
    images="synthesized documents and scenes with text, degraded as scans and photographs are",
    text="all that is written on the image, in reading order",
    messages="a request for the text, for the text as Markdown, for keys and values as JSON, for the place "
    "of a line or for the line at a place, and its answer",
    words="every legible word with its box",
    splits="Each sample's id decides its split; samples do not depend on each other.",
    rights="The pages are generated. Texts given with `input` remain the work of their authors.",
    limits=(
        "Layouts come from a fixed set of templates, and damage from a model of printing, scanning and photography: "
        "real documents vary more.",
        "Without `input`, a grammar with 16 kinds of passages writes the texts: words vary more than sentences.",
        "Facts in the texts (names, amounts, dates) are invented, or taken from the texts without their context.",
    ),
    tags=("document", "ocr", "synthetic"),
    examples=(
        Example(
            title="A word cut out of its image",
            needs=("images", "words"),
            code="""\
page = next(sample for sample in samples if sample["words"])
word = page["words"][0]
cut = page["images"][word["image"]].crop((word["x0"], word["y0"], word["x1"], word["y1"]))
""",
        ),
    ),
)
