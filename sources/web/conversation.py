"""Conversations about a page: its code, its elements and where they are. Synthesized pages are asked about alike."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sources.base.sample import IMAGE_PLACEHOLDER, EncodedImage, Message
from sources.config_file import load_data
from sources.images.boxes import scaled
from sources.web.capture import PageElement

CODE, GROUNDING, ELEMENT = "code", "grounding", "element"
MAX_NAME_CHARS = 60
MIN_ELEMENT_PX = 8
Turn = tuple[str, str]  # a question and its answer


def messages_of(turns: Sequence[Turn], num_images: int = 1) -> list[Message]:
    """The turns as messages; the images stand before the first question."""
    messages = []
    for k, (question, answer) in enumerate(turns):
        asked = question if k else f"{IMAGE_PLACEHOLDER}\n" * num_images + question
        messages += [Message(role="user", content=asked), Message(role="assistant", content=answer)]
    return messages


def code_turn(html: str, language: str, rng: random.Random) -> Turn:
    """A page's HTML is asked for, and given as a fenced block."""
    return rng.choice(questions()[CODE][language]), f"```html\n{html.strip()}\n```"


def element_turns(
    elements: Sequence[PageElement], image: EncodedImage, task: str, language: str, number: int, rng: random.Random
) -> list[Turn]:
    """Questions about elements.

    Args:
        task: `grounding` (where an element is) or `element` (what is at a place).
        number: of questions, at most.
    """
    asked = questions()
    found = askable(elements)
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


def askable(elements: Sequence[PageElement]) -> list[PageElement]:
    """Elements that a name and a role tell from all others."""
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
    """What is asked, by task and language (`questions.yaml`)."""
    content: dict[str, Any] = load_data(Path(__file__).with_name("questions.yaml"))
    return content
