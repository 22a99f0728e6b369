"""A photographed page as a conversation or a text: code, page text, elements and their places, its description."""

import random as random_module
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sources.base.sample import IMAGE_PLACEHOLDER, EncodedImage, Message
from sources.config_file import load_data
from sources.synthetic_pages.page import Page
from sources.synthetic_pages.studio import Photograph
from sources.web.conversation import CODE, ELEMENT, GROUNDING, code_turn, element_turns, messages_of

TEXT = "text"


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
        return messages_of(element_turns(shown.elements, image, task, page.language, num_elements, random))
    if task == CODE:
        return messages_of([code_turn(page.html, page.language, random)])
    question = str(random.choice(_phrases()[task][page.language]))
    return messages_of([(question, page_text(shown) if task == TEXT else f"{page.title}\n\n{page.description}")])


@cache
def _phrases() -> Mapping[str, Any]:
    content: Mapping[str, Any] = load_data(Path(__file__).with_name("phrases.yaml"))
    return content
