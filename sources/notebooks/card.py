"""The part of a dataset card about plots of notebooks."""

from sources.base.card import UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="plots in the outputs of Jupyter notebooks",
    text="`<image>`, then the code of the cell that drew it, as a fenced block",
    words="nothing",
    splits="All plots of one notebook are in one split.",
    rights="Notebooks are the work of their authors.",
    limits=(
        "The code is the cell's own: names that earlier cells defined are not explained, and data are not in it.",
        "Outputs are as they were saved: a cell may have been changed after it was run.",
        "Personal data, bias and errors were not looked for or removed.",
        UNTRUSTED,
    ),
    tags=("code", "chart"),
    examples=(
        Example(
            title="The code of a plot",
            needs=("images", "text"),
            code="""\
plot = next(sample for sample in samples if sample["text"] and "```" in sample["text"])
program = plot["text"].split("```")[1].partition("\\n")[2]
""",
        ),
    ),
)
