"""The conversation or text of a page: code, text, elements with their boxes, description."""

import random as random_module
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sources.base.marks import with_images
from sources.base.sample import EncodedImage, Message
from sources.config_file import load_data
from sources.synthetic_pages.page import Page
from sources.synthetic_pages.page_renderer import Screenshot
from sources.web.conversation import CODE, ELEMENT, GROUNDING, code_turn, element_turns, messages_of

TEXT = "text"


def page_text(screenshot: Screenshot) -> str:
    """Return the text of a page in reading order; table cells are separated by tabs."""
    text = "".join(before + word for before, word in zip(screenshot.separators, screenshot.texts, strict=True))
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def make_plain_text(screenshot: Screenshot) -> str:
    """Return a pre-training text: the picture and its text."""
    return with_images(page_text(screenshot))


def make_conversation(
    page: Page, screenshot: Screenshot, image: EncodedImage, task: str, num_elements: int, random: random_module.Random
) -> list[Message]:
    """Return the messages of a sample.

    Args:
        task: `code`, `text`, `description`, `grounding` (the box of an element) or `element` (the element in a box).
        num_elements: greatest number of questions about elements.
    """
    if task in (GROUNDING, ELEMENT):
        return messages_of(element_turns(screenshot.elements, image, task, page.language, num_elements, random))
    if task == CODE:
        return messages_of([code_turn(page.html, page.language, random)])
    question = str(random.choice(_load_phrases()[task][page.language]))
    return messages_of([(question, page_text(screenshot) if task == TEXT else f"{page.title}\n\n{page.description}")])


@cache
def _load_phrases() -> Mapping[str, Any]:
    content: Mapping[str, Any] = load_data(Path(__file__).with_name("phrases.yaml"))
    return content
