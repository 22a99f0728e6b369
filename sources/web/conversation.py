"""Conversations about the code and the elements of a page; synthesized pages use them, too."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sources.base.marks import escaped, with_images
from sources.base.sample import EncodedImage, Message
from sources.config_file import load_data
from sources.images.boxes import scaled
from sources.web.capture import PageElement

CODE, GROUNDING, ELEMENT = "code", "grounding", "element"
MAX_NAME_CHARS = 60
MIN_ELEMENT_PX = 8
Turn = tuple[str, str]  # a question and its answer


def messages_of(turns: Sequence[Turn], num_images: int = 1) -> list[Message]:
    """Convert turns to messages, with the images before the first question."""
    messages = []
    for k, (question, answer) in enumerate(turns):
        asked = with_images(question, 0 if k else num_images)
        messages += [Message(role="user", content=asked), Message(role="assistant", content=escaped(answer))]
    return messages


def code_turn(html: str, language: str, rng: random.Random) -> Turn:
    """Return a turn that asks for a page's HTML, which the answer gives as a fenced block."""
    return rng.choice(questions()[CODE][language]), f"```html\n{html.strip()}\n```"


def element_turns(
    elements: Sequence[PageElement], image: EncodedImage, task: str, language: str, number: int, rng: random.Random
) -> list[Turn]:
    """Return questions about elements, with their answers.

    Args:
        task: `grounding` (where is an element?) or `element` (what is at a place?).
        number: maximum number of questions.
    """
    asked = questions()
    found = identifiable_elements(elements)
    turns: list[Turn] = []
    for element in rng.sample(found, min(number, len(found))):
        values = {
            "role": asked["roles"][element.role][language],
            "name": element.name,
            "box": scaled(element.box, image.width, image.height),
        }
        question = rng.choice(asked[task][language]).format(**values)
        turns.append(
            (question, values["box"] if task == GROUNDING else asked["element_answer"][language][0].format(**values))
        )
    return turns


def identifiable_elements(elements: Sequence[PageElement]) -> list[PageElement]:
    """Return the elements that are uniquely identified by role and name."""
    roles = questions()["roles"]
    counts = Counter((roles[e.role]["en"], e.name.casefold()) for e in elements if e.role in roles)
    return [
        e
        for e in elements
        if e.role in roles
        and 1 <= len(e.name) <= MAX_NAME_CHARS
        and any(map(str.isalnum, e.name))
        and counts[roles[e.role]["en"], e.name.casefold()] == 1
        and min(e.box[2] - e.box[0], e.box[3] - e.box[1]) >= MIN_ELEMENT_PX
    ]


@cache
def questions() -> dict[str, Any]:
    """Return the questions by task and language (`questions.yaml`)."""
    content: dict[str, Any] = load_data(Path(__file__).with_name("questions.yaml"))
    return content
