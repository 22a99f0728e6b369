"""Reading order of PDFs whose pieces of text are written in another order than they are read."""

import textwrap
from collections.abc import Iterable
from pathlib import Path

import pymupdf

from sources.pdfs.source import Pdfs
from tests.pdf_files import ENGLISH, paragraphs


def read(folder: Path, pieces: Iterable[tuple[float, float, str]]) -> list[str]:
    """Write pieces of text at x, y in the given order; return the lines of the text that is read."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        for x, y, text in pieces:
            page.insert_text((x, y), text, fontsize=9)
        document.save(folder / "page.pdf")
    with Pdfs().open(folder / "page.pdf") as pages:
        return [line for line in (pages[0].text or "").splitlines()[1:] if line]


PROSE = [line for paragraph in paragraphs(ENGLISH) for line in textwrap.wrap(paragraph, 50)]
HALF = len(PROSE) // 2
LEFT = [(50.0, 120.0 + 11 * k, line) for k, line in enumerate(PROSE[:HALF])]
RIGHT = [(310.0, 120.0 + 11 * k, line) for k, line in enumerate(PROSE[HALF : 2 * HALF])]


def test_a_page_with_columns_written_row_by_row(tmp_path: Path) -> None:
    rows = [line for row in zip(LEFT, RIGHT, strict=True) for line in row]
    assert read(tmp_path, rows) == PROSE[: 2 * HALF]


def test_a_page_with_a_table_above_columns(tmp_path: Path) -> None:
    cells = [(50 + 80.0 * k, 60.0 + 12 * row, f"{row}.{k}") for row in range(3) for k in range(6)]
    found = read(tmp_path, [*cells, *LEFT, *RIGHT])
    assert found == [*(" ".join(f"{row}.{k}" for k in range(6)) for row in range(3)), *PROSE[: 2 * HALF]]


def test_a_page_with_rows_written_from_the_right(tmp_path: Path) -> None:
    cells = [(50 + 80.0 * k, 60.0 + 20 * row, f"{row}.{k}") for row in range(9) for k in reversed(range(6))]
    assert read(tmp_path, cells) == [" ".join(f"{row}.{k}" for k in range(6)) for row in range(9)]
