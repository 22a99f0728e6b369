"""Which caption belongs to which figure, and where the text mentions a figure."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sources.books.blocks import NOTE_END, NOTE_START, Block, Group

_NUMBER = r"[A-Z]?\d{1,4}(?:[.\-–]\d{1,4}){0,3}[a-z]?|[IVXLC]{1,7}|[A-Z](?:[.\-–]\d{1,3})"
_KINDS = (
    r"figures?|figs?\.?|illustrations?|plates?|photos?|charts?|diagrams?|maps?|schemes?|exhibits?|abbildung(?:en)?|abb\.?|"
    r"bild(?:er)?|figura|fig\.?|рис(?:унок|\.)?|illustration|图|圖|図|그림|شكل|الشكل"
)
_LABEL = re.compile(rf"\s*(?:{_KINDS})\s*({_NUMBER})\b", re.IGNORECASE)
_CAPTION = re.compile(rf"\s*(?:{_KINDS})\s*({_NUMBER})\s*(?:[.:)–—|\-]|\s{{2,}}|\n|$)", re.IGNORECASE)
_CJK_CAPTION = re.compile(rf"\s*[图圖図]\s*({_NUMBER})\s")
# Without markup, a paragraph that begins with a mention ("Figure 3-5 shows") goes on with a small letter.
_PRINTED_CAPTION = re.compile(rf"\s*(?i:{_KINDS})\s*(?:{_NUMBER})(?![-–.]?\w)\s*(?:[.:)–—|\-]|$|(?=[^\sa-z,;]))")
_MENTION = re.compile(rf"(?<!\w)(?:{_KINDS})\s*({_NUMBER})(?!\w)", re.IGNORECASE)
_NOTE = re.compile(f"{NOTE_START}[^{NOTE_END}]*{NOTE_END}")
MIN_ALT_CHARS = 10  # of an alternative text that a caption repeats
MAX_CAPTION_CHARS = 1500  # a longer paragraph that begins with "Figure 3." tells of the figure


def link_captions(blocks: Sequence[Block]) -> None:
    """Give each figure of a document its caption, and keep the two together.

    A caption is what the markup calls one in the same container; else the paragraph after the figure, or before it,
    that begins as captions do ("Figure 3.", "图 2") or repeats the alternative text. Figures in a row may share one.
    """
    taken: set[int] = set()
    runs = _runs(blocks)
    for first, last in runs:
        for k in range(first, last):
            figure = blocks[k].figure
            if figure is not None:
                figure.caption = _text(_in_group(blocks[k].group))
    for first, last in runs:
        figures = [blocks[k].figure for k in range(first, last)]
        bare = [figure for figure in figures if figure is not None and not figure.caption]
        places = _places(blocks, first, last, taken)
        if bare and places:
            taken.update(places)
            for figure in bare:
                figure.caption = _text([blocks[k] for k in places])
            for k in places:
                blocks[k].kind = "caption"
            for k in range(min(first, *places) + 1, max(last - 1, *places) + 1):
                blocks[k].joined = True
    _join_groups(blocks)


def mentions(blocks: Sequence[Block]) -> Mapping[str, list[int]]:
    """Return the places of the paragraphs that mention each number of a figure."""
    found: dict[str, list[int]] = {}
    for place, block in enumerate(blocks):
        if block.kind in ("text", "item"):
            for number in dict.fromkeys(match[1] for match in _MENTION.finditer(block.text)):
                found.setdefault(number, []).append(place)
    return found


def number_of(caption: str) -> str | None:
    """Return the number of the figure that a caption names."""
    found = _LABEL.match(caption)
    return found[1] if found else None


def is_printed_caption(text: str) -> bool:
    """Return True if a printed paragraph begins as the caption of a figure does ("Figure 3.", "图 2")."""
    return bool(_PRINTED_CAPTION.match(text) or _CJK_CAPTION.match(text))


def _runs(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """Return where figures follow each other without text, as (first, after the last)."""
    runs: list[tuple[int, int]] = []
    for k, block in enumerate(blocks):
        if block.figure is None:
            continue
        if runs and runs[-1][1] == k and not block.opens and blocks[k - 1].group is block.group:
            runs[-1] = (runs[-1][0], k + 1)
        else:
            runs.append((k, k + 1))
    return runs


def _in_group(group: Group | None) -> list[Block]:
    while group is not None and not group.captions:
        group = group.parent
    return group.captions if group is not None else []


def _places(blocks: Sequence[Block], first: int, last: int, taken: set[int]) -> list[int]:
    """Return where the caption of figures in a row is: after them, or before."""
    alts = [figure.alt for block in blocks[first:last] if (figure := block.figure) is not None]
    for place in (last, first - 1):
        if place in taken or not _is_caption(blocks, place, alts):
            continue
        end = place + 1
        while place == last and end < len(blocks) and blocks[end].kind == blocks[place].kind == "caption":
            end += 1
        return list(range(place, end))
    return []


def _is_caption(blocks: Sequence[Block], place: int, alts: Sequence[str]) -> bool:
    if not 0 <= place < len(blocks):
        return False
    block = blocks[place]
    if block.kind == "caption":
        return block.group is None or not _has_figure(blocks, place)
    if block.kind not in ("text", "item", "heading") or len(block.text) > MAX_CAPTION_CHARS:
        return False
    if _CAPTION.match(block.text) or _CJK_CAPTION.match(block.text):
        return True
    return block.kind == "text" and any(_is_repeated(alt, block.text) for alt in alts)


def _is_repeated(alt: str, text: str) -> bool:
    """Return True if a paragraph is the alternative text of the figure next to it, or either begins with the other."""
    return min(len(alt), len(text)) >= MIN_ALT_CHARS and (text.startswith(alt) or alt.startswith(text))


def _has_figure(blocks: Sequence[Block], place: int) -> bool:
    """Return True if another figure next to the caption has it from its container."""
    group = blocks[place].group
    return any(block.figure is not None and block.group is group for block in blocks[max(0, place - 20) : place + 20])


def _text(captions: Sequence[Block]) -> str:
    return "\n".join(_NOTE.sub("", caption.text) for caption in captions).strip()


def _join_groups(blocks: Sequence[Block]) -> None:
    """Keep the blocks of a container with a caption together."""
    for before, block in pairwise(blocks):
        group = block.group
        if group is not None and before.group is group and group.captions:
            block.joined = True
