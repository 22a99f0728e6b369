"""The refit: a new version of a finished output under other thresholds, swapped in as a whole."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.duplicates.settings import FINGERPRINT_VERSION
from pipelines.public_names import own_recipe, public_recipe, save_own_recipe
from pipelines.recipe import Recipe, UsageError
from pipelines.recipe_file import build_recipe
from pipelines.rewriting import swap
from pipelines.rewriting.ledger_units import Block, all_blocks, read_groups, read_rows
from pipelines.rewriting.redecide import redecide
from pipelines.rewriting.rows import Rows, layout
from pipelines.storage import Storage
from pipelines.tables.data import write_data
from pipelines.tables.labels import count_labels
from pipelines.tables.manifest import DATA_TABLES, VERSION, Shard, paths, read_manifest
from pipelines.tables.mixture import mixture_section
from pipelines.tables.parquet import HashingFile, parquet_options
from pipelines.tables.schema import DUPLICATE, SAME_CONTENT, VERDICT_FIELDS, ledger_schema
from pipelines.tables.shown import Shown
from pipelines.tables.thumbnail import thumbnail
from pipelines.tables.verdicts import verdict_table
from pipelines.taxonomy_files import pinned
from taxonomy.loader import BUNDLED, load
from taxonomy.targets import leaf_shares

SHARE_DIGITS = 6  # of a share in a manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The changes that a refit makes.

    Args:
        moves: samples by (verdict and reason before, verdict and reason now), where these differ.
        kept_before, kept: kept samples.
        num_new: samples that come into `data/`.
        missing: by verdict and reason before, the new samples whose rows are not in the staging folder.
        unscored: by filter, samples that it skipped, and that a run would give to it now.
        no_picture: samples that the report would show, and of which there is no picture any more.
    """

    moves: Mapping[tuple[str, str], int]
    kept_before: int
    kept: int
    num_new: int
    missing: Mapping[str, int]
    unscored: Mapping[str, int]
    no_picture: int = 0


def plan(storage: Storage, new: Recipe) -> Change:
    """Find the changes that `refit` would make; nothing is written. Raises as `refit`."""
    return _Refit(storage, new).change()


def refit(storage: Storage, new: Recipe) -> Change:
    """Write the new version of an output.

    Raises:
        UsageError: the recipe differs in more than what scores decide, or rows are missing.
        FileNotFoundError: there is no finished output here.
        AccountingError, StorageError: the output is damaged, in use or cannot be written.
    """
    work = _Refit(storage, new)
    change = work.change()
    if (obstacle := obstacle_of(change)) is not None:
        raise UsageError(obstacle)
    with swap.staging(storage):
        manifest, no_picture = work.stage()
        save_own_recipe(storage, new.to_json())
        swap.decide(storage, manifest)
    return dataclasses.replace(change, no_picture=no_picture)


def obstacle_of(change: Change) -> str | None:
    """The sentence about why a change needs a run; None if it does not."""
    if change.unscored:
        told = ", ".join(f"{number:,} by {name}" for name, number in change.unscored.items())
        return (
            f"samples that a filter was told to skip would be scored now ({told}); run the recipe again, which does it"
        )
    return _missing_rows(change) if change.missing else None


def _missing_rows(change: Change) -> str:
    """Samples that would be kept, and of which there is nothing but their scores."""
    told = ", ".join(f"{number:,} {before}" for before, number in sorted(change.missing.items()))
    number = sum(change.missing.values())
    return (
        f"{number:,} of the {change.num_new:,} samples that would be kept now ({told}) are not in data/, and "
        "their parts are not in .staging/ (deleted, or made by other settings or versions); run the recipe again with "
        "these settings, which reads their inputs"
    )


def old_recipe(storage: Storage, manifest: Mapping[str, Any]) -> Recipe:
    """The recipe of an output. Raises UsageError if another version made it."""
    if manifest.get("vellum") != VERSION or manifest.get("fingerprint") != FINGERPRINT_VERSION:
        made_by = f"the output was made by Vellum {manifest.get('vellum')}, and this is {VERSION}"
        raise UsageError(f"{made_by}; run its recipe again to refit it")
    return build_recipe(own_recipe(storage, manifest), "the output's recipe")


def check_difference(old: Recipe, new: Recipe) -> None:
    """Raises UsageError if the new recipe asks for more than what scores decide."""
    was, now = old.to_json(), new.to_json()
    for section in ("name", "sources", "limits", "decontaminate", "instructions"):
        if was.get(section) != now.get(section):
            raise UsageError(_needs_a_run(section))
    if [f.name for f in old.filters] != [f.name for f in new.filters]:
        others = sorted({f.name for f in old.filters} ^ {f.name for f in new.filters})
        raise UsageError(f"{', '.join(others)}: {_needs_a_run('the list of filters')}")
    for before, after in zip(old.filters, new.filters, strict=True):
        if before != after and before.cache_key() != after.cache_key():
            raise UsageError(_needs_a_run(f"{after.name}: a setting that its scores depend on"))
    if (old.dedupe.against if old.dedupe else ()) != (new.dedupe.against if new.dedupe else ()):
        raise UsageError(_needs_a_run("dedupe.against"))
    if old.output.shard_mb != new.output.shard_mb:
        raise UsageError(_needs_a_run("output.shard_mb"))
    if (old.mixture is None) != (new.mixture is None):
        raise UsageError(_needs_a_run("mixture"))
    if old.mixture is not None and new.mixture is not None and old.mixture.tokenizer != new.mixture.tokenizer:
        raise UsageError(_needs_a_run("mixture.tokenizer"))
    if (old.taxonomy is None) != (new.taxonomy is None):
        raise UsageError(_needs_a_run("taxonomy"))
    if old.taxonomy is not None and new.taxonomy is not None:
        same = dataclasses.replace(new.taxonomy, samples=old.taxonomy.samples)
        if new.instructions is None:
            same = dataclasses.replace(same, shares=old.taxonomy.shares)
        if same != old.taxonomy:
            raise UsageError("taxonomy: a setting that labels depend on; change labels with `taxonomy relabel`")


def _needs_a_run(what: str) -> str:
    return f"{what} cannot be changed by a refit, which has the scores of the samples alone; run the recipe again"


class _Refit:
    def __init__(self, storage: Storage, new: Recipe):
        self._storage, self._new = storage, new
        self._manifest = read_manifest(storage)
        self._old = old_recipe(storage, self._manifest)
        check_difference(self._old, new)
        if new.mixture is not None and self._old.mixture is not None:  # its tokens are those in the ledger
            new = dataclasses.replace(new, mixture=dataclasses.replace(new.mixture, digest=self._old.mixture.digest))
            self._new = new
        self._targets = _targets(self._old, new)
        self._blocks = all_blocks(storage, self._manifest)
        self._units = redecide(storage, self._manifest, self._blocks, self._old, new, self._targets)
        self._rows = Rows(storage, self._units, self._old, new)
        self._layout = layout(new, self._units, before=False)
        files = [entry for entry in self._manifest["files"] if entry["table"] in DATA_TABLES]
        self._rows.check({entry["path"]: entry["rows"] for entry in files})
        self._no_picture = 0

    def change(self) -> Change:
        """The differences from the output as it is."""
        moves: Counter[tuple[str, str]] = Counter()
        for unit in self._units:
            for before, verdict in zip(unit.before, unit.verdicts, strict=True):
                now = " ".join([verdict.name, *verdict.reasons[:1]])
                if before != now:
                    moves[before, now] += 1
        missing = Counter(self._units[index].before[row] for index, row in self._rows.missing())
        return Change(
            moves=moves,
            kept_before=sum(int(unit.was_kept.sum()) for unit in self._units),
            kept=sum(int(unit.kept.sum()) for unit in self._units),
            num_new=sum(int((unit.kept & ~unit.was_kept).sum()) for unit in self._units),
            missing=missing,
            unscored=sum((Counter(unit.unscored) for unit in self._units), Counter[str]()),
        )

    def stage(self) -> tuple[dict[str, Any], int]:
        """Write all changed files to their staged places. Gives the new manifest, and how many pictures are missing."""
        labels: Counter[str] = Counter()
        files = [entry for entry in self._manifest["files"] if entry["table"] not in (*DATA_TABLES, "ledger")]
        try:
            files += [_entry(shard) for shard in self._stage_data()]
            files += self._unchanged()
            for path in paths(self._manifest, "ledger"):
                files.append(_entry(self._stage_ledger(path, labels)))
        finally:
            self._rows.close()
        return self._new_manifest(sorted(files, key=lambda entry: entry["path"]), labels), self._no_picture

    def _changed(self) -> dict[str, tuple[str, list[tuple[int, Any]]]]:
        """The shards that have other rows than before."""
        rewrite = self._old.output.row_group_mb != self._new.output.row_group_mb
        return {
            path: shard
            for path, shard in self._layout.items()
            if rewrite or not _same(shard, self._rows.old_layout.get(path))
        }

    def _unchanged(self) -> list[dict[str, Any]]:
        unchanged = self._layout.keys() - self._changed().keys()
        return [entry for entry in self._manifest["files"] if entry["path"] in unchanged]

    def _stage_data(self) -> Iterator[Shard]:
        for path, (split, entries) in self._changed().items():
            with self._storage.create(swap.staged(path)) as raw:
                file = HashingFile(raw)
                tables = (
                    (self._rows.take(index, rows, split), self._units[index].num_bytes[rows].tolist())
                    for index, rows in entries
                )
                num_rows, _ = write_data(file, tables, self._new, split)
            yield Shard(path, split, num_rows, file.num_bytes, file.sha256())

    def _stage_ledger(self, path: str, labels: Counter[str]) -> Shard:
        """Write a ledger file with the new verdicts; `labels` counts the kept samples by use case."""
        names = self._new.score_names()
        plain = ledger_schema(names, counts_tokens=self._new.mixture is not None)
        places = {block.start: index for index, block in enumerate(self._blocks) if block.path == path}
        blocks = [self._blocks[index] for index in places.values()]
        shown = self._shown(blocks, places)
        num_rows = 0
        with self._storage.open(path) as reader:
            metadata = pq.ParquetFile(reader).schema_arrow.metadata
        with self._storage.create(swap.staged(path)) as raw:
            file = HashingFile(raw)
            with pq.ParquetWriter(file, plain.with_metadata(metadata), **parquet_options(plain, "ledger")) as writer:
                for table, inside in read_groups(self._storage, path, blocks):
                    columns = {name: table[name] for name in plain.names}
                    columns |= self._decided(table, inside, places, shown)
                    group = pa.table([columns[name] for name in plain.names], schema=plain).combine_chunks()
                    labels.update(count_labels(group["label"].filter(pa.compute.equal(group["verdict"], "kept"))))
                    writer.write_table(group, row_group_size=max(1, len(group)))
                    num_rows += len(group)
        return Shard(path, "ledger", num_rows, file.num_bytes, file.sha256())

    def _shown(self, blocks: Sequence[Block], places: Mapping[int, int]) -> set[str]:
        names = self._new.score_names()
        shown = Shown(self._new)
        for block, rows in read_rows(self._storage, blocks, ["id", *(["scores"] if names else [])]):
            verdicts = verdict_table(rows["id"], self._units[places[block.start]].verdicts)
            scores = [pa.compute.struct_field(rows["scores"], name) for name in names]
            shown.add(verdicts, scores, names)
        return shown.ids()

    def _decided(
        self, table: pa.Table, blocks: Sequence[Block], places: Mapping[int, int], shown: set[str]
    ) -> dict[str, Any]:
        """The columns of a row group that verdicts decide; rows of copies stay."""
        names = [name for name, _ in VERDICT_FIELDS]
        verdicts, splits, thumbnails = [], [], []
        first = blocks[0].start
        for block in blocks:
            index = places[block.start]
            unit = self._units[index]
            rows = table.slice(block.start - first, block.unit.num_rows)
            verdicts.append(verdict_table(rows["id"], unit.verdicts).select(names))
            verdicts.append(table.slice(block.start - first + block.unit.num_rows, block.num_copies).select(names))
            nothing = [None] * block.num_copies
            pairs = zip(unit.splits, unit.verdicts, strict=True)
            splits += [*(split if verdict.is_kept else None for split, verdict in pairs), *nothing]
            thumbnails += [*self._thumbnails(index, rows, shown), *nothing]
        whole = pa.concat_tables(verdicts)
        return {
            **{name: whole[name] for name in names},
            "split": pa.array(splits, pa.string()),
            "thumbnail": pa.array(thumbnails, pa.binary()),
        }

    def _thumbnails(self, index: int, rows: pa.Table, shown: set[str]) -> list[bytes | None]:
        ids = rows["id"].to_pylist()
        wanted = [row for row, sample_id in enumerate(ids) if sample_id in shown]
        found: list[bytes | None] = [None] * len(ids)
        for row in wanted:
            found[row] = rows["thumbnail"][row].as_py()
            if found[row] is None and rows["num_images"][row].as_py():
                image = self._rows.image(index, row)
                found[row] = None if image is None else thumbnail(image)
                self._no_picture += image is None
        return found

    def _new_manifest(self, files: list[dict[str, Any]], labels: Mapping[str, int]) -> dict[str, Any]:
        counts: dict[str, Counter[str]] = {"kept": Counter(), "rejected": Counter(), DUPLICATE: Counter()}
        for unit in self._units:
            for verdict in unit.verdicts:
                counts[verdict.name][(*verdict.reasons, "")[0]] += 1
        counts[DUPLICATE][SAME_CONTENT] += sum(block.num_copies for block in self._blocks)
        changed = {
            **self._manifest,
            "recipe": public_recipe(self._new.to_json()),
            "samples": {
                **self._manifest["samples"],
                "kept": counts["kept"].total(),
                "rejected": dict(sorted(counts["rejected"].items())),
                "duplicates": {reason: n for reason, n in sorted(counts[DUPLICATE].items()) if n},
            },
            "splits": {
                split: {
                    "samples": sum(entry["rows"] for entry in files if entry["table"] == split),
                    "bytes": sum(entry["bytes"] for entry in files if entry["table"] == split),
                }
                for split in DATA_TABLES
                if any(entry["table"] == split for entry in files)
            },
            "files": files,
        }
        if self._new.mixture is not None:
            changed["mixture"] = mixture_section(self._new, sum((Counter(u.mixed) for u in self._units), Counter()))
        if "labels" in self._manifest:
            assert self._new.taxonomy is not None
            changed["labels"] = {
                "counts": dict(sorted(labels.items())),
                "targets": self._manifest["labels"]["targets"] if self._targets is None else _rounded(self._targets),
                "wanted": self._new.taxonomy.samples,
            }
        return changed


def _targets(old: Recipe, new: Recipe) -> dict[str, float] | None:
    """The target share of every use case, where the refit needs it. Raises UsageError if the taxonomy has changed."""
    if new.taxonomy is None or (new.taxonomy.samples is None and old.taxonomy == new.taxonomy):
        return None
    assert old.taxonomy is not None
    present = pinned(new).taxonomy
    assert present is not None
    if pinned(old).taxonomy != old.taxonomy:
        raise UsageError("the taxonomy is not the one that the output was labelled with; run `taxonomy relabel` first")
    return leaf_shares(load(Path(present.path) if present.path else BUNDLED), present.shares)


def _rounded(targets: Mapping[str, float]) -> dict[str, float]:
    return {use_case: round(share, SHARE_DIGITS) for use_case, share in targets.items()}


def _same(shard: tuple[str, list[tuple[int, Any]]], other: tuple[str, list[tuple[int, Any]]] | None) -> bool:
    if other is None or shard[0] != other[0] or len(shard[1]) != len(other[1]):
        return False
    pairs = zip(shard[1], other[1], strict=True)
    return all(index == before and rows.tolist() == old.tolist() for (index, rows), (before, old) in pairs)


def _entry(shard: Shard) -> dict[str, Any]:
    return {"path": shard.path, "table": shard.table, "rows": shard.rows, "bytes": shard.bytes, "sha256": shard.sha256}
