"""A photographed page as a conversation or a text: code, page text, elements and their places, title and description."""

import random as random_module
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sources.sample import IMAGE_PLACEHOLDER, Message
from sources.synthetic_pages.page import Page
from sources.synthetic_pages.studio import Photograph
from sources.synthetic_pages.vocabulary import LANGUAGES
from sources.web.capture import PageElement

TASKS = ("code", "text", "elements", "description", "reading")
PRINTED = "recognition/ocr_and_transcription/printed_text"
POSITION, POINTING = "recognition/local_description/position", "recognition/local_description/pointing"
USE_CASES = {
    "code": ("conversion/image_to_code/ui",),
    "text": (PRINTED,),
    "elements": (POSITION, POINTING),
    "description": ("conversion/image_to_text/text_summary",),
    "reading": (PRINTED,),
}
ALL_USE_CASES = tuple(sorted({name for names in USE_CASES.values() for name in names}))


def page_text(shown: Photograph) -> str:
    """The words of a page as they are read, line by line; cells of a table a tab apart."""
    text = "".join(sep + word for sep, word in zip(shown.separators, shown.texts, strict=True))
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def plain_text(shown: Photograph) -> str:
    """A pre-training text: the picture, then what is written on it."""
    return f"{IMAGE_PLACEHOLDER}\n{page_text(shown)}"


def conversation(
    page: Page, shown: Photograph, task: str, num_elements: int, random: random_module.Random
) -> tuple[list[Message], str]:
    """The turns of a sample, and its use case.

    Args:
        task: one of TASKS but `reading`.
        num_elements: of a sample about elements, at most.
    """
    language = page.language
    if task == "code":
        turns = [(_put("code", language, random), f"```html\n{page.html.strip()}\n```")]
    elif task == "text":
        turns = [(_put("text", language, random), page_text(shown))]
    elif task == "description":
        turns = [(_put("description", language, random), f"{page.title}\n\n{page.description}")]
    else:
        found = askable(shown.elements)
        chosen = random.sample(found, min(num_elements, len(found)))
        asks_where = random.random() < 0.5
        turns = [_about(element, asks_where, language, random) for element in chosen]
        return _messages(turns), POSITION if asks_where else POINTING
    return _messages(turns), USE_CASES[task][0]


def askable(elements: Sequence[PageElement]) -> list[PageElement]:
    """The elements that their role and name, and their box, tell from all others."""
    roles = phrases()["roles"]
    named = [each for each in elements if each.role in roles and each.name]
    names = Counter((_spoken(each.role), each.name) for each in named)
    boxes = Counter(_box(each) for each in named)
    return [each for each in named if names[_spoken(each.role), each.name] == 1 and boxes[_box(each)] == 1]


def _spoken(role: str) -> str:
    return str(phrases()["roles"][role][0])


def _about(element: PageElement, asks_where: bool, language: str, random: random_module.Random) -> tuple[str, str]:
    role = phrases()["roles"][element.role][LANGUAGES.index(language)]
    what = _put("element", language, random).format(role=role, name=element.name)
    if asks_where:
        return _put("where", language, random).format(what=what), f"[{_box(element)}]"
    answer = what[:1].upper() + what[1:] + ("。" if language == "zh" else ".")
    return _put("what", language, random).format(box=_box(element)), answer


def _box(element: PageElement) -> str:
    return ", ".join(str(round(value)) for value in element.box)


def _put(name: str, language: str, random: random_module.Random) -> str:
    return str(random.choice(phrases()[name])[LANGUAGES.index(language)])


def _messages(turns: Sequence[tuple[str, str]]) -> list[Message]:
    messages = []
    for k, (question, answer) in enumerate(turns):
        asked = question if k else f"{IMAGE_PLACEHOLDER}\n{question}"
        messages += [Message(role="user", content=asked), Message(role="assistant", content=answer)]
    return messages


@cache
def phrases() -> Mapping[str, Any]:
    """The wording of questions and answers."""
    content: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text(encoding="utf-8"))
    return content
