"""Footnotes: their marks in the text, and their texts, which follow the section that refers to them."""

import re
from collections.abc import Mapping, Sequence

from sources.books.blocks import NOTE_END, NOTE_START, Block

_MARK = re.compile(f"{NOTE_START}([^{NOTE_END}]*){NOTE_END}")
_LEADING_NUMBER = re.compile(r"^\s*[\[(]?(\d{1,4}|[*†‡§]{1,3})[\])]?[.:]?\s+")


def take_notes(blocks: Sequence[Block]) -> tuple[list[Block], dict[str, str]]:
    """Return the running text without footnotes, and the text of each footnote by its key.

    A mark that leads backwards is the way back from a note; one that leads to no note disappears with its number.
    """
    places: dict[str, int] = {}
    for place, block in enumerate(blocks):
        for anchor in block.anchors:
            places.setdefault(anchor, place)
        if block.note:
            places.setdefault(block.note, place)
    references = [(match[1], place) for place, block in enumerate(blocks) for match in _MARK.finditer(block.text)]
    notes: dict[str, str] = {}
    moved: set[int] = set()
    for key, place in references:
        target = places.get(key)
        if target is None or target <= place or key in notes:
            continue
        of_note = _blocks_of(blocks, target)
        text = " ".join(_MARK.sub("", blocks[k].text).replace("\n", " ").strip() for k in of_note)
        text = _LEADING_NUMBER.sub("", text).strip()
        if text and blocks[target].kind not in ("heading", "figure", "table"):
            notes[key] = text
            moved |= set(of_note)
    return [block for place, block in enumerate(blocks) if place not in moved], notes


def _blocks_of(blocks: Sequence[Block], first: int) -> list[int]:
    note = blocks[first].note
    if not note:
        return [first]
    end = first
    while end < len(blocks) and blocks[end].note == note:
        end += 1
    return list(range(first, end))


def with_numbers(text: str, notes: Mapping[str, str]) -> str:
    """Return a text with `[^1]` for its first footnote and so on, and the notes below it."""
    numbers: dict[str, int] = {}

    def mark(match: re.Match[str]) -> str:
        if match[1] not in notes:
            return ""
        return f"[^{numbers.setdefault(match[1], len(numbers) + 1)}]"

    body = _MARK.sub(mark, text)
    if not numbers:
        return body
    below = "\n".join(f"[^{number}]: {notes[key]}" for key, number in numbers.items())
    return f"{body}\n\n{below}"
