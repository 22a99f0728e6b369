"""The part of a dataset card about papers."""

from sources.base.card import NOT_REVIEWED, UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="pages of papers written in LaTeX, or their figures",
    text="the markup of exactly that page: Markdown with formulas as TeX, or a figure's caption",
    words="every word of the page with its box",
    splits="All pages of one paper are in one split.",
    rights="Papers are the work of their authors.",
    limits=(
        "Words inside figures, running heads and page numbers are not in the markup.",
        "How well markup and page agree is measured (`markup_fit`); what is below the threshold is rejected.",
        "Numbers of sections, captions, equations and citations are read from the page.",
        NOT_REVIEWED,
        UNTRUSTED,
    ),
    tags=("document", "ocr", "latex"),
    tasks=("document-question-answering",),
    examples=(
        Example(
            title="Pages with a displayed formula",
            needs=("images", "text"),
            code="""\
page = next(sample for sample in samples if sample["text"] and "$$" in sample["text"])
formula = page["text"].split("$$")[1].strip()
""",
        ),
    ),
)
