"""Pages drawn for the tests of structure, and their Markdown."""

from collections.abc import Sequence
from pathlib import Path

import pymupdf

from sources.base.sample import Sample
from sources.pdfs.source import Pdfs

PROSE = (
    "The canal was measured at four locks over one year, and the gauges were read by hand every morning before the "
    "gates were opened. All readings were copied into one book, from which this page was made, so that nothing depends "
    "on the memory of the keeper or on the weather of the day."
)


class Drawing:
    """A page of A4 that is written from top to bottom."""

    def __init__(self) -> None:
        self.document = pymupdf.open()
        self.page = self.document.new_page(width=595, height=842)
        self.y = 90.0

    def text(self, text: str, x: float = 72, size: float = 10, font: str = "tiro", y: float | None = None) -> None:
        """Write one line; without `y` it is the next one."""
        if y is None:
            self.y += 1.25 * size
        self.page.insert_text((x, self.y if y is None else y), text, fontsize=size, fontname=font)

    def prose(self, text: str = PROSE, x: float = 72, width: float = 450, size: float = 10) -> None:
        """Write a paragraph whose lines are broken at the width."""
        self.y += 0.6 * size
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if pymupdf.get_text_length(longer, "tiro", size) > width:
                self.text(line, x, size)
                longer = word
            line = longer
        self.text(line, x, size)

    def justified(self, left: float, right: float, text: str = PROSE, size: float = 10) -> None:
        """Write a paragraph whose lines fill the width, but the last."""
        lines: list[list[str]] = [[]]
        for word in text.split():
            if pymupdf.get_text_length(" ".join([*lines[-1], word]), "tiro", size) > right - left:
                lines.append([])
            lines[-1].append(word)
        for words in lines:
            widths = [pymupdf.get_text_length(word, "tiro", size) for word in words]
            space = (right - left - sum(widths)) / (len(words) - 1) if words is not lines[-1] else 0.25 * size
            self.y += 1.25 * size
            x = left
            for word, width in zip(words, widths, strict=True):
                self.text(word, x, size, y=self.y)
                x += width + space

    def row(self, cells: Sequence[str], xs: Sequence[float], size: float = 10, font: str = "tiro") -> None:
        """Write cells side by side."""
        self.y += 1.6 * size
        for cell, x in zip(cells, xs, strict=True):
            if cell:
                self.text(cell, x, size, font, y=self.y)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.page.draw_line((x0, y0), (x1, y1), width=0.5)

    def save(self, folder: Path, name: str = "page.pdf") -> Path:
        path = folder / name
        self.document.save(path)
        return path


def markdown_sample(path: Path) -> Sample:
    """Return the first page of a file as a sample with Markdown."""
    with Pdfs(text="markdown").open(path) as items:
        return items[0]


def markdown(path: Path) -> str:
    return markdown_sample(path).plain_text()
