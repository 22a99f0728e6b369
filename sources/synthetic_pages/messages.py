"""A photographed page as a conversation or a text: code, page text, elements and their places, its description."""

import random as random_module
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from sources.sample import IMAGE_PLACEHOLDER, EncodedImage, Message
from sources.synthetic_pages.page import Page
from sources.synthetic_pages.studio import Photograph
from sources.web.capture import PageElement
from sources.web.samples import askable, scaled

CODE, TEXT, GROUNDING, ELEMENT, DESCRIPTION = "code", "text", "grounding", "element", "description"


def page_text(shown: Photograph) -> str:
    """The words of a page as they are read, line by line; cells of a table are a tab apart."""
    text = "".join(before + word for before, word in zip(shown.separators, shown.texts, strict=True))
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def plain_text(shown: Photograph) -> str:
    """A pre-training text: the picture, then what is written on it."""
    return f"{IMAGE_PLACEHOLDER}\n{page_text(shown)}"


def conversation(
    page: Page, shown: Photograph, image: EncodedImage, task: str, num_elements: int, random: random_module.Random
) -> list[Message]:
    """The turns of a sample.

    Args:
        task: `code`, `text`, `description`, `grounding` (where an element is) or `element` (what is at a place).
        num_elements: that are asked about, at most.
    """
    if task in (GROUNDING, ELEMENT):
        found = askable(shown.elements)
        chosen = random.sample(found, min(num_elements, len(found)))
        return _messages([_about(element, image, task, page.language, random) for element in chosen])
    question = str(random.choice(_phrases("sources.synthetic_pages", "phrases.yaml")[task][page.language]))
    if task == CODE:
        return _messages([(question, f"```html\n{page.html.strip()}\n```")])
    return _messages([(question, page_text(shown) if task == TEXT else f"{page.title}\n\n{page.description}")])


def _about(
    element: PageElement, image: EncodedImage, task: str, language: str, random: random_module.Random
) -> tuple[str, str]:
    asked = _phrases("sources.web", "questions.yaml")
    values = {
        "role": asked["roles"][element.role][language],
        "name": element.name,
        "box": scaled(element.box, image),
    }
    question = str(random.choice(asked[task][language])).format(**values)
    return question, values["box"] if task == GROUNDING else str(asked["element_answer"][language][0]).format(**values)


def _messages(turns: Sequence[tuple[str, str]]) -> list[Message]:
    messages = []
    for k, (question, answer) in enumerate(turns):
        asked = question if k else f"{IMAGE_PLACEHOLDER}\n{question}"
        messages += [Message(role="user", content=asked), Message(role="assistant", content=answer)]
    return messages


@cache
def _phrases(package: str, name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(files(package).joinpath(name).read_text(encoding="utf-8"))
    return content
