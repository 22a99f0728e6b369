"""The pages of the documentation, and the blocks of code that a comment before them marks for a test.

<!-- run -->          the next block (`sh` or `python`) is run
<!-- prints -->       the block that ran before prints the lines of the next block, in order; `…` is any text
<!-- file: NAME -->   the next block is written to a file
<!-- change: NAME --> the next block (`diff`) is applied to a file
"""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent.parent
MARK = re.compile(r"<!-- (run|prints|(?:file|change): (\S+)) -->\s*")
MARK_LIKE = re.compile(r"<!--\s*(run|prints|file|change)\b", re.IGNORECASE)
_PARSER = MarkdownIt("commonmark")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A marked block of code.

    Args:
        page: path from the root of the repository.
        line: line of its first line of code, 1-based.
        kind: `run`, `prints`, `file` or `change`.
        file: name of the file to write or to change.
        language: as written after the fence.
    """

    page: str
    line: int
    kind: str
    file: str | None
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page of the site, and the pages in the root of the repository."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks_of(page: Path) -> list[Block]:
    """The marked blocks of a page, in order.

    Raises:
        ValueError: a mark that no block follows, or a misspelt one.
    """
    tokens = _PARSER.parse(page.read_text())
    name = str(page.relative_to(ROOT))
    found = []
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        mark = MARK.fullmatch(token.content) if token.type == "html_block" else None
        if mark is None:
            if token.type == "html_block" and MARK_LIKE.match(token.content):
                raise ValueError(f"{name}:{token.map[0] + 1}: not a mark: {token.content.strip()}")
            continue
        if following is None or following.type != "fence":
            raise ValueError(f"{name}:{token.map[0] + 1}: no block of code follows {token.content.strip()}")
        found.append(
            Block(
                page=name,
                line=following.map[0] + 2,
                kind=mark[1].partition(":")[0],
                file=mark[2],
                language=following.info.strip(),
                code=following.content,
            )
        )
    return found
