"""The part of a dataset card about web pages."""

from sources.base.card import NOT_REVIEWED, UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="screenshots of web pages",
    text="the visible text of the page in reading order",
    messages="the page's HTML reduced to what renders the same, questions about its elements and where they are, its "
    "title or its description",
    words="every word that can be seen on the screenshot with its box",
    elements="links, buttons, headings, fields and pictures with their role, accessible name and box",
    splits="All pages reached from the seeds of one site are in one split.",
    rights="The pages are the work of their authors; `provenance.license` has the licence that a page states.",
    limits=(
        "A page is what a browser saw at the time in `provenance.fetched_at`; it may look different today.",
        "HTML is reduced to what renders like the screenshot; scripts and what only they show are not in it.",
        NOT_REVIEWED,
        UNTRUSTED,
    ),
    tags=("web", "screenshot", "document", "ocr"),
    tasks=("visual-question-answering",),
    examples=(
        Example(
            title="Screenshots with the HTML that renders like them",
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
