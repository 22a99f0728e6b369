"""Notebooks: every saved plot with the code before it."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL

from sources.base.card import SourceCard
from sources.base.marks import with_images
from sources.base.sample import Provenance, Sample
from sources.base.source import ItemError, Items, Source, unreadable_file
from sources.images.decoding import read_image
from sources.notebooks.card import CARD
from sources.notebooks.notebook import CodeCell, Notebook, Output, read_notebook

CODE_VERSION = 2  # increase it when this package or sources.images give another sample for the same plot
MAX_PIXELS = 40_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")
# A cell of another language (`%%html`), and one that shows a file or an address instead of drawing (IPython.display).
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|capture|prun|notify|memit|mprun|python)(\w+)")
_SHOWN_FILE = re.compile(r"""\bImage\(\s*(?:(?:filename|url|data)\s*=|r?["'])""")


@dataclass(frozen=True, kw_only=True)
class Notebooks(Source):
    """Plots in the outputs of Jupyter notebooks (nbformat 2 to 4), with the code that drew them. Nothing is run.

    Args:
        context_cells: code cells before the plot's own whose code is given too.
        side_px: a plot with a longer side is made smaller; 0 keeps plots byte for byte.
    """

    name: ClassVar[str] = "notebooks"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (".ipynb",)
    item_noun: ClassVar[str] = "plot"

    context_cells: int = 0
    side_px: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.context_cells <= 100:
            raise ValueError(f"context_cells must be between 0 and 100, got {self.context_cells}")
        if self.side_px < 0:
            raise ValueError(f"side_px must be at least 0, got {self.side_px}")

    def max_side_px(self) -> int | None:
        return self.side_px or None

    def locator(self, item: int) -> str:
        return f"plot={item + 1}"

    def fingerprint(self) -> Mapping[str, Any]:
        settings = {"context_cells": self.context_cells, "side_px": self.side_px}
        return {"source": self.name, "code": CODE_VERSION, "pillow": PIL.__version__, **settings}

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        known = digest or self.digest_of(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise unreadable_file(error) from error
        notebook = read_notebook(data)
        places = [(k, output) for k, cell in enumerate(notebook.cells) for output in cell.outputs]
        yield Items(len(places), lambda item: self._sample(notebook, *places[item], known, item))

    def _sample(self, notebook: Notebook, number: int, output: Output, digest: str, item: int) -> Sample:
        if output.problem is not None:
            raise ItemError(*output.problem)
        cells = notebook.cells[max(0, number - self.context_cells) : number + 1]
        code = "\n\n".join(filter(None, (cell.code.strip("\n") for cell in cells)))
        _check(cells[-1], code)
        try:
            data = base64.b64decode("".join(output.data.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ItemError("invalid_base64", f"the image is not valid base64: {error}") from error
        image = read_image(data, max_pixels=MAX_PIXELS, max_side_px=self.side_px)
        return Sample.of_picture(
            image.grey,
            source=self.name,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[image.encoded],
            text=with_images(fenced(code, notebook.language)),
            flags=[notebook.language] if notebook.language.isidentifier() else [],
            measures={
                "code_lines": num_code_lines(code),
                "cell_images": sum(each.problem is None for each in cells[-1].outputs),
            },
        )


def _check(cell: CodeCell, code: str) -> None:
    """Raise ItemError if a cell does not draw what it shows, or not to the end."""
    if not cell.code.strip():
        raise ItemError("no_code", "the notebook has the image without its code")
    if cell.failed:
        raise ItemError("cell_failed", f"the cell that drew the image ended with {cell.failed[:100]}")
    other = _OTHER_LANGUAGE.match(cell.code)
    if other is not None:
        raise ItemError("other_language", f"the cell is in another language: %%{other[1]}")
    if _SHOWN_FILE.search(cell.code):
        raise ItemError("shown_file", "the cell shows an image from a file or an address, and draws none")
    if _SURROGATE.search(code):
        raise ItemError("not_unicode", "the code has half a surrogate pair, which is no character")


def num_code_lines(code: str) -> int:
    """Return the number of lines that are neither blank nor only a comment."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code.splitlines())


def fenced(code: str, language: str) -> str:
    """Return code as a fenced block of Markdown, with a fence that is longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code}\n{fence}"
