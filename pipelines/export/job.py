"""An export from its first shard to its record: each shard of `data/` becomes its own files.

A shard's files appear whole; then its record appears in `.exporting/`. A killed export, started again, goes on after
the last record. At the end the records become `export.json`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.export.formats import Format
from pipelines.export.formats.format import ExportFile
from pipelines.export.selection import Selection
from pipelines.export.shard_rows import read_samples, schema_of
from pipelines.recipe import UsageError
from pipelines.storage import Storage
from pipelines.tables.manifest import DATA_TABLES, MANIFEST, VERSION, paths, read_manifest

LAYOUT_VERSION = 1  # raise it when a format writes other files for the same samples
RECORD = "export.json"
UNFINISHED = ".exporting"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """The result of an export.

    Args:
        left_out: samples that the format cannot hold, by reason.
        num_chosen: samples that the condition chose.
        num_shards, num_made: shards of the output, and those that this call exported.
    """

    name: str
    files: Sequence[ExportFile]
    left_out: Counter[str]
    num_chosen: int
    num_shards: int
    num_made: int

    @property
    def num_samples(self) -> int:
        return sum(file.rows for file in self.files)


def export(
    output: Storage,
    target: Storage,
    layout: Format,
    *,
    where: str | None = None,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Exported:
    """Write the samples of a finished output in another layout, those for which `where` is true.

    Args:
        report: called with the number of shards that are done and of all shards.
    Raises:
        UsageError: the condition is wrong, or `target` holds something else.
        AccountingError: the output is damaged.
        FileNotFoundError: it is not finished.
    """
    manifest = read_manifest(output)
    shards = [(split, path) for split in DATA_TABLES for path in paths(manifest, split)]
    if not shards:
        raise UsageError(f"{output.root} holds no sample; nothing can be exported")
    if f"{target.root}/".startswith(f"{output.root}/"):
        raise UsageError(f"{target.root} is inside of the output; choose a folder beside it")
    selection = None if where is None else Selection(where, schema_of(output, shards[0][1]), output, manifest)
    record = _record(output, layout, where)
    key = hashlib.sha256(json.dumps(record).encode()).hexdigest()
    is_done = _begin(target, key)
    files: list[ExportFile] = []
    left_out: Counter[str] = Counter()
    num_made = 0
    for done, (split, path) in enumerate(shards):
        report(done, len(shards))
        number = path.rpartition("/")[2].removeprefix(f"{split}-").partition("-")[0].removesuffix(".parquet")
        of_shard = f"{UNFINISHED}/{split}-{number}.json"
        if is_done:
            break
        found = _read(target, of_shard)
        if found is None:
            reasons: Counter[str] = Counter()
            made = layout.write(target, split, number, read_samples(output, path, selection), reasons)
            found = {"files": made, "left_out": reasons}
            target.write_bytes(of_shard, json.dumps(found).encode())
            num_made += 1
        files += [ExportFile(*entry) for entry in found["files"]]
        left_out.update(found["left_out"])
    name = str(manifest["recipe"]["name"])
    if not is_done:
        _finish(target, layout, name, files, {**record, "key": key, "left_out": dict(sorted(left_out.items()))})
    whole = _read(target, RECORD)
    assert whole is not None
    files = [ExportFile(**entry) for entry in whole["files"]]
    left_out = Counter(whole["left_out"])
    return Exported(
        name=name,
        files=files,
        left_out=left_out,
        num_chosen=sum(file.rows for file in files) + left_out.total(),
        num_shards=len(shards),
        num_made=num_made,
    )


def _record(output: Storage, layout: Format, where: str | None) -> dict[str, Any]:
    """The settings and the manifest that decide the bytes of an export."""
    return {
        "vellum": VERSION,
        "layout": LAYOUT_VERSION,
        "format": layout.name,
        "prompt": layout.prompt,
        "where": where,
        "manifest": hashlib.sha256(output.read_bytes(MANIFEST)).hexdigest(),
    }


def _begin(target: Storage, key: str) -> bool:
    """Return True if the export is complete already. Raises UsageError if `target` holds something else."""
    whole = _read(target, RECORD)
    if whole is not None:
        if whole.get("key") == key:
            return True
        raise UsageError(f"{target.root} holds another export (of other samples or settings); choose another folder")
    begun = _read(target, f"{UNFINISHED}/key.json")
    if begun is None:
        if next(target.sizes(""), None) is not None:
            raise UsageError(f"{target.root} holds files that are no export; choose an empty or new folder")
        target.write_bytes(f"{UNFINISHED}/key.json", json.dumps({"key": key}).encode())
    elif begun.get("key") != key:
        raise UsageError(f"{target.root} holds the beginning of another export; choose another folder")
    return False


def _finish(target: Storage, layout: Format, name: str, files: Sequence[ExportFile], record: dict[str, Any]) -> None:
    for path, data in layout.extra_files(name, files).items():
        target.write_bytes(path, data)
    content = {**record, "files": [file._asdict() for file in sorted(files)]}
    target.write_bytes(RECORD, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    for path in target.list(f"{UNFINISHED}/"):
        target.delete(path)


def _read(target: Storage, path: str) -> dict[str, Any] | None:
    """The content of a record; None if there is none."""
    try:
        content = json.loads(target.read_bytes(path))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UsageError(f"{target.path(path)} is damaged: {error}; delete it, and export again") from error
    return content if isinstance(content, dict) else {}
