"""Questions about a printed table: a cell, the largest value of a column, the number of rows, the table as CSV."""

import csv
import io
import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import Table
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

LEAF = "analysis/data_chart/table"
_NUMBER = re.compile(r"[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")

_TOTAL = re.compile(  # a row that sums up the others is the largest, and no answer
    r"\b(?:(?:sub)?totals?|sum|all|overall|average|mean|gesamt|summe|total[es]*|ensemble)\b|合计|总计|小计|平均",
    re.IGNORECASE,
)
_TAKEN_APART = re.compile(r"\b[A-Z]{1,2}(?: [A-Z]{1,2}){2,}\b")  # "M AT H", as small capitals are set


class TableQuestions(Writer):
    """Asks about the only table of a picture that prints it."""

    name = "table_questions"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "cell": QuestionKind(LEAF, ("row", "column")),
        "largest": QuestionKind(LEAF, ("column",)),
        "num_rows": QuestionKind(LEAF),
        "as_csv": QuestionKind(LEAF),
    }
    needs = ("table",)
    written_share = 0.01

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        if len(page.tables) != 1:  # "the table" would not say which
            return None
        table = page.tables[0]
        if not is_regular(table):
            return None
        for kind in rng.sample(sorted(self.question_templates), len(self.question_templates)):
            found = _ask(kind, table, rng)
            if found is not None:
                answer, values, row = found
                subject = Subject("row", (), row) if row else None
                return about_page(page, kind, answer, values, subject)
        return None


def _ask(kind: str, table: Table, rng: random.Random) -> tuple[str, dict[str, str], str] | None:
    """Return an answer, the values of its question and the first cell of the row that it names, if any."""
    if kind == "num_rows":
        return str(len(table.rows)), {}, ""
    if kind == "as_csv":
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([table.header, *table.rows])
        return buffer.getvalue().rstrip("\n"), {}, ""
    if not has_names(table):
        return None
    if kind == "cell":
        row, column = rng.choice(table.rows), rng.randrange(1, len(table.header))
        is_clear = row[0] and row[column] and table.header[column]
        return (row[column], {"row": row[0], "column": table.header[column]}, row[0]) if is_clear else None
    columns = numeric_columns(table)
    if not columns or len(table.rows) < 2 or any(_TOTAL.search(row[0]) for row in table.rows):
        return None
    column = rng.choice(columns)
    ranked = sorted(table.rows, key=lambda row: -number(row[column]))
    if number(ranked[0][column]) == number(ranked[1][column]):
        return None
    return f"{ranked[0][0]} ({ranked[0][column]})", {"column": table.header[column]}, ranked[0][0]


def is_regular(table: Table) -> bool:
    """Return True for a table of entries: its columns have names, its rows a name and as many values.

    Forms, lists, and rows that head other rows are read as tables too; how many entries they have is a matter of view.
    """
    names = table.header[1:] if not table.header[0] else table.header
    has_heads = all(any(map(str.isalnum, name)) and not name.rstrip().endswith((":", "：")) for name in names)
    is_full = all(row[0] and 2 * sum(map(bool, row)) > len(row) for row in table.rows)
    is_whole = not any(_TAKEN_APART.search(cell) for row in (table.header, *table.rows) for cell in row)
    return len(table.header) > 1 and has_heads and is_full and is_whole


def has_names(table: Table) -> bool:
    """Return True if every row and column has a distinct name."""
    names = [row[0] for row in table.rows]
    return (
        all(names)
        and all(table.header)
        and len(set(names)) == len(names)
        and len(set(table.header)) == len(table.header)
    )


def numeric_columns(table: Table) -> list[int]:
    """Return the columns, except for the first, all of whose cells are numbers."""
    return [j for j in range(1, len(table.header)) if all(_NUMBER.fullmatch(row[j]) for row in table.rows)]


def number(cell: str) -> float:
    """Return the value of a cell that is a number."""
    return float(cell.replace(",", "").replace("−", "-"))
