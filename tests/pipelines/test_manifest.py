"""The account: any folder reconciles, and no single count can be wrong without being noticed."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.job import Job
from pipelines.recipe import RECIPES
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.stages.execute import execute
from pipelines.tables.manifest import AccountingError, reconcile
from tests.corpus import write_pdf

pytestmark = pytest.mark.slow

KINDS = ("good", "copy", "blank", "empty", "noise", "encrypted")


def write_input(folder: Path, number: int, kind: str, num_pages: int) -> None:
    import pymupdf

    path = folder / f"{number:02d}-{kind}.pdf"
    if kind in ("good", "copy"):  # every copy has the bytes of every other
        write_pdf(path, num_pages, "The same" if kind == "copy" else f"Number {number}")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "noise":
        path.write_bytes(b"\x00\xff" * num_pages)
    else:
        document = pymupdf.open()
        for _ in range(num_pages):
            document.new_page()
        locked = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": "x"} if kind == "encrypted" else {}
        document.save(path, **locked)


def run(folder: Path, out: Path, name: str) -> dict[str, Any]:
    content = load_recipe(RECIPES / "pdfs.yaml")
    content["sources"][0] |= {"input": [str(folder)], "items_per_unit": 2}
    job = Job(recipe=json.dumps(build_recipe(content).to_json(secrets=True)), output=str(out), run=name)
    assert execute(job, None, 2, []) == {"ok": True}
    return json.loads((out / "manifest.json").read_text())


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 5)), min_size=1, max_size=8))
def test_any_folder_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, kinds: list[tuple[str, int]]) -> None:
    folder = tmp_path_factory.mktemp("folder")
    kinds = [(kind, 3 if kind == "copy" else num_pages) for kind, num_pages in kinds]
    (folder / "in").mkdir()
    for number, (kind, num_pages) in enumerate(kinds):
        write_input(folder / "in", number, kind, num_pages)
    account = run(folder / "in", folder / "out", "property")

    read = [(kind, pages) for kind, pages in kinds if kind in ("good", "copy", "blank")]
    assert account["inputs"] == {"matched": len(kinds), "read": len(read), "failed": len(kinds) - len(read)}
    num_copies = sum(kind == "copy" for kind, _ in kinds)
    # Blank files of as many pages may have the same bytes, which makes them copies too.
    assert account["items"]["found"] == sum(pages for _, pages in read)
    assert account["samples"]["kept"] == sum(p for k, p in kinds if k == "good") + (3 if num_copies else 0)
    ledger = pq.read_table(folder / "out" / "ledger").to_pylist() if (folder / "out" / "ledger").exists() else []
    assert len({(row["id"], row["uri"]) for row in ledger}) == len(ledger) == account["samples"]["total"]
    kept = [row["id"] for row in ledger if row["verdict"] == "kept"]
    assert len(set(kept)) == len(kept) == account["samples"]["kept"]
    shutil.rmtree(folder)


MANIFEST: dict[str, Any] = {
    "inputs": {"matched": 5, "read": 4, "failed": 1},
    "items": {"noun": "page", "found": 20, "failed": 2},
    "samples": {"total": 18, "kept": 12, "rejected": {"blank_page": 3}, "duplicates": {"same_content": 3}},
    "failures": {"encrypted": 1, "crashed": 2},
    "splits": {"train": {"samples": 12, "bytes": 100}},
    "files": [
        {"path": "data/train-00000-of-00001.parquet", "table": "train", "rows": 12, "bytes": 100, "sha256": ""},
        {"path": "ledger/ledger-00000-of-00001.parquet", "table": "ledger", "rows": 18, "bytes": 100, "sha256": ""},
        {"path": "errors/errors-00000-of-00001.parquet", "table": "errors", "rows": 3, "bytes": 100, "sha256": ""},
    ],
}


def counts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all counts in a manifest."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if isinstance(entry, int) and key != "bytes":
            yield (*path, key)
        yield from counts(entry, (*path, key))


@pytest.mark.parametrize("path", list(counts(MANIFEST)), ids=str)
@pytest.mark.parametrize("change", [-1, 1])
def test_no_count_can_be_wrong_unnoticed(path: tuple[Any, ...], change: int) -> None:
    manifest = copy.deepcopy(MANIFEST)
    reconcile(manifest)  # whole, it does
    place: Any = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += change
    with pytest.raises(AccountingError, match="does not reconcile"):
        reconcile(manifest)
