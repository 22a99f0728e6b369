"""The part of a dataset card about synthesized charts and tables."""

from sources.base.card import Example, SourceCard

CARD = SourceCard(
    images="charts, graphs and tables drawn from generated data",
    text="a description of the chart and its data as a table",
    messages="questions about the chart with their answers, its data as a table, the code that draws it, or a "
    "description",
    words="every word of the chart with its box",
    splits="Each sample's id decides its split; samples do not depend on each other.",
    rights="The charts, their data and all texts are generated.",
    limits=(
        "Data, names and titles are invented: nothing in them is a fact about the world.",
        "Charts are drawn by Matplotlib and Vega-Lite; those of other programs look different.",
        "Questions and descriptions come from templates: their wording varies less than that of people.",
    ),
    tags=("chart", "table", "synthetic"),
    tasks=("visual-question-answering",),
    examples=(
        Example(
            title="A question about a chart with its answer",
            needs=("images", "messages"),
            code="""\
chart = next(sample for sample in samples if sample["messages"])
question, answer = (message["content"] for message in chart["messages"][:2])
""",
        ),
    ),
)
