"""Decisions of the comparison on their way to the units: a file for each range that has some."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.job import Job
from pipelines.storage import STAGING
from pipelines.tables.siblings import decided as with_decisions
from pipelines.tables.verdicts import JudgedUnit, Rejection, Verdict
from pipelines.units import LedgerUnit, Unit

ByRange = tuple[int, Iterable[Any]]  # number of a range, with its JudgedUnits and Entries


def unit_number(unit: Unit | LedgerUnit) -> int:
    """A 63-bit number for a unit, from its content: two of one number would be an accident in 10^12 runs."""
    name = f"{unit.source}/{unit.name}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def write_decisions(job: Job, number: int, decisions: Mapping[int, Sequence[Rejection]]) -> None:
    """Write the Rejections of a range, by unit number."""
    job.storage().write_bytes(_path(job, number), json.dumps(decisions).encode())


def verdicts_of(job: Job, element: ByRange, decided: Collection[int]) -> Iterator[tuple[JudgedUnit, list[Verdict]]]:
    """The units of a range, with the verdicts of filters and comparison.

    Args:
        decided: the ranges that have Rejections.
    """
    number, values = element
    rejections = _read_decisions(job, number) if number in decided else {}
    for value in values:
        if isinstance(value, JudgedUnit):
            yield value, with_decisions(value, [value.leaks, rejections.get(unit_number(value.unit), ())])


def _read_decisions(job: Job, number: int) -> dict[int, list[Rejection]]:
    content = json.loads(job.storage().read_bytes(_path(job, number)))
    return {int(unit): [Rejection(*row) for row in rows] for unit, rows in content.items()}


def _path(job: Job, number: int) -> str:
    return f"{STAGING}/duplicates/{job.run}/decisions/{number:05d}.json"
