"""Accounting: counters of a run to the manifest, and the proof that nothing was lost."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam

from pipelines.recipe import Recipe
from pipelines.shards import DATA_TABLES, Shard

PACKAGES = (
    "apache-beam",
    "fasttext-numpy2-wheel",
    "imagehash",
    "numpy",
    "pillow",
    "pyarrow",
    "pymupdf",
    "zlib-ng",
)
VERSION = importlib.metadata.version("vellum-vl")


class AccountingError(RuntimeError):
    """The totals of a run do not reconcile: something was lost or counted twice."""


class SumCounts(beam.CombineFn):
    """Sums mappings of counters."""

    def create_accumulator(self) -> Counter[str]:
        return Counter()

    def add_input(self, accumulator: Counter[str], counts: Mapping[str, int]) -> Counter[str]:
        accumulator.update(counts)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counter[str]]) -> Counter[str]:
        merged: Counter[str] = Counter()
        for accumulator in accumulators:
            merged.update(accumulator)
        return merged

    def extract_output(self, accumulator: Counter[str]) -> dict[str, int]:
        return dict(accumulator)


def build_manifest(recipe: Recipe, counts: Mapping[str, int], shards: Sequence[Shard]) -> dict[str, Any]:
    """The manifest of a finished run: recipe, versions, counts and files, and nothing that two equal runs differ in.

    Raises AccountingError.
    """

    def group(prefix: str) -> dict[str, int]:
        return {key.removeprefix(prefix): n for key, n in sorted(counts.items()) if key.startswith(prefix) and n}

    nouns = sorted({source.item_noun for source in recipe.sources})
    manifest = {
        "vellum": VERSION,
        "recipe": recipe.to_json(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "inputs": {
            "matched": counts.get("inputs.matched", 0),
            "read": counts.get("inputs.read", 0),
            "failed": counts.get("inputs.failed", 0),
        },
        "items": {
            "noun": nouns[0] if len(nouns) == 1 else "item",
            "found": counts.get("items.found", 0),
            "failed": counts.get("items.failed", 0),
        },
        "samples": {
            "total": counts.get("samples.total", 0),
            "kept": counts.get("samples.kept", 0),
            "rejected": group("rejected."),
            "duplicates": group("duplicates."),
        },
        "failures": group("failures."),
        "splits": {
            table: {
                "samples": sum(shard.rows for shard in shards if shard.table == table),
                "bytes": sum(shard.bytes for shard in shards if shard.table == table),
            }
            for table in DATA_TABLES
            if any(shard.table == table for shard in shards)
        },
        "scores": recipe.score_names(),
        "files": [
            {"path": s.path, "table": s.table, "rows": s.rows, "bytes": s.bytes, "sha256": s.sha256}
            for s in sorted(shards)
        ],
    }
    reconcile(manifest)
    return manifest


def reconcile(manifest: Mapping[str, Any]) -> None:
    """Check that inputs, items, samples and the rows of all files add up. Raises AccountingError saying where not."""
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]

    def rows(*tables: str) -> int:
        return sum(file["rows"] for file in manifest["files"] if file["table"] in tables)

    rejected, duplicates = sum(samples["rejected"].values()), sum(samples["duplicates"].values())
    for what, left, right in (
        ("inputs matched = read + failed", inputs["matched"], inputs["read"] + inputs["failed"]),
        ("items found = samples + failed", items["found"], samples["total"] + items["failed"]),
        ("samples = kept + rejected + duplicates", samples["total"], samples["kept"] + rejected + duplicates),
        ("rows of data = samples kept", rows(*DATA_TABLES), samples["kept"]),
        ("rows of the ledger = samples", rows("ledger"), samples["total"]),
        ("rows of errors = inputs failed + items failed", rows("errors"), inputs["failed"] + items["failed"]),
        (
            "failures by cause = failures",
            sum(manifest["failures"].values()),
            inputs["failed"] + items["failed"],
        ),
    ):
        if left != right:
            raise AccountingError(f"the accounts do not reconcile: {what}, but {left} is not {right}")
