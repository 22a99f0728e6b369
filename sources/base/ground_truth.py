"""The facts known for certain about the images of a sample, in the form that questions need."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sources.base.sample import Element, Sample

_CHINESE = re.compile("[\u3400-\u9fff]")
_TABLE_RULE = re.compile(r"\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)*\|?")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown: texts of cells, every row as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Source code that draws the image, with its language's name (`python`, `html`, …)."""

    language: str
    text: str


@dataclass(frozen=True)
class GroundTruth:
    """The ground truth of one sample. Sources that know more than their samples' text and words say so here.

    Args:
        sample: the images, words and text.
        tables, code: what the images show; by default read from the Markdown of the sample's text.
        elements: parts of the first image.
    """

    sample: Sample
    tables: Sequence[Table] = ()
    code: Code | None = None
    elements: Sequence[Element] = field(default_factory=tuple)

    @staticmethod
    def of(sample: Sample) -> "GroundTruth":
        """Return the ground truth that the text, words and elements of a sample give."""
        text = sample.plain_text()
        fenced = _FENCE.search(text)
        code = Code(fenced[1], fenced[2]) if fenced else None
        tables = markdown_tables(text) if "|" in text else ()
        return GroundTruth(sample, tables=tables, code=code, elements=sample.elements)

    @cached_property
    def text(self) -> str:
        """The text on the first image, in reading order; empty if the sample does not tell."""
        return self.sample.plain_text() if self.sample.messages is None else ""

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text that are not empty."""
        return [line.strip() for line in self.text.split("\n") if line.strip()]

    @cached_property
    def words(self) -> list[str]:
        """The words of the first image as printed, in reading order; `boxes` has the place of each."""
        return [w for w, image in zip(self.sample.words.texts, self.sample.words.images, strict=True) if image == 0]

    @cached_property
    def boxes(self) -> np.ndarray:
        """(N, 4) x0, y0, x1, y1 of `words` in pixels."""
        boxes: np.ndarray = self.sample.words.boxes[self.sample.words.images == 0]
        return boxes

    @cached_property
    def language(self) -> str:
        """`zh` if a fifth of the text's characters are Chinese, else `en`: the language in which to ask."""
        num_chinese = len(_CHINESE.findall(self.text))
        return "zh" if num_chinese * 5 > len("".join(self.text.split())) else "en"


def markdown_tables(text: str) -> list[Table]:
    """The tables of a Markdown text. A row that is shorter or longer than the header ends its table."""
    tables = []
    lines = [line.strip() for line in text.split("\n")]
    k = 0
    while k + 1 < len(lines):
        header = _cells(lines[k])
        if len(header) < 2 or not _TABLE_RULE.fullmatch(lines[k + 1]) or len(_cells(lines[k + 1])) != len(header):
            k += 1
            continue
        k += 2
        rows = []
        while k < len(lines) and "|" in lines[k] and len(_cells(lines[k])) == len(header):
            rows.append(tuple(_cells(lines[k])))
            k += 1
        if rows:
            tables.append(Table(tuple(header), tuple(rows)))
    return tables


def _cells(line: str) -> list[str]:
    if "|" not in line:
        return []
    inner = line.removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
