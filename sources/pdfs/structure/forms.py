"""Form fields: the key and value of every field of a page, and how they are shown in its Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of_class
from typing import Any

import numpy as np
import pymupdf

from sources.text.words import LayoutWords

_HIDDEN = 2 | 32  # bits of an annotation's flags: hidden, not viewed
# Codes of ZapfDingbats that producers use for marks; the field's font has no map to Unicode.
MARKS = {"3": "✓", "4": "✔", "5": "✕", "6": "✖", "7": "✗", "8": "✘", "l": "●", "n": "■", "u": "◆", "H": "★"}
_KINDS = {
    "Text": "text",
    "ComboBox": "choice",
    "ListBox": "choice",
    "CheckBox": "box",
    "RadioButton": "box",
    "Button": "button",
    "Signature": "signature",
}
CHECKED, UNCHECKED = "[x]", "[ ]"
MAX_DISTANCE = 12.0  # between a field and its label, in heights of a line
MAX_ABOVE = 1.5  # between a field and a label above it, in heights of a line


@dataclass(frozen=True, slots=True)
class Field:
    """One form field that is seen.

    Args:
        name: what its author calls it: the text for people, or else the name.
        kind: `text`, `choice`, `box` (check boxes and radio buttons), `button` or `signature`.
        is_on: True if a box is checked.
        box: x0, y0, x1, y1 in points.
    """

    name: str
    kind: str
    is_on: bool
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class KeyValue:
    """The key and the value of a field as the page shows them; the value of a box is `[x]` or `[ ]`."""

    key: str
    value: str
    box: tuple[float, float, float, float]


def fields_of(page: pymupdf.Page) -> list[Field]:
    """Return the fields of a page that are seen, in the order of the file."""
    found = []
    for widget in page.widgets():
        kind = _KINDS.get(widget.field_type_string)
        annotation: Any = widget._annot
        if kind is None or annotation.flags & _HIDDEN:
            continue
        name = (widget.field_label or widget.field_name or "").strip()
        found.append(Field(name, kind, kind == "box" and _is_on(annotation), tuple(widget.rect)))
    return found


def _is_on(annotation: Any) -> bool:
    appearance = pymupdf.mupdf.pdf_dict_gets(pymupdf.mupdf.pdf_annot_obj(annotation.this), "AS")
    state: str = pymupdf.mupdf.pdf_to_name(appearance)
    return state not in ("", "Off")


def with_fields(words: LayoutWords, fields: Sequence[Field]) -> LayoutWords:
    """Show the marks in boxes as they are seen, and put the texts of fields behind their labels."""
    texts = list(words.texts)
    for field in fields:
        if field.kind == "box":
            for k in _inside(words.boxes, field.box):
                texts[k] = MARKS.get(texts[k], texts[k])
    return _in_place(replace(words, texts=texts), fields)


def _in_place(words: LayoutWords, fields: Sequence[Field]) -> LayoutWords:
    """Move the words of every field of one line behind its label: the file has the fields after all other text."""
    taken = words_inside(words, fields)
    blocks, lines = words.blocks.copy(), words.lines.copy()
    before: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    for field in fields:
        inside = _inside(words.boxes, field.box)
        middles = words.boxes[inside, 1] + words.boxes[inside, 3]
        if not inside or np.ptp(middles) > words.boxes[inside[0], 3] - words.boxes[inside[0], 1]:
            continue
        is_box = field.kind == "box"
        label = _beside(words, field, taken, right=is_box)
        if label:
            at = label[0] if is_box else label[-1]
            (before if is_box else behind).setdefault(at, []).extend(inside)
            blocks[inside], lines[inside] = blocks[at], lines[at]
    gone = {k for moved in (before, behind) for inside in moved.values() for k in inside}
    if not gone:
        return words
    kept = [k for k in range(len(words.texts)) if k not in gone]
    order = [j for k in kept for j in (*before.get(k, ()), k, *behind.get(k, ()))]
    return _reordered(replace(words, blocks=blocks, lines=lines), order)


def _reordered(words: LayoutWords, order: Sequence[int]) -> LayoutWords:
    arrays = {one.name: getattr(words, one.name)[list(order)] for one in fields_of_class(words) if one.name != "texts"}
    return replace(words, texts=[words.texts[k] for k in order], **arrays)


def words_inside(words: LayoutWords, fields: Sequence[Field]) -> set[int]:
    """Return the words that are in a field."""
    return {k for field in fields for k in _inside(words.boxes, field.box)}


def _inside(boxes: np.ndarray, box: Sequence[float]) -> list[int]:
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = (x > box[0] - 1) & (x < box[2] + 1) & (y > box[1] - 1) & (y < box[3] + 1)
    found: list[int] = np.flatnonzero(inside).tolist()
    return found


def key_values(words: LayoutWords, fields: Sequence[Field]) -> tuple[list[KeyValue], dict[int, str]]:
    """Return every field with its label as key, and the words that are shown otherwise in Markdown.

    The label of a box is the text after it, and of another field the text before it or above it; a field without one
    has its name. In Markdown a box is `[x]` or `[ ]` before its label, and a label has a colon.

    Returns:
        The fields, and by index the text of words that Markdown shows in another form.
    """
    boxes = words.boxes
    taken = words_inside(words, fields)
    shown: dict[int, str] = {}
    found = []
    for field in fields:
        if field.kind == "button":
            continue
        inside = _inside(boxes, field.box)
        after, before = _beside(words, field, taken, right=True), _beside(words, field, taken, right=False)
        if field.kind == "box":
            label = after or before
            mark = CHECKED if field.is_on else UNCHECKED
            _show_mark(words, mark, inside, after, before, shown)
            value = mark
        else:
            label = before or _above(words, field, taken)
            value = " ".join(words.texts[k] for k in inside)
            if before and not words.texts[before[-1]].endswith((":", "?", ".", "：", "？")) and value:
                shown[before[-1]] = f"{words.texts[before[-1]]}:"
        key = " ".join(words.texts[k] for k in label).rstrip(" :：") or field.name
        found.append(KeyValue(key, value, field.box))
    return found, shown


def _show_mark(
    words: LayoutWords,
    mark: str,
    inside: Sequence[int],
    after: Sequence[int],
    before: Sequence[int],
    shown: dict[int, str],
) -> None:
    if inside:
        shown[inside[0]] = mark
    elif after:
        shown[after[0]] = f"{mark} {words.texts[after[0]]}"
    elif before:
        shown[before[-1]] = f"{words.texts[before[-1]]} {mark}"


def _beside(words: LayoutWords, field: Field, taken: set[int], *, right: bool) -> list[int]:
    """Return the words in the row of a field, up to the next wide space or field, from left to right."""
    x0, y0, x1, y1 = field.box
    boxes = words.boxes
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    row = np.flatnonzero((middle > y0 - 2) & (middle < y1 + 2))
    side = row[boxes[row, 0] >= x1 - 2] if right else row[boxes[row, 2] <= x0 + 2]
    side = side[np.argsort(boxes[side, 0], kind="stable")]
    label: list[int] = []
    edge = x1 if right else x0
    for k in side.tolist() if right else side[::-1].tolist():
        height = boxes[k, 3] - boxes[k, 1]
        gap = boxes[k, 0] - edge if right else edge - boxes[k, 2]
        if k in taken or gap > (MAX_DISTANCE if not label else 1.2) * height:
            break
        label.append(k)
        edge = boxes[k, 2] if right else boxes[k, 0]
    return label if right else label[::-1]


def _above(words: LayoutWords, field: Field, taken: set[int]) -> list[int]:
    x0, y0, x1, _ = field.box
    boxes = words.boxes
    height = boxes[:, 3] - boxes[:, 1]
    gap = y0 - boxes[:, 3]
    near = (gap > -0.3 * height) & (gap < MAX_ABOVE * height) & (boxes[:, 0] < x1) & (boxes[:, 2] > x0 - 2)
    found = [k for k in np.flatnonzero(near).tolist() if k not in taken]
    return sorted(found, key=lambda k: float(boxes[k, 0]))
