"""Markdown of exactly one page of a paper."""

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from sources.papers.alignment import Alignment, Placed
from sources.papers.blocks import (
    CELL,
    CODE,
    CODE_END,
    EMPHASIS,
    EMPHASIS_END,
    LINE_BREAK,
    OBJECT,
    OBJECT_END,
    OPENING,
    ROW,
    STRONG,
    STRONG_END,
    Block,
    Formula,
    Hole,
    Span,
)
from sources.papers.printed import Printed

_SIGNS = {STRONG: "**", STRONG_END: "**", EMPHASIS: "*", EMPHASIS_END: "*", CODE: "`", CODE_END: "`"}
_STYLE = re.compile("[\ue000-\ue005]")
_EMPTY = re.compile("\ue000\\s*\ue001|\ue002\\s*\ue003|\ue004\\s*\ue005")
_OBJECT = re.compile(f"{OBJECT}(\\d+){OBJECT_END}")
_CODE_OR_DOLLAR = re.compile(f"{CODE}[^{CODE_END}]*{CODE_END}|\\$")
_MARK = re.compile(r"[^\s\[\]()]{1,3}")
_START = re.compile(r"^(#{1,6}(?=\s)|[-+*>](?=\s)|```|~~~)")
_CLOSE_SPACE = re.compile("(\\s+)([\ue001\ue003\ue005])")
_OPEN_SPACE = re.compile("([\ue000\ue002\ue004])(\\s+)")
_OTHER_OR_QUOTE = re.compile(r'```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|<td[^>]*>|"', re.DOTALL)
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a block that is on a page.

    Args:
        text: with marks, words that are on no page left out.
        place: first of its tokens, or of those of its float.
        is_first: the block begins on this page.
        style: marks of styles that are open where it begins.
    """

    block: Block
    text: str
    place: float
    is_first: bool
    style: str = ""


def slices_of(alignment: Alignment, printed: Printed) -> list[list[Slice]]:
    """Return the parts of blocks that are on each page, in the order of the page."""
    found: list[list[Slice]] = [[] for _ in alignment.words]
    for number, placed in enumerate(alignment.streams):
        for page, part in _parts(alignment, printed, placed, number):
            found[page].append(part)
    for page, parts in enumerate(found):
        groups: dict[int, float] = {}
        for part in parts:
            if part.block.group:
                key = part.block.group
                groups[key] = min(groups.get(key, part.place), part.place)
        order = sorted(
            range(len(parts)),
            key=lambda k: (parts[k].block.kind == "note", groups.get(parts[k].block.group, parts[k].place), k),
        )
        found[page] = [parts[k] for k in order]
    return found


def _parts(alignment: Alignment, printed: Printed, placed: Placed, stream: int) -> list[tuple[int, Slice]]:
    atoms, blocks = placed.atoms, alignment.content.blocks
    found: list[tuple[int, Slice]] = []
    k, place = 0, -1.0
    while k < len(atoms):
        end = k + 1
        while end < len(atoms) and atoms[end].block == atoms[k].block and placed.pages[end] == placed.pages[k]:
            end += 1
        block = blocks[atoms[k].block]
        tokens = [int(j) for j in placed.tokens[k:end] if j >= 0]
        has_words = any(atom.item < 0 for atom in atoms[k:end])
        page = int(placed.pages[k])
        if page >= 0 and (tokens or not has_words):
            is_first = k == 0 or atoms[k - 1].block != atoms[k].block
            place = float(min(tokens)) if tokens else place + 0.01
            text, start = _text(alignment, printed, placed, stream, k, end)
            style = "" if is_first else _open_styles(block.text[:start])
            found.append((page, Slice(block, text, place, is_first, style)))
        k = end
    return found


def _text(alignment: Alignment, printed: Printed, placed: Placed, stream: int, first: int, end: int) -> tuple[str, int]:
    """Return the text of atoms, without the words that are on no page, and where it begins in its block."""
    atoms, text = placed.atoms, alignment.content.blocks[placed.atoms[first].block].text
    same_before = first > 0 and atoms[first - 1].block == atoms[first].block
    same_after = end < len(atoms) and atoms[end].block == atoms[first].block
    start, stop, hyphen = 0, len(text), ""
    if same_before:
        broken = _broken(alignment, placed, first - 1)
        start = broken or _cut(text, atoms[first - 1].end, atoms[first].start)
    if same_after:
        stop = _cut(text, atoms[end - 1].end, atoms[end].start)
    broken = _broken(alignment, placed, end - 1)
    if broken:
        stop, hyphen = broken, "-"
    pieces, at = [], start
    for k in range(first, end):
        if (stream, k) in printed.absent:
            pieces.append(text[at : atoms[k].start])
            at = max(at, atoms[k].end)
    return "".join([*pieces, text[at:stop], hyphen]), start


def _broken(alignment: Alignment, placed: Placed, k: int) -> int:
    """Where a word is broken that goes on on the next page, in its block's text; 0 if it does not."""
    token = int(placed.tokens[k])
    tail = alignment.tokens.tails.get(token) if token >= 0 else None
    if tail is None or tail[0] == alignment.tokens.pages[token]:
        return 0
    return placed.atoms[k].start + alignment.tokens.ends[token] - alignment.tokens.starts[token]


def _cut(text: str, end: int, start: int) -> int:
    """Where text between two atoms belongs to the second one."""
    between = text[end:start]
    row = between.find(ROW)
    if row >= 0:
        return end + row + 1
    space = next((k for k, sign in enumerate(between) if sign.isspace()), len(between))
    return end + space


def _open_styles(text: str) -> str:
    stack: list[str] = []
    for mark in _STYLE.findall(text):
        if mark in OPENING:
            stack.append(mark)
        elif stack and OPENING[stack[-1]] == mark:
            stack.pop()
    return "".join(stack)


def page_markdown(parts: Sequence[Slice], alignment: Alignment, printed: Printed) -> str:
    """Return the Markdown of a page from its parts."""
    writer = _Writer(alignment, printed)
    lines: list[str] = []
    before: Slice | None = None
    for part in parts:
        text = writer.block(part)
        if not text:
            continue
        if before is not None:
            kinds = ("item", "reference", "note")
            is_list = before.block.kind == part.block.kind and part.block.kind in kinds and part.block.kind == "item"
            lines.append("\n" if is_list else "\n\n")
        lines.append(text)
        before = part
    return "".join(lines)


class _Writer:
    def __init__(self, alignment: Alignment, printed: Printed):
        self._objects = alignment.content.objects
        self._printed = printed

    def block(self, part: Slice) -> str:
        """Return the Markdown of a part; empty if it has none."""
        block = part.block
        if block.kind == "code":
            code = textwrap.dedent(part.text.strip("\n")).rstrip()
            return f"```\n{code}\n```" if code else ""
        if block.kind == "table":
            return self._table(part.text)
        text = self.inline(part.style + part.text)
        if not text.strip():
            return ""
        if block.kind == "title":
            return f"# {_one_line(text)}"
        if block.kind == "heading":
            return f"{'#' * block.level} {_one_line(text)}"
        if block.kind == "note":
            return self._note(text, part)
        if block.kind == "item":
            return self._item(text, part)
        return text if block.kind == "formula" else _START.sub(lambda found: f"\\{found[0]}", text)

    def _item(self, text: str, part: Slice) -> str:
        indent = INDENT * part.block.level
        if not part.is_first:
            return f"{indent}{text}"
        return f"{indent}{text}" if re.match(r"\d{1,9}[.)]\s", text) else f"{indent}- {text}"

    def _note(self, text: str, part: Slice) -> str:
        label = _OBJECT.match(part.text)
        value = self._printed.values.get(int(label[1]), "") if label else ""
        body = text.removeprefix(value).strip() if value else text
        return f"[^{value.rstrip('.)')}]: {body}" if value.rstrip(".)") else body

    def inline(self, text: str) -> str:
        """Return the Markdown of text with marks."""
        while (shorter := _EMPTY.sub(_white_space, self._without_empty(text))) != text:
            text = shorter
        text = _CLOSE_SPACE.sub(r"\2\1", _OPEN_SPACE.sub(r"\2\1", text))
        text = _balanced(text)
        parts: list[str] = []
        at = 0
        for found in _OBJECT.finditer(text):
            before, shown = _plain(text[at : found.start()]), self._object(int(found[1]))
            is_joined = not before and shown.startswith("$") and parts and parts[-1].endswith("$")
            parts += [before, f" {shown}" if is_joined else shown]  # `$a$$b$` would begin a displayed formula
            at = found.end()
        parts.append(_plain(text[at:]))
        joined = "".join(parts)
        return "\n".join(line for part in joined.split("\n") if (line := " ".join(part.split(" ")).strip()))

    def _without_empty(self, text: str) -> str:
        """Remove the marks of objects that are nothing in print."""
        return _OBJECT.sub(lambda found: found[0] if self._object(int(found[1])) else "", text)

    def _object(self, number: int) -> str:
        item = self._objects[number]
        if isinstance(item, Formula):
            if not item.is_display:
                return f"${item.tex}$" if item.tex else ""
            return f"$$\n{_with_numbers(item.tex, self._printed.numbers.get(number, ()))}\n$$"
        if isinstance(item, Hole):
            value = self._printed.values.get(number, "")
            return f"[^{value}]" if item.kind == "note" and _MARK.fullmatch(value) else value
        return ""

    def _table(self, text: str) -> str:
        rows = [row.split(CELL) for row in text.split(ROW)]
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        spans = [[self._span(cell) for cell in row] for row in rows]
        cells = [[self.inline(cell).replace("\n", "<br>") for cell in row] for row in rows]
        if not any(map(any, cells)):
            return ""
        if any(span != (1, 1) for row in spans for span in row):
            return _html(cells, spans)
        width = max(map(len, cells))
        lines = [f"| {' | '.join([*(cell.replace('|', chr(92) + '|') for cell in row), *[''] * (width - len(row))])} |"
                 for row in cells]  # fmt: skip
        lines.insert(1, f"|{'---|' * width}")
        return "\n".join(lines)

    def _span(self, cell: str) -> tuple[int, int]:
        columns = rows = 1
        for found in _OBJECT.finditer(cell):
            item = self._objects[int(found[1])]
            if isinstance(item, Span):
                columns, rows = max(columns, item.columns), max(rows, item.rows)
        return columns, rows


def _html(cells: Sequence[Sequence[str]], spans: Sequence[Sequence[tuple[int, int]]]) -> str:
    lines = ["<table>"]
    covered: dict[int, int] = {}  # by column: rows that a cell above still fills
    for row, of_row in zip(cells, spans, strict=True):
        parts, column = [], 0
        for cell, (columns, rows) in zip(row, of_row, strict=True):
            if covered.get(column, 0):
                covered[column] -= 1
                column += columns
                continue
            if rows > 1:
                covered |= {column + k: rows - 1 for k in range(columns)}
            across = f' colspan="{columns}"' if columns > 1 else ""
            down = f' rowspan="{rows}"' if rows > 1 else ""
            parts.append(f"<td{across}{down}>{html.escape(cell, quote=False).replace('&lt;br&gt;', '<br>')}</td>")
            column += columns
        lines.append(f"<tr>{''.join(parts)}</tr>")
    return "\n".join([*lines, "</table>"])


def _with_numbers(tex: str, numbers: Sequence[str]) -> str:
    """Return a formula with the numbers that are printed next to it."""
    if "\\tag" in tex:
        return tex
    if len(numbers) == 1:
        return f"{tex} \\tag{{{numbers[0]}}}"
    inner = re.fullmatch(r"\\begin\{(aligned|gathered)\}(.*)\\end\{\1\}", tex, re.DOTALL)
    if not numbers or inner is None:
        return tex
    rows = _rows(inner[2])
    if len(rows) != len(numbers):
        return tex
    outer = {"aligned": "align", "gathered": "gather"}[inner[1]]
    body = " \\\\ ".join(f"{row.strip()} \\tag{{{number}}}" for row, number in zip(rows, numbers, strict=True))
    return f"\\begin{{{outer}}} {body} \\end{{{outer}}}"


def _rows(tex: str) -> list[str]:
    rows, depth, at = [], 0, 0
    for found in re.finditer(r"\\begin\b|\\end\b|\\\\|\\[{}]|[{}]", tex):
        depth += (found[0] in ("\\begin", "{")) - (found[0] in ("\\end", "}"))
        if found[0] == "\\\\" and depth == 0:
            rows.append(tex[at : found.start()])
            at = found.end()
    return [*rows, tex[at:]]


def _plain(text: str) -> str:
    """Text without formulas: white space as one space, `$` escaped, styles as signs."""
    text = " ".join(text.replace(LINE_BREAK, "\ue024").split("\n"))
    text = _CODE_OR_DOLLAR.sub(
        lambda found: "\\$" if found[0] == "$" else _code(found[0]),
        text.replace(f"\\{CODE}", f"{CODE}\\").replace(f"{CODE_END}{CODE}", ""),
    )
    text = re.sub(r"\s+", " ", text)
    text = re.sub(" ?\ue024 ?", "\n", text)
    return _STYLE.sub(lambda mark: _SIGNS[mark[0]], text)


def _code(text: str) -> str:
    """Return code between its marks; with more backticks around it if it has some itself."""
    content = text[1:-1]
    if "`" not in content:
        return text
    fence = "`" * (1 + max(map(len, re.findall("`+", content))))
    return f"{fence} {_STYLE.sub('', content)} {fence}"


def _balanced(text: str) -> str:
    """Close the styles that are open at the end, and drop marks that open or close nothing."""
    parts: list[str] = []
    stack: list[str] = []
    at = 0
    for found in _STYLE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        mark = found[0]
        if mark in OPENING:
            if mark not in stack:
                stack.append(mark)
                parts.append(mark)
        elif stack and OPENING[stack[-1]] == mark:
            stack.pop()
            parts.append(mark)
    parts.append(text[at:])
    return "".join([*parts, *(OPENING[mark] for mark in reversed(stack))])


def curly(text: str) -> str:
    """Return Markdown with closing quotes for straight ones, but for those in code and formulas."""
    return _OTHER_OR_QUOTE.sub(lambda found: "”" if found[0] == '"' else found[0], text)


def _white_space(found: re.Match[str]) -> str:
    """Return what is left of a style without text: a space if it has one."""
    return " " if found[0][1:-1] else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
