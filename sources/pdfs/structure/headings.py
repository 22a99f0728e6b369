"""Headings: which blocks are headings, and of which level."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from sources.pdfs.structure.block import HEADING, LIST_ITEM, PARAGRAPH, Block
from sources.pdfs.structure.body import Body

MAX_LINES = 4
MAX_CHARACTERS = 200
LARGER = 1.09  # than the running text
MUCH_LARGER = 1.15  # enough without bold letters
MIN_BOLD = 0.85  # least size of a bold heading
BOLD_SHARE = 0.85
MAX_SENTENCE = 60  # characters of a heading that ends with a full stop
MAX_ITALIC = 60  # characters of a heading in italics
MAX_HEADING_PITCH = 1.6  # between the lines of a heading, in font sizes
MATH_LETTERS = "\U0001d400"  # first of the letters of formulas
LEVELS = ((1.3, 1), (LARGER, 2))  # size in sizes of running text, and level
LAST_LEVEL = 3  # of headings that are only bold or in italics
NUMBER = re.compile(r"^((chapter|appendix|part|section)\s+)?((\d{1,2}|[A-Z])(\.\d{1,2})*|[IVX]{1,5})(\.|:)?\s+\S", re.I)
_NUMBER_ONLY = re.compile(r"^(\d{1,2}|[A-Z]|[IVX]{1,5})((\.\d{1,2})*)\.?$")

Outline = Mapping[str, int]


def outline_key(text: str) -> str:
    """Return the letters and digits of a title, by which a heading is found in the outline."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).lower()))


def levels_of(titles: Iterable[tuple[int, str, int]]) -> dict[int, dict[str, int]]:
    """Return the level of every title by page, from (level, title, page) of an outline."""
    levels: dict[int, dict[str, int]] = {}
    for level, title, page in titles:
        key = outline_key(title)
        if key:
            levels.setdefault(page, {})[key] = level
    return levels


def mark_headings(blocks: Sequence[Block], body: Body, outline: Outline) -> None:
    """Turn paragraphs that are headings into headings, with their level."""
    by_size: list[Block] = []
    for k, block in enumerate(blocks):
        if block.kind not in (PARAGRAPH, LIST_ITEM) or len(block.lines) > MAX_LINES or len(block.text) > MAX_CHARACTERS:
            continue
        level = _outline_level(block.text, outline)
        if level is None and _looks_like_heading(blocks, k, body):
            level = _number_level(block.text)
            if level is None:
                by_size.append(block)
                level = LAST_LEVEL
        if level is not None:
            block.kind, block.level = HEADING, min(level, 6)
            block.marker, block.cut = "", 0
    _rank(by_size, body)


def _rank(by_size: Sequence[Block], body: Body) -> None:
    """Set the levels of headings that differ only in their look: each smaller look is one level below."""
    looks = sorted({_look(block) for block in by_size}, reverse=True)
    level = 0
    for k, look in enumerate(looks):
        own = next((level for least, level in LEVELS if look[0] >= least * body.size), LAST_LEVEL)
        if not look[1]:
            own = LAST_LEVEL
        is_first_after_title = k == 1 and level == 1
        level = level + 1 if is_first_after_title or level >= own else own
        for block in by_size:
            if _look(block) == look:
                block.level = min(level, 6)


def _look(block: Block) -> tuple[float, bool]:
    """Return the font size in points, and False for italics that are not larger than all else."""
    is_italic = block.share("bold") < BOLD_SHARE and block.share("italic") >= BOLD_SHARE
    return max(line.size for line in block.lines), not is_italic


def _outline_level(text: str, outline: Outline) -> int | None:
    if not outline:
        return None
    key = outline_key(text)
    if key in outline:
        return outline[key]
    bare = outline_key(text.split(" ", 1)[-1]) if NUMBER.match(text) else key
    if len(bare) > 3 and bare in outline:
        return outline[bare]
    for title, level in outline.items():  # the outline has a number or a short title
        if len(bare) > 5 and len(title) > 5 and (title.endswith(bare) and len(title) - len(bare) < 5):
            return level
    return None


def _looks_like_heading(blocks: Sequence[Block], k: int, body: Body) -> bool:
    block = blocks[k]
    text = block.text
    num_letters = sum(letter.isalpha() and letter < MATH_LETTERS for letter in text)
    if num_letters < 2 or num_letters < 0.4 * len(text.replace(" ", "")):
        return False
    if block.share("math") > 0.3 or block.share("mono") > 0.7 or text.endswith((",", ";")):
        return False
    size = max(line.size for line in block.lines)
    is_numbered = bool(NUMBER.match(text))
    is_bold = block.share("bold") >= BOLD_SHARE
    is_larger = size >= LARGER * body.size
    if block.kind == LIST_ITEM and not (is_numbered and (is_bold or is_larger)):
        return False
    ends_sentence = text.endswith(".") and len(text) > MAX_SENTENCE
    if is_larger and (is_bold or size >= MUCH_LARGER * body.size or is_numbered):
        return not ends_sentence
    if text.endswith(".") or len(block.lines) > 2 or k + 1 == len(blocks):
        return False
    if is_bold and size >= MIN_BOLD * body.size:
        return True
    return _is_set_off(blocks, k, body)


def _is_set_off(blocks: Sequence[Block], k: int, body: Body) -> bool:
    """Return True for a short line in italics with white space above and below it."""
    block = blocks[k]
    text = block.text
    if len(block.lines) > 1 or block.share("italic") < 0.95 or len(text) > MAX_ITALIC or not text[:1].isupper():
        return False
    if k == 0 or (not blocks[k - 1].lines and blocks[k - 1].table is None) or text.endswith((":", "?", "!", "”")):
        return False
    top, bottom = block.box[1] - blocks[k - 1].box[3], blocks[k + 1].box[1] - block.box[3]
    return top > 0.8 * body.size and bottom > 0.3 * body.size


def join_headings(blocks: Sequence[Block]) -> list[Block]:
    """Join the lines of one heading, which may be indented after its number."""
    result: list[Block] = []
    for block in blocks:
        last = result[-1] if result else None
        if last is not None and last.kind == block.kind == HEADING and not NUMBER.match(block.text):
            a, b = last.lines[-1], block.lines[0]
            pitch = b.all.y1 - a.all.y1
            same_look = abs(a.size - b.size) < 0.3 and abs(a.all.bold - b.all.bold) < 0.3 and a.region == b.region
            if same_look and 0 < pitch < MAX_HEADING_PITCH * a.size:
                last.lines += block.lines
                continue
        result.append(block)
    return result


def _number_level(text: str) -> int | None:
    """Return the level that the number of a heading tells, e.g. 2 for `3.1 Methods`."""
    if not NUMBER.match(text):
        return None
    first = text.split(" ", 1)[0]
    match = _NUMBER_ONLY.match(first)
    if match:
        is_letter = re.match(r"^[A-Z]\.$", first) is not None  # `A. Methods` is below `II. Experiments`
        return 1 + match[2].count(".") + is_letter
    return 1 if first.lower() in ("chapter", "appendix", "part") else None
