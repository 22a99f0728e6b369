"""The part of a dataset card about pictures and scans."""

from sources.base.card import NOT_REVIEWED, UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="pictures and scanned pages",
    text="the text that PaddleOCR reads on the image, in reading order",
    words="every word that PaddleOCR reads with its box",
    splits="All pages of one file are in one split.",
    rights="Pictures are the work of their authors.",
    limits=(
        "The text was read by a machine: it has errors, and lines of which it was not sure are missing.",
        "Reading order is inferred from the layout; tables and unusual layouts may be read in another order.",
        "Handwriting, formulas and text that is upside down or runs upwards are read badly or not at all.",
        NOT_REVIEWED,
        UNTRUSTED,
    ),
    tags=("document", "ocr"),
    tasks=("document-question-answering",),
    examples=(
        Example(
            title="The words in the upper third of a page",
            needs=("images", "words"),
            code="""\
page = next(sample for sample in samples if sample["words"])
third = page["images"][0].height / 3
upper = [word["text"] for word in page["words"] if word["image"] == 0 and word["y1"] < third]
""",
        ),
    ),
)
