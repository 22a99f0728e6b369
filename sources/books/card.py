"""The part of a dataset card about books."""

from sources.base.card import NOT_REVIEWED, UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="figures of books",
    text="a section of a book with `<image>` where each figure stands, or a figure's caption",
    words="nothing",
    splits="All sections of one book are in one split.",
    rights="The books are the work of their authors and publishers.",
    limits=(
        "Formulas that the book has as MathML are TeX; those that it has as pictures are pictures.",
        "Which paragraph is the caption of a figure is inferred where the markup does not say it.",
        "Figures and headings of PDFs are inferred from the layout, and their formulas are characters of fonts.",
        NOT_REVIEWED,
        UNTRUSTED,
    ),
    tags=("books", "interleaved"),
    examples=(
        Example(
            title="The text around the figures of a section",
            needs=("images", "text"),
            code="""\
section = next(sample for sample in samples if sample["images"])
around = section["text"].split("<image>")
""",
        ),
    ),
)
