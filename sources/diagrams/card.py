"""The part of a dataset card about synthesized diagrams."""

from sources.base.card import Example, SourceCard

CARD = SourceCard(
    images="circuits, floor plans, maps, sequence diagrams, geometry and mechanics, drawn from generated data",
    text="a description of the diagram and its data",
    messages="questions about the diagram with their answers, its data (netlist, JSON, Mermaid), SVG code that "
    "draws it, or a description",
    words="every word of the diagram with its box",
    splits="Each sample's id decides its split; samples do not depend on each other.",
    rights="The diagrams, their data and all texts are generated.",
    limits=(
        "Places, names and numbers are invented: nothing in them is a fact about the world.",
        "Every kind has a few layouts; drawings of professionals are denser and more varied.",
        "Questions and descriptions come from templates: their wording varies less than that of people.",
    ),
    tags=("diagram", "synthetic"),
    tasks=("visual-question-answering",),
    examples=(
        Example(
            title="A question about a diagram with its answer",
            needs=("images", "messages"),
            code="""\
diagram = next(sample for sample in samples if sample["messages"])
question, answer = (message["content"] for message in diagram["messages"][:2])
""",
        ),
    ),
)
