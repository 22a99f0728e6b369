"""Scores of Markdown against marked Markdown: text, blocks, tables, headings and lists."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rapidfuzz.distance import Levenshtein

from benchmarks.teds import teds

SAME_TITLE = 0.8  # similarity from which on two headings are one
WRONG_KIND = 0.5  # least cost of a block of another kind
_RULE = re.compile(r"^\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?$")
_LEADER = re.compile(r"(\s?\.){4,}")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a Markdown text: `heading`, `item`, `table`, `code` or `text`, its level and its text or cells."""

    kind: str
    text: str
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


def parse(markdown: str) -> list[Block]:
    """Return the blocks of a Markdown text."""
    blocks: list[Block] = []
    lines = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL).split("\n")
    k = 0
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            blocks.append(Block("text", _plain(" ".join(paragraph))))
            paragraph.clear()

    while k < len(lines):
        line = lines[k]
        stripped = line.strip()
        if stripped.startswith("```"):
            end_paragraph()
            end = next((j for j in range(k + 1, len(lines)) if lines[j].strip().startswith("```")), len(lines))
            blocks.append(Block("code", _spaces("\n".join(lines[k + 1 : end]))))
            k = end + 1
        elif stripped.startswith("|") and k + 1 < len(lines) and _RULE.match(lines[k + 1].strip()):
            end_paragraph()
            end = k + 2
            while end < len(lines) and lines[end].strip().startswith("|"):
                end += 1
            rows = tuple(_cells(row) for row in (stripped, *lines[k + 2 : end]))
            blocks.append(Block("table", " ".join(cell for row in rows for cell in row if cell), rows=rows))
            k = end
        elif match := re.match(r"^(#{1,6})\s+(.*)$", stripped):
            end_paragraph()
            blocks.append(Block("heading", _plain(match[2]), len(match[1])))
            k += 1
        elif match := re.match(r"^(\s*)(?:[-*+•]|(\d{1,3}[.)]))\s+(.*)$", line):
            end_paragraph()
            blocks.append(Block("item", _plain(f"{match[2] or ''} {match[3]}".strip()), len(match[1]) // 2))
            k += 1
        elif not stripped:
            end_paragraph()
            k += 1
        else:
            paragraph.append(stripped)
            k += 1
    end_paragraph()
    return [block for block in blocks if block.text]


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(_plain(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", inner))


def _plain(text: str) -> str:
    text = re.sub(r"<br\s*/?>|<sup>|</sup>|<sub>|</sub>|<u>|</u>", " ", text)
    text = re.sub(r"\*\*|`|~~|==|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)", "", text)
    text = re.sub(r"(?<![*\w])\*(?=\w)|(?<=\w)\*(?![*\w])", "", text) if text.count("*") > 1 else text
    text = re.sub(r"\\([^\w\s])", r"\1", text)
    return _spaces(_LEADER.sub(" ", text))


def _spaces(text: str) -> str:
    return " ".join(text.split())


def flat(blocks: Sequence[Block]) -> str:
    """Return the normalized Markdown of blocks on one line."""
    parts = []
    for block in blocks:
        if block.kind == "table":
            parts.append(" ".join("|" + "|".join(row) + "|" for row in block.rows))
        else:
            mark = {"heading": "#" * block.level + " ", "item": "- ", "code": "``` "}.get(block.kind, "")
            parts.append(mark + block.text)
    return " ".join(parts)


def block_similarity(found: Sequence[Block], true: Sequence[Block]) -> float:
    """Return 1 - the cost of turning one sequence of blocks into the other / the length of the longer one."""

    def cost(a: Block, b: Block) -> float:
        changed = Levenshtein.normalized_distance(a.text, b.text)
        return changed if a.kind == b.kind else max(changed, WRONG_KIND)

    return _sequence_similarity(found, true, cost)


def item_similarity(found: Sequence[Block], true: Sequence[Block]) -> float:
    """The same for list items; a wrong level costs at least 0.5."""

    def cost(a: Block, b: Block) -> float:
        changed = Levenshtein.normalized_distance(a.text, b.text)
        return changed if a.level == b.level else max(changed, WRONG_KIND)

    return _sequence_similarity(found, true, cost)


def _sequence_similarity(a: Sequence[Block], b: Sequence[Block], cost: Callable[[Block, Block], float]) -> float:
    above = [float(j) for j in range(len(b) + 1)]
    for i, block in enumerate(a, 1):
        row = [float(i)]
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost(block, other)))
        above = row
    return 1 - above[-1] / max(len(a), len(b), 1)


def table_scores(found: Sequence[Block], true: Sequence[Block]) -> tuple[list[float], int]:
    """Return the TEDS of every true table, matched in order for the largest sum, and the number of others found."""
    a = [block.rows for block in found if block.kind == "table"]
    b = [block.rows for block in true if block.kind == "table"]
    scores = [[teds(x, y) for y in b] for x in a]
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [
        [(0.0, ())] * (len(b) + 1) for _ in range(len(a) + 1)
    ]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            total, pairs = best[i - 1][j - 1]
            both = (total + scores[i - 1][j - 1], (*pairs, (i - 1, j - 1)))
            best[i][j] = max(best[i - 1][j], best[i][j - 1], both, key=lambda option: option[0])
    of = {j: scores[i][j] for i, j in best[-1][-1][1]}
    return [of.get(j, 0.0) for j in range(len(b))], max(0, len(a) - len(of))


def heading_scores(found: Sequence[Block], true: Sequence[Block]) -> tuple[int, int, int, int]:
    """Return the numbers of headings: found, true, found rightly, found with the right level."""
    a = [block for block in found if block.kind == "heading"]
    b = [block for block in true if block.kind == "heading"]
    left = list(b)
    num_right = num_level = 0
    for heading in a:
        match = max(left, key=lambda other: Levenshtein.normalized_similarity(heading.text, other.text), default=None)
        if match is not None and Levenshtein.normalized_similarity(heading.text, match.text) >= SAME_TITLE:
            left.remove(match)
            num_right += 1
            num_level += heading.level == match.level
    return len(a), len(b), num_right, num_level


def score(markdown: str, marked: str) -> dict[str, Any]:
    """Return the measurements of one page's Markdown against the marked one."""
    found, true = parse(markdown), parse(marked)
    tables, num_false = table_scores(found, true)
    items = [[block for block in blocks if block.kind == "item"] for blocks in (found, true)]
    return {
        "text": Levenshtein.normalized_similarity(flat(found), flat(true)),
        "blocks": block_similarity(found, true),
        "tables": tables,
        "false_tables": num_false,
        "headings": heading_scores(found, true),
        "lists": item_similarity(*items) if items[1] else None,
    }


def summary(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the means over pages, and over tables and headings."""
    tables = [value for page in scores for value in page["tables"]]
    num_false = sum(page["false_tables"] for page in scores)
    found, true, right, level = (sum(page["headings"][k] for page in scores) for k in range(4))
    lists = [page["lists"] for page in scores if page["lists"] is not None]
    return {
        "text": fmean(page["text"] for page in scores),
        "blocks": fmean(page["blocks"] for page in scores),
        "teds": fmean(tables) if tables else 0.0,
        "teds_with_false": sum(tables) / max(1, len(tables) + num_false),
        "false_tables": num_false,
        "heading_f1": 2 * right / max(1, found + true),
        "heading_level": level / max(1, right),
        "lists": fmean(lists) if lists else 0.0,
    }
