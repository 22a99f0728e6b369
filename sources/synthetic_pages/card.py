"""The part of a dataset card about synthesized web pages."""

from sources.base.card import Example, SourceCard

CARD = SourceCard(
    images="web pages composed of generated components, as a browser shows them",
    text="the visible text of the page in reading order",
    messages="the HTML that draws the page, its text, a description, or questions about its elements and their places",
    words="every word on the page with its box",
    elements="links, buttons, headings, fields and pictures with their role, accessible name and box",
    splits="Each sample's id decides its split; samples do not depend on each other.",
    rights="The pages are generated, and so are the texts on them unless `input` names files.",
    limits=(
        "Pages are composed of a fixed set of components and themes: real sites vary more.",
        "Names, prices and texts are invented: nothing in them is a fact about the world.",
    ),
    tags=("web", "screenshot", "code", "synthetic"),
    tasks=("visual-question-answering",),
    examples=(
        Example(
            title="Pages with the HTML that draws them",
            needs=("images", "messages"),
            code="""\
pages = [
    (sample["images"][0], message["content"])
    for sample in samples
    for message in sample["messages"] or []
    if message["role"] == "assistant" and "</html>" in message["content"]
]
""",
        ),
    ),
)
