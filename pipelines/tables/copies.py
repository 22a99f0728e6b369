"""Names of inputs with the same bytes: where there are many, they are in a file and not in every unit of the input."""

import json
from collections.abc import Iterable, Iterator

from pipelines.storage import STAGING, Storage
from pipelines.units import Slice, Unit

MAX_NAMED = 16  # copies that a unit names itself, as nearly all do


def listed(units: Iterable[Unit], storage: Storage, run: str) -> Iterator[Unit]:
    """Units whose slices name few copies; the names of others are written to files first."""
    written: set[str] = set()
    for unit in units:
        slices = []
        for each in unit.slices:
            if len(each.copies) > MAX_NAMED:
                if each.digest not in written:
                    storage.write_bytes(_path(run, each.digest), json.dumps(each.copies).encode())
                    written.add(each.digest)
                each = each._replace(copies=(), num_listed=len(each.copies))
            slices.append(each)
        yield unit._replace(slices=tuple(slices))


def copies_of(each: Slice, storage: Storage, run: str) -> list[str]:
    """The names of the other inputs with the same bytes, sorted."""
    if not each.num_listed:
        return list(each.copies)
    names: list[str] = json.loads(storage.read_bytes(_path(run, each.digest)))
    return names


def _path(run: str, digest: str) -> str:
    return f"{STAGING}/inputs/{run}/copies/{digest}.json"
