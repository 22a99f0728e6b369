"""The manifest: what became of every input, page and sample, and the proof that nothing was lost."""

import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, Protocol

from pipelines.duplicates.settings import FINGERPRINT_VERSION
from pipelines.public_names import public_recipe
from pipelines.recipe import Recipe
from pipelines.tables.mixture import mixture_section

PACKAGES = (
    "apache-beam",
    "fasttext-numpy2-wheel",
    "imagehash",
    "numpy",
    "pillow",
    "pyarrow",
    "pymupdf",
    "rensa",
    "wordfreq",
    "zlib-ng",
)
MANIFEST = "manifest.json"
DATA_TABLES = ("train", "validation")
VERSION = importlib.metadata.version("vellum-vl")


class AccountingError(ValueError):
    """The totals of a dataset do not reconcile (something was lost or counted twice), or its manifest is damaged."""


class Files(Protocol):
    """The files of one output folder, local or in a bucket (`pipelines.storage.Storage`)."""

    def read_bytes(self, relative: str) -> bytes: ...
    def exists(self, relative: str) -> bool: ...
    def open(self, relative: str) -> BinaryIO: ...
    def write_bytes(self, relative: str, data: bytes) -> None: ...


class Shard(NamedTuple):
    """A written file: `path` is its final place, relative to the output; `labels` are its samples by use case."""

    path: str
    table: str
    rows: int
    bytes: int
    sha256: str
    labels: tuple[tuple[str, int], ...] = ()


def build_manifest(
    recipe: Recipe,
    counts: Mapping[str, int],
    shards: Sequence[Shard],
    references: Sequence[Mapping[str, Any]] = (),
    targets: Mapping[str, float] | None = None,
    material: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The manifest of a finished run: recipe, versions, counts and files, and nothing that two equal runs differ in.

    Args:
        references: files of other collections that samples were compared with.
        targets: share of every leaf of the taxonomy; None if samples are not labelled.
        material: what the virtual inputs of synthetic sources were made from.

    Raises AccountingError.
    """

    def group(prefix: str) -> dict[str, int]:
        return {key.removeprefix(prefix): n for key, n in sorted(counts.items()) if key.startswith(prefix) and n}

    manifest = {
        "vellum": VERSION,
        "recipe": public_recipe(recipe.to_json()),
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
            "noun": recipe.item_noun(),
            "found": counts.get("items.found", 0),
            "failed": counts.get("items.failed", 0),
            **({"further_samples": further} if (further := counts.get("samples.further", 0)) else {}),
        },
        "samples": {
            "total": counts.get("samples.total", 0),
            "kept": counts.get("samples.kept", 0),
            "rejected": group("rejected."),
            "duplicates": group("duplicates."),
        },
        "failures": group("failures."),
        **({"replaced": replaced} if (replaced := group("replaced.")) else {}),
        **({"material": [dict(entry) for entry in material]} if material else {}),
        "splits": {
            table: {
                "samples": sum(shard.rows for shard in shards if shard.table == table),
                "bytes": sum(shard.bytes for shard in shards if shard.table == table),
            }
            for table in DATA_TABLES
            if any(shard.table == table for shard in shards)
        },
        "scores": recipe.score_names(),
        "fingerprint": FINGERPRINT_VERSION,
        "references": [dict(reference) for reference in references],
        **({"mixture": mixture_section(recipe, counts)} if recipe.mixture else {}),
        **_labels(recipe, shards, targets),
        "files": [
            {"path": s.path, "table": s.table, "rows": s.rows, "bytes": s.bytes, "sha256": s.sha256}
            for s in sorted(shards)
        ],
    }
    reconcile(manifest)
    return manifest


def _labels(recipe: Recipe, shards: Sequence[Shard], targets: Mapping[str, float] | None) -> dict[str, Any]:
    if recipe.taxonomy is None or targets is None:
        return {}
    return {"labels": labels_section(shards, targets, recipe.taxonomy.samples)}


def labels_section(shards: Sequence[Shard], targets: Mapping[str, float], wanted: int | None) -> dict[str, Any]:
    """The use cases in a manifest: kept samples and target share of each, and how many samples were wanted."""
    counts: Counter[str] = Counter()
    for shard in shards:
        counts.update(dict(shard.labels))
    return {
        "counts": dict(sorted(counts.items())),
        "targets": {use_case: round(share, 6) for use_case, share in targets.items()},
        "wanted": wanted,
    }


def reconcile(manifest: Mapping[str, Any]) -> None:
    """Check that inputs, items, samples and the rows of all files add up. Raises AccountingError saying where not."""
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]
    noun, failed = items["noun"], inputs["failed"] + items["failed"]
    set_aside = sum(samples["rejected"].values()) + sum(samples["duplicates"].values())

    def rows(*tables: str) -> int:
        return sum(file["rows"] for file in manifest["files"] if file["table"] in tables)

    check("inputs matched", inputs["matched"], "read + failed", inputs["read"] + inputs["failed"])
    check(
        f"{noun}s found, and further samples of them",
        num_possible(manifest),
        "samples + failed",
        samples["total"] + items["failed"],
    )
    check("samples", samples["total"], "kept + rejected + duplicates", samples["kept"] + set_aside)
    check(
        "samples kept", samples["kept"], "samples of all splits", sum(s["samples"] for s in manifest["splits"].values())
    )
    for split, counts in manifest["splits"].items():
        check(f"samples of the split {split}", counts["samples"], "rows of its files", rows(split))
    check("samples", samples["total"], "rows of the ledger", rows("ledger"))
    if "labels" in manifest:
        check("samples kept", samples["kept"], "samples of all use cases", sum(manifest["labels"]["counts"].values()))
    if "mixture" in manifest:
        components = manifest["mixture"]["components"].values()
        check("samples kept", samples["kept"], "samples of all components", sum(c["samples"] for c in components))
        check(
            "tokens kept",
            manifest["mixture"]["tokens"],
            "tokens of all components",
            sum(c["tokens"] for c in components),
        )
    check(f"inputs and {noun}s failed", failed, "rows of errors", rows("errors"))
    check(f"inputs and {noun}s failed", failed, "failures of all causes", sum(manifest["failures"].values()))


def num_possible(manifest: Mapping[str, Any]) -> int:
    """Return the number of samples if none had failed: items found, and further samples of items that give several."""
    items = manifest["items"]
    found: int = items["found"] + items.get("further_samples", 0)
    return found


def check(name: str, number: int, other_name: str, other: int) -> None:
    """Raises AccountingError unless two counts agree."""
    if number != other:
        raise AccountingError(f"the account does not reconcile: {name} is {number:,}, but {other_name} is {other:,}")


def read_manifest(files: Files) -> dict[str, Any]:
    """The manifest of a finished output, its sums checked again. Raises AccountingError, FileNotFoundError."""
    try:
        manifest: dict[str, Any] = json.loads(files.read_bytes(MANIFEST))
    except ValueError as error:
        raise AccountingError(f"{MANIFEST} is not valid JSON: {error}") from error
    try:
        reconcile(manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise AccountingError(f"{MANIFEST} does not have the shape of a Vellum manifest: {error!r}") from error
    return manifest


def paths(manifest: Mapping[str, Any], table: str) -> list[str]:
    """Files of one table (`ledger`, `errors` or a split), in order."""
    return [entry["path"] for entry in manifest["files"] if entry["table"] == table]
