"""The part of a dataset card about pages of PDF documents."""

from sources.base.card import NOT_REVIEWED, UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="pages of PDF documents",
    text="the page's own text layer in reading order",
    words="every word of the text layer with its box",
    splits="All pages of one file are in one split.",
    rights="The pages are the work of the documents' authors.",
    limits=(
        "The text is the PDF's own text layer: words inside figures and on scanned pages are not in it.",
        "Reading order is inferred from the layout; tables and unusual layouts may be read in another order.",
        "Formulas are the characters of their fonts, not LaTeX.",
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
