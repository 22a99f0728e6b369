"""Siblings: the samples that one item gives, which show the same picture and are kept or set aside together."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from pipelines.tables.verdicts import JudgedUnit, Rejection, Verdict, decide
from sources.base.sample import TASK_MARK, item_locator


def first_rows(inputs: Iterable[object], locators: Iterable[str]) -> tuple[int, ...]:
    """Return for each row the first row of the same item.

    Args:
        inputs: (N,) what tells the inputs of the rows from each other.
        locators: (N,) place of each sample in its input.
    """
    first: dict[tuple[object, str], int] = {}
    return tuple(
        first.setdefault((each, item_locator(locator)), row) if TASK_MARK in locator else row
        for row, (each, locator) in enumerate(zip(inputs, locators, strict=True))
    )


def item_ids(table: pa.Table, inputs: str) -> list[str]:
    """Return for each row the id of the first sample of its item, which is the same for all samples of an item.

    Args:
        table: rows of a unit, with the columns `id` and `locator`.
        inputs: name of the column that tells inputs from each other.
    """
    ids = table["id"].to_pylist()
    return [ids[row] for row in first_rows(table[inputs].to_pylist(), table["locator"].to_pylist())]


def one_per_item(rows: Sequence[int], first: Sequence[int]) -> list[int]:
    """Return those of the rows that are the first of their item among them; the search compares no others."""
    seen: dict[int, int] = {}
    for row in rows:
        seen.setdefault(first[row], row)
    return list(seen.values())


def decided(judged: JudgedUnit, decisions: Iterable[Iterable[Rejection]]) -> list[Verdict]:
    """Return the verdicts of a unit: those of the filters, and what was found when samples were compared."""
    verdicts = judged.verdicts()
    found = [rejection for some in decisions for rejection in some]
    return decide(verdicts, with_siblings(found, verdicts, judged.first))


def with_siblings(
    rejections: Sequence[Rejection], verdicts: Sequence[Verdict], first: Sequence[int]
) -> list[Rejection]:
    """Return the results of a comparison for all kept samples of the items that they were found for.

    Args:
        verdicts: (N,) the filters' verdicts.
        first: (N,) result of `first_rows`.
    """
    found = {rejection.item: rejection for rejection in rejections if rejection.reason}
    by_item = {first[item]: rejection for item, rejection in reversed(found.items())}
    rest = [
        by_item[first[row]]._replace(item=row, is_shown=False)
        for row, verdict in enumerate(verdicts)
        if verdict.is_kept and row not in found and first[row] in by_item
    ]
    return [*rejections, *rest]
