"""Tables with merged cells: HTML, OTSL and Markdown say the same, and it is what the page shows."""

import re
from html.parser import HTMLParser

import pytest

from sources.base.sample import Sample
from sources.ocr.blocks import table_block
from sources.ocr.passages import BundledPassages, ContentSampler
from sources.ocr.source import Ocr
from sources.ocr.spanning_table import Cell, SpanningTable
from sources.ocr.style import sample_style
from sources.ocr.templates.statement import spanning_table
from sources.rng import generator

SMALL = SpanningTable(
    (
        (Cell("a|b", rows=2), Cell("1", columns=2)),
        (Cell("x"), Cell("")),
        (Cell("r", rows=2), Cell("-3.5"), Cell("<4>")),
        (Cell("5"), Cell("6")),
    ),
    num_heads=2,
)


class _Reader(HTMLParser):
    """Reads a table with spans as a grid of texts, as browsers do."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[tuple[int, int], str] = {}
        self.row, self.spans = -1, (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.row += 1
        if tag in ("th", "td"):
            spans = dict(attrs)
            column = next(x for x in range(100) if (self.row, x) not in self.places)
            self.taken = [
                (self.row + dy, column + dx)
                for dy in range(int(spans.get("rowspan") or 1))
                for dx in range(int(spans.get("colspan") or 1))
            ]
            self.places |= dict.fromkeys(self.taken, "")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.places |= dict.fromkeys(self.taken, data)


def _grid_of_html(html: str) -> list[list[str]]:
    reader = _Reader()
    reader.feed(html)
    height, width = (max(place[k] for place in reader.places) + 1 for k in (0, 1))
    return [[reader.places[y, x] for x in range(width)] for y in range(height)]


def _grid_of_otsl(otsl: str) -> list[list[str]]:
    grid: list[list[str]] = []
    for line in otsl.removeprefix("<otsl>").removesuffix("</otsl>").split("\n"):
        row: list[str] = []
        for token, text in re.findall(
            r"<(ched|fcel|ecel|lcel|ucel|xcel|nl)>((?:(?!<(?:ched|fcel|ecel|lcel|ucel|xcel|nl)>).)*)", line
        ):
            if token == "lcel":
                row.append(row[-1])
            elif token in ("ucel", "xcel"):
                row.append(grid[-1][len(row)])
            elif token != "nl":
                row.append(text)
        grid.append(row)
    return grid


def test_the_three_forms_of_a_small_table() -> None:
    assert SMALL.to_html().split("\n")[2] == '<tr><th rowspan="2">a|b</th><th colspan="2">1</th></tr>'
    assert "<td>&lt;4&gt;</td>" in SMALL.to_html()
    assert SMALL.to_otsl() == (
        "<otsl><ched>a|b<ched>1<lcel><nl>\n<ucel><ched>x<ecel><nl>\n"
        "<fcel>r<fcel>-3.5<fcel><4><nl>\n<ucel><fcel>5<fcel>6<nl></otsl>"
    )
    assert SMALL.to_markdown() == ("| a\\|b | 1 / x | 1 |\n| --- | --- | --- |\n| r | -3.5 | \\<4> |\n| r | 5 | 6 |")
    assert table_block(SMALL).text == "a|b\t1\nx\t\nr\t-3.5\t<4>\n5\t6"


def test_cells_that_overlap_or_leave_a_gap_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fill a rectangle"):
        SpanningTable(((Cell("a"), Cell("b")), (Cell("c"),)), num_heads=1).grid()
    with pytest.raises(ValueError, match="two cells at row 1, column 1"):
        SpanningTable(((Cell("a"), Cell("b", rows=2)), (Cell("c", columns=2),)), num_heads=1).grid()


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_the_forms_say_the_same(language: str) -> None:
    style = sample_style(generator(1, 0, language), language, 1024)
    shapes = set()
    for number in range(40):
        sampler = ContentSampler(BundledPassages(), language, generator(4, number, language))
        table = spanning_table(sampler, style)
        grid = [[cell.text for cell, _, _ in row] for row in table.grid()]
        assert _grid_of_html(table.to_html()) == grid
        assert _grid_of_otsl(table.to_otsl()) == grid
        heads, _, *rows = [line.strip("| ").split(" | ") for line in table.to_markdown().split("\n")]
        assert rows == grid[2:]
        assert len(set(heads)) == len(heads) == len(grid[0])
        shapes.add((len(grid), len(grid[0])))
    assert len(shapes) >= 12


def _samples(task: str) -> list[Sample]:
    source = Ocr(seed=5, kinds={"statement": 1}, languages=("en",), tasks={task: 1}, strength=0.0)
    return [source.make(number, source.digest) for number in range(3)]


def test_a_table_is_asked_for_by_its_number_and_is_on_the_page() -> None:
    for sample in _samples("table"):
        question, answer = (message.content for message in sample.messages or ())
        number = int(re.search(r"\d", question)[0])  # type: ignore[index]
        assert 1 <= number <= 3
        assert sample.words is not None
        printed = " ".join(sample.words.texts)
        grid = (
            _grid_of_html(answer) if "<table>" in answer
            else _grid_of_otsl(answer) if "<otsl>" in answer
            else [line.strip("| ").split(" | ") for line in answer.split("\n")[2:]]
        )  # fmt: skip
        assert len(grid) >= 2
        for row in grid[-2:]:
            assert " ".join(row[-2:]) in printed


def test_only_statements_have_the_task_table() -> None:
    with pytest.raises(ValueError, match="only statement the task table; kinds names none of them"):
        Ocr(tasks={"table": 1}, kinds={"letter": 1})
