"""Questions about a table: a cell, the largest value of a column, the number of rows, the table as CSV."""

import csv
import io
import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth, Table
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "analysis/data_chart/table"
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?")


class TableQuestions(Writer):
    """Asks about the first table of the sample."""

    name = "table_questions"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "cell": QuestionKind(LEAF, ("row", "column")),
        "largest": QuestionKind(LEAF, ("column",)),
        "num_rows": QuestionKind(LEAF),
        "as_csv": QuestionKind(LEAF),
    }
    needs = ("table",)
    written_share = 0.01

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        if not page.tables:
            return None
        table = page.tables[0]
        for kind in rng.sample(sorted(self.question_templates), len(self.question_templates)):
            found = _ask(kind, table, rng)
            if found is not None:
                return about_page(page, kind, *found)
        return None


def _ask(kind: str, table: Table, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    names = [row[0] for row in table.rows]
    if kind == "num_rows":
        return str(len(table.rows)), {}
    if kind == "as_csv":
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([table.header, *table.rows])
        return buffer.getvalue().rstrip("\n"), {}
    if len(set(names)) < len(names) or len(set(table.header)) < len(table.header):
        return None  # a name would not identify a row or column
    if kind == "cell":
        row, column = rng.choice(table.rows), rng.randrange(1, len(table.header))
        is_clear = row[0] and row[column] and table.header[column]
        return (row[column], {"row": row[0], "column": table.header[column]}) if is_clear else None
    columns = [j for j in range(1, len(table.header)) if all(_NUMBER.fullmatch(row[j]) for row in table.rows)]
    if not columns or len(table.rows) < 2:
        return None
    column = rng.choice(columns)
    ranked = sorted(table.rows, key=lambda row: -number(row[column]))
    if number(ranked[0][column]) == number(ranked[1][column]):
        return None
    return f"{ranked[0][0]} ({ranked[0][column]})", {"column": table.header[column]}


def number(cell: str) -> float:
    """Return the value of a cell that is a number."""
    return float(cell.replace(",", ""))
