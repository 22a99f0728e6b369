"""Sheets: the blocks of a book divided into pieces of about a page, none lost and none repeated."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sources.books.blocks import Block

CHARS_PER_LINE = 60
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")
_SENTENCE_END = re.compile(r"(?<=[^\W\d_][.!?])\s+|(?<=[。！？])")  # not behind a number, which may belong to an item
FIGURE_LINES = 16.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The content of a page.

    Args:
        head: the heading that its first block is below, for the running head; empty before the first.
    """

    blocks: Sequence[Block]
    head: str

    @property
    def lines(self) -> float:
        """About how many lines of `CHARS_PER_LINE` characters the content takes."""
        return sum(map(_lines, self.blocks))

    @property
    def is_mostly_pictures(self) -> bool:
        """Whether figures take more than three quarters of the page: what is written in them is not in its text."""
        return sum(_lines(block) for block in self.blocks if block.figure is not None) > self.lines * 3 / 4


def sheets(blocks: Sequence[Block], lines: int) -> list[Sheet]:
    """Return the pages of a book.

    A page ends before the block that would make it longer; a paragraph is divided between sentences, code and tables
    between lines. A chapter begins a page unless the page before it is nearly empty. A heading stays with what follows,
    a figure with its caption.

    Args:
        lines: length of a page, in lines of `CHARS_PER_LINE` characters.
    """
    found: list[Sheet] = []
    page: list[Block] = []
    used, head, next_head = 0.0, "", ""
    for group in _groups([piece for block in blocks for piece in _pieces(block, lines)]):
        cost = sum(map(_lines, group))
        opens = group[0].opens or (group[0].kind == "heading" and group[0].level == 1)
        if page and (used + cost > lines or (opens and used > lines / 4)):
            found.append(Sheet(page, head))
            page, used, head = [], 0.0, next_head
        page += group
        used += cost
        for block in group:
            next_head = block.text if block.kind == "heading" and block.level <= 2 else next_head
    if page:
        found.append(Sheet(page, head))
    return [sheet for sheet in found if any(block.text for block in sheet.blocks)]


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks that stay together."""
    group: list[Block] = []
    for block in blocks:
        if group and not block.joined and group[-1].kind != "heading":
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _lines(block: Block) -> float:
    """About how many lines of a page a block takes."""
    if block.figure is not None:
        return 0.0 if block.figure.drop else FIGURE_LINES
    rows = block.text.split("\n")
    extra = {"heading": 1.5, "table": 0.4 * len(rows), "formula": 1.5}.get(block.kind, 0.5)
    return extra + sum(max(1.0, (len(row) + len(_WIDE.findall(row))) / CHARS_PER_LINE) for row in rows)


def _pieces(block: Block, lines: int) -> Iterator[Block]:
    """Parts of a block that leave no page half empty."""
    most = lines / 3
    if block.figure is not None or _lines(block) <= most:
        yield block
        return
    if block.kind == "code":
        fence, *content, end = block.text.split("\n")
        texts = ["\n".join([fence, *some, end]) for some in _runs(content, most)]
    elif block.kind == "table":
        header, rule, *rows = block.text.split("\n")
        texts = ["\n".join([*([header, rule] if first else [some[0], rule]), *some[0 if first else 1 :]])
                 for first, some in zip((True, *(False,) * len(rows)), _runs(rows, most), strict=False)]  # fmt: skip
    elif block.kind in ("text", "item", "caption"):
        texts = ["".join(some).strip() for some in _runs(_sentences(block.text), most)]
    else:
        texts = [block.text]
    for number, text in enumerate(texts):
        if number == 0:
            yield replace(block, text=text)
        else:
            yield replace(block, text=text, first="", opens=False, joined=False, goes_on=True)


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with the space behind it."""
    ends = [0, *(end.end() for end in _SENTENCE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(ends) if start < end]


def _runs(parts: Sequence[str], most: float) -> Iterator[list[str]]:
    """Consecutive parts of at most `most` lines together, or a single longer part."""
    run: list[str] = []
    used = 0.0
    for part in parts:
        cost = (len(part) + len(_WIDE.findall(part))) / CHARS_PER_LINE
        if run and used + cost > most:
            yield run
            run, used = [], 0.0
        run.append(part)
        used += cost
    if run:
        yield run
