"""Slots of templates: `{person}` in a text is replaced by an invented name, `{sentence}` by text of the run."""

import random as random_module
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sources.config_file import Problem
from sources.ocr.fields import FIELD_TYPES
from sources.ocr.markup.elements import Element, Text
from sources.ocr.markup.template import Slots
from sources.ocr.passages import ContentSampler

SLOT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")  # a doubled brace is a brace
NUMBER = re.compile(r"number (-?\d+) (-?\d+)(?: (\d))?")
REPEAT = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
REPEATED = ("p", "li", "tr", "div", "section", "article")
SHORT, LONG = 60, 220  # characters of a line and of a sentence
TEXT_TYPES: Mapping[str, Callable[[ContentSampler], str]] = {
    "code": ContentSampler.code,
    "date": lambda sampler: sampler.fields.recent_date(),
    "line": lambda sampler: sampler.line(SHORT),
    "name": lambda sampler: sampler.fields.person(),
    "paragraph": ContentSampler.paragraph,
    "sentence": lambda sampler: sampler.sentence(LONG),
    "title": lambda sampler: sampler.title(SHORT),
    "word": ContentSampler.synthetic_word,
}
SLOT_TYPES = tuple(sorted({*FIELD_TYPES, *TEXT_TYPES} - {"empty"}))


def is_type(kind: str) -> bool:
    """Return True if slots can have a type: one of `SLOT_TYPES`, or `number LOW HIGH` with or without DECIMALS."""
    found = NUMBER.fullmatch(kind)
    return kind in SLOT_TYPES or (found is not None and int(found[1]) <= int(found[2]))


def made(kind: str | Sequence[str], sampler: ContentSampler) -> str:
    """Return the content of a slot of a type, or one of its values."""
    if not isinstance(kind, str):
        return sampler.random.choice(kind)
    if number := NUMBER.fullmatch(kind):
        return sampler.number(int(number[1]), int(number[2]), int(number[3] or 0))
    return TEXT_TYPES[kind](sampler) if kind in TEXT_TYPES else sampler.fields.entry(kind)


def slot_problems(root: Element, slots: Slots) -> list[Problem]:
    """Return what is wrong with the slots and repetitions below an element."""
    found: list[Problem] = []
    for text in root.texts():
        for slot in SLOT.finditer(text.text):
            name = slot[1]
            if name is not None and name not in slots and not is_type(name):
                line = text.line + text.text.count("\n", 0, slot.start())
                own = f" or, from slots.yaml, {', '.join(sorted(slots))}" if slots else ""
                known = f"{', '.join(SLOT_TYPES)}, number LOW HIGH{own}"
                found.append(
                    Problem(line, f"the slot {{{name}}} is not known; there are {known} (write {{{{ for a brace)")
                )
    for element in root.elements():
        repeat = element.attributes.get("repeat")
        if repeat is None:
            continue
        bounds = REPEAT.fullmatch(repeat)
        if element.tag not in REPEATED:
            found.append(Problem(element.line, f"<{element.tag}> cannot be repeated; {', '.join(REPEATED)} can"))
        elif bounds is None or not 1 <= int(bounds[1]) <= int(bounds[2] or bounds[1]):
            found.append(Problem(element.line, f"repeat must be a number or a range such as 3-8, got {repeat!r}"))
    return found


def filled(root: Element, slots: Slots, sampler: ContentSampler) -> Element:
    """Return a tree with its slots filled and its repetitions made.

    A slot of the user has one value on a page, but another in each repetition of an element that it is in alone.
    """
    return _filled(root, slots, sampler, {})


def _filled(element: Element, slots: Slots, sampler: ContentSampler, values: dict[str, str]) -> Element:
    children: list[Element | Text] = []
    for child in element.children:
        if isinstance(child, Text):
            children.append(replace(child, text=_fill(child.text, slots, sampler, values)))
            continue
        repeat = child.attributes.get("repeat")
        if repeat is None:
            children.append(_filled(child, slots, sampler, values))
            continue
        times = _times(repeat, sampler.random)
        children.extend(_filled(child, slots, sampler, dict(values)) for _ in range(times))
    return replace(element, children=children)


def _times(repeat: str, random: random_module.Random) -> int:
    bounds = REPEAT.fullmatch(repeat)
    assert bounds is not None
    return random.randint(int(bounds[1]), int(bounds[2] or bounds[1]))


def _fill(text: str, slots: Slots, sampler: ContentSampler, values: dict[str, str]) -> str:
    def content(slot: re.Match[str]) -> str:
        name = slot[1]
        if name is None:
            return slot[0][0]
        if name not in slots:
            return made(name, sampler)
        if name not in values:
            values[name] = made(slots[name], sampler)
        return values[name]

    return SLOT.sub(content, text)
