"""Shards: which unit goes to which file, and the writing of data, ledger and error shards."""

import bisect
import hashlib
import heapq
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from pipelines.concurrent import ConcurrentDoFn
from pipelines.job import STAGING, Job
from pipelines.labels import count_labels, label_struct
from pipelines.ledger import (
    DUPLICATE,
    ERRORS_SCHEMA,
    KEPT,
    SAME_CONTENT,
    Verdict,
    judge,
    ledger_schema,
    settle,
)
from pipelines.manifest import DATA_TABLES, Shard
from pipelines.parts import read_table
from pipelines.progress import progress_of
from pipelines.settling import Settled
from pipelines.staging import Entry, ErrorRow, Unit, UnitFiles, split_of
from sources.sample import dataset_schema

THUMBNAIL_PX = 384
THUMBNAIL_QUALITY = 70
LEDGER_ROWS_PER_GROUP = 50_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Which buckets make up which shard: per table, the first bucket of every shard, ascending."""

    starts: Mapping[str, tuple[int, ...]]

    def shard_of(self, table: str, bucket: int) -> str:
        """The shard's key, `table-number`."""
        return f"{table}-{bisect.bisect_right(self.starts[table], bucket) - 1:05d}"

    def path(self, key: str) -> str:
        """The shard's place in the output, in the hub's convention."""
        table, _, number = key.rpartition("-")
        folder = "data" if table in DATA_TABLES else table
        return f"{folder}/{table}-{number}-of-{len(self.starts[table]):05d}.parquet"


class MakePlan(beam.CombineFn):
    """Entries to the Plan: neighbouring buckets are joined until a shard has the bytes asked for."""

    def __init__(self, shard_mb: float):
        self._shard_bytes = int(shard_mb * 1_000_000)

    def create_accumulator(self) -> dict[tuple[str, int], int]:
        return {}

    def add_input(self, accumulator: dict[tuple[str, int], int], entry: Entry) -> dict[tuple[str, int], int]:
        key = (entry.table, entry.bucket)
        accumulator[key] = accumulator.get(key, 0) + entry.num_bytes
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[dict[tuple[str, int], int]]) -> dict[tuple[str, int], int]:
        merged: dict[tuple[str, int], int] = {}
        for accumulator in accumulators:
            for key, num_bytes in accumulator.items():
                merged[key] = merged.get(key, 0) + num_bytes
        return merged

    def extract_output(self, accumulator: dict[tuple[str, int], int]) -> Plan:
        starts: dict[str, tuple[int, ...]] = {}
        for table in sorted({table for table, _ in accumulator}):
            sizes = sorted((bucket, size) for (name, bucket), size in accumulator.items() if name == table)
            starts[table] = tuple(_starts(sizes, self._shard_bytes))
        return Plan(starts)


def _starts(sizes: list[tuple[int, int]], shard_bytes: int) -> list[int]:
    """First buckets of shards of about equal size, at most about `shard_bytes`: the last is no remnant."""
    total = sum(size for _, size in sizes)
    target = total / -(-total // shard_bytes)
    starts, filled = [0], 0
    for bucket, size in sizes:
        if filled >= target * len(starts):
            starts.append(bucket)
        filled += size
    return starts


class WriteShard(ConcurrentDoFn):
    """(shard key, payloads) to a Shard, written to the staging folder; `publish` moves it to its place."""

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()
        self._names = self._recipe.score_names()

    def work(self, element: tuple[str, Iterable[Any]], plan: Plan) -> Iterator[Shard]:
        key, payloads = element
        table = key.rpartition("-")[0]
        path = plan.path(key)
        labels: Counter[str] = Counter()
        with self._storage.create(staged(self._job, path)) as raw:
            file = HashingFile(raw)
            if table == "errors":
                rows = _write_errors(file, payloads)
            elif table == "ledger":
                rows = self._write_ledger(file, sorted(payloads, key=_place))
            else:
                rows = self._write_data(file, sorted(payloads, key=_place), table, labels)
        progress_of(self._job).add(shards_written=1)
        yield Shard(path, table, rows, file.num_bytes, file.sha256(), tuple(sorted(labels.items())))

    def _write_data(self, file: "HashingFile", units: list[Settled], split: str, labels: Counter[str]) -> int:
        schema = dataset_schema(self._names)
        metadata = {b"huggingface": json.dumps({"info": {"features": hub_features(self._names)}}).encode()}
        limit = int(self._recipe.output.row_group_mb * 1_000_000)
        rows = 0
        with pq.ParquetWriter(file, schema.with_metadata(metadata), **parquet_options(schema, split)) as writer:
            for group in row_groups(self._kept(units, schema, split), limit):
                writer.write_table(group, row_group_size=len(group))
                rows += len(group)
                labels.update(count_labels(group["label"]))
        return rows

    def _kept(self, units: list[Settled], schema: pa.Schema, split: str) -> Iterator[tuple[pa.Table, list[int]]]:
        """The kept rows of each unit as the dataset has them, with their sizes in bytes."""
        for unit, set_aside in units:
            files = UnitFiles.of(self._recipe, unit)
            scored = read_table(self._storage, files.scores)
            verdicts = settle(judge(scored, self._recipe.filters), set_aside)
            part = read_table(self._storage, files.rows)
            if not all(verdict.is_kept for verdict in verdicts):  # filtering copies the images
                mask = pa.array([verdict.is_kept for verdict in verdicts])
                part, scored = part.filter(mask), scored.filter(mask)
            yield self._rows(unit, part, scored, schema, split), scored["num_bytes"].to_pylist()

    def _rows(self, unit: Unit, part: pa.Table, scored: pa.Table, schema: pa.Schema, split: str) -> pa.Table:
        length = len(part)
        provenance = part["provenance"].combine_chunks()
        fields = {field.name: provenance.field(field.name) for field in provenance.type}
        has_own = pc.not_equal(fields["uri"], "")
        fields["uri"] = pc.if_else(has_own, fields["uri"], pa.scalar(unit.uri, pa.string()))
        of_source = pa.scalar(self._recipe.sources[unit.source].license, pa.string())
        fields["license"] = pc.coalesce(fields["license"], of_source)
        columns = {
            "language": scored["language"],
            "label": label_struct(scored),
            **({"scores": scores_struct(scored, self._names)} if self._names else {}),
            "provenance": pa.StructArray.from_arrays(list(fields.values()), names=list(fields)),
            "split": pa.repeat(pa.scalar(split, pa.string()), length),
        }
        return pa.table(
            [columns.get(name, part[name] if name in part.column_names else None) for name in schema.names],
            schema=schema,
        )

    def _write_ledger(self, file: "HashingFile", units: list[Settled]) -> int:
        schema = ledger_schema(self._names)
        shown = self._shown(units)
        pending: list[pa.Table] = []
        rows = 0
        with pq.ParquetWriter(file, schema, **parquet_options(schema, "ledger")) as writer:
            for settled in units:
                pending.append(self._ledger_rows(settled, schema, shown))
                if sum(map(len, pending)) >= LEDGER_ROWS_PER_GROUP:
                    rows += _flush(writer, pending)
            rows += _flush(writer, pending)
        return rows

    def _ledger_rows(self, settled: Settled, schema: pa.Schema, shown: set[str]) -> pa.Table:
        unit, set_aside = settled
        files = UnitFiles.of(self._recipe, unit)
        scored = read_table(self._storage, files.scores)
        verdicts = settle(judge(scored, self._recipe.filters), set_aside)
        length = len(scored)
        document = self._recipe.sources[unit.source].document(unit.digest, unit.first)
        split = split_of(document, self._recipe.output.validation)
        thumbnails = self._thumbnails(files.rows, scored["id"].to_pylist(), shown)
        source = self._recipe.sources[unit.source].name

        def table(uri: str, verdict_columns: dict[str, Any]) -> pa.Table:
            columns = {
                "id": scored["id"],
                "source": pa.repeat(pa.scalar(source), length),
                "uri": pc.coalesce(scored["uri"], pa.scalar(uri)),
                "locator": scored["locator"],
                "digest": pa.repeat(pa.scalar(unit.digest), length),
                "language": scored["language"],
                "flags": scored["flags"],
                "label": label_struct(scored),
                "num_bytes": scored["num_bytes"],
                **({"scores": scores_struct(scored, self._names)} if self._names else {}),
                "phash": scored["phash"],
                "fingerprint": scored["fingerprint"],
                **verdict_columns,
            }
            arrays = [
                columns[f.name]
                if isinstance(columns[f.name], pa.Array | pa.ChunkedArray)
                else pa.array(columns[f.name], f.type)
                for f in schema
            ]
            return pa.table(arrays, schema=schema)

        first = table(
            unit.uri,
            {
                "verdict": [v.name for v in verdicts],
                "reason": [v.reasons[0] if v.reasons else None for v in verdicts],
                "reasons": [list(v.reasons) for v in verdicts],
                "duplicate_of": [v.repeats and v.repeats.duplicate_of for v in verdicts],
                "distance": [v.repeats and v.repeats.distance for v in verdicts],
                "similarity": [v.repeats and v.repeats.similarity for v in verdicts],
                "split": [split if v.is_kept else None for v in verdicts],
                "thumbnail": thumbnails,
            },
        )
        copies = {
            "verdict": [DUPLICATE] * length,
            "reason": [SAME_CONTENT] * length,
            "reasons": [[SAME_CONTENT]] * length,
            "duplicate_of": scored["id"],
            "distance": [None] * length,
            "similarity": [None] * length,
            "split": [None] * length,
            "thumbnail": [None] * length,
        }
        return pa.concat_tables([first, *(table(uri, copies) for uri in unit.copies)])

    def _shown(self, units: list[Settled]) -> set[str]:
        """Ids the report may show: per reason the smallest ones, a sample that no order of work changes; and groups."""
        smallest: dict[str, list[str]] = {}
        of_groups: set[str] = set()
        for unit, set_aside in units:
            scored = read_table(self._storage, UnitFiles.of(self._recipe, unit).scores)
            ids = scored["id"].to_pylist()
            for sample_id, verdict in zip(ids, settle(judge(scored, self._recipe.filters), set_aside), strict=True):
                smallest.setdefault(_reason(verdict), []).append(sample_id)
            for reason, found in smallest.items():
                smallest[reason] = heapq.nsmallest(self._recipe.output.thumbnails, found)
            of_groups |= {ids[row.item] for row in set_aside if row.is_shown and self._recipe.output.thumbnails}
        return of_groups.union(*smallest.values())

    def _thumbnails(self, part: str, ids: list[str], shown: set[str]) -> list[bytes | None]:
        wanted = [sample_id in shown for sample_id in ids]
        if not any(wanted):
            return [None] * len(ids)
        images = read_table(self._storage, part)["images"]
        return [
            thumbnail(images[k].as_py()[0]["bytes"]) if is_wanted and len(images[k].as_py()) else None
            for k, is_wanted in enumerate(wanted)
        ]


class HashingFile(io.RawIOBase):
    """A write-only file that counts and hashes what passes through it."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._sha256 = hashlib.sha256()
        self.num_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._sha256.update(data)
        self.num_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.num_bytes

    def sha256(self) -> str:
        """Hex digest of everything written."""
        return self._sha256.hexdigest()


def parquet_options(schema: pa.Schema, table: str) -> dict[str, Any]:
    """How a table's Parquet files are written."""
    if table not in DATA_TABLES:
        return {"compression": "zstd", "write_page_index": True}
    return {
        "compression": _compression(schema),
        "use_dictionary": ["source", "language", "split", "provenance.license", "provenance.uri"],
        "write_page_index": True,
        "use_content_defined_chunking": True,
    }


def staged(job: Job, path: str) -> str:
    """Where a shard stands until the run publishes it."""
    return f"{STAGING}/shards/{job.run}/{path}"


def row_groups(tables: Iterable[tuple[pa.Table, list[int]]], limit: int) -> Iterator[pa.Table]:
    """Tables cut and joined to groups of at most `limit` bytes (a single larger row stands alone).

    Args:
        tables: pairs of rows and the size of each row in bytes.
    """
    pending: list[pa.Table] = []
    filled = 0
    for table, sizes in tables:
        start = 0
        for k, size in enumerate(sizes):
            if filled + size > limit and (filled or k > start):
                if k > start:
                    pending.append(table.slice(start, k - start))
                if pending:
                    yield pa.concat_tables(pending)
                pending, filled, start = [], 0, k
            filled += size
        if start < len(table):
            pending.append(table.slice(start))
    if pending:
        yield pa.concat_tables(pending)


def scores_struct(scored: pa.Table, names: list[str]) -> pa.Array:
    """The score columns as one struct column."""
    return pa.StructArray.from_arrays(
        [scored[f"score.{name}"].combine_chunks() if len(scored) else pa.array([], pa.float32()) for name in names],
        names=names,
    )


def thumbnail(data: bytes) -> bytes:
    """A small JPEG of an encoded image."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()


def hub_features(score_names: list[str]) -> dict[str, Any]:
    """The columns as the hub's `datasets` library describes them, so that images decode."""

    def value(dtype: str) -> dict[str, Any]:
        return {"dtype": dtype, "_type": "Value"}

    text = value("string")
    boxes = {name: value("float32") for name in ("x0", "y0", "x1", "y1")}
    return {
        "id": text,
        "source": text,
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        "messages": {"feature": {"role": text, "content": text}, "_type": "List"},
        "text": text,
        "words": {"feature": {"text": text, **boxes, "image": value("int32")}, "_type": "List"},
        "flags": {"feature": text, "_type": "List"},
        "language": text,
        "label": {"use_case": text, "confidence": value("float32"), "labeller": text, "also": text},
        **({"scores": {name: value("float32") for name in score_names}} if score_names else {}),
        "phash": value("binary"),
        "provenance": dict.fromkeys(("uri", "locator", "license", "fetched_at", "digest"), text),
        "split": text,
    }


def _place(settled: Settled) -> tuple[int, str, int]:
    unit = settled.unit
    return unit.source, unit.digest, unit.first


def _reason(verdict: Verdict) -> str:
    return verdict.reasons[0] if verdict.reasons else KEPT


def _compression(schema: pa.Schema) -> dict[str, str]:
    """zstd for everything but the images, which are compressed already."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    paths = [columns.column(k).path for k in range(len(columns))]
    return {path: "none" if path.startswith("images.") else "zstd" for path in paths}


def _flush(writer: pq.ParquetWriter, pending: list[pa.Table]) -> int:
    if not pending:
        return 0
    group = pa.concat_tables(pending)
    writer.write_table(group, row_group_size=max(1, len(group)))
    pending.clear()
    return len(group)


def _write_errors(file: HashingFile, rows: Iterable[ErrorRow]) -> int:
    ordered = sorted(rows, key=lambda row: (row.source, row.uri, _item(row.locator), row.cause, row.message))
    columns = list(zip(*ordered, strict=True)) or [()] * len(ERRORS_SCHEMA)
    table = pa.table([pa.array(column, pa.string()) for column in columns], schema=ERRORS_SCHEMA)
    with pq.ParquetWriter(file, ERRORS_SCHEMA, compression="zstd") as writer:
        writer.write_table(table)
    return len(table)


def _item(locator: str | None) -> tuple[str, int]:
    """Locators in the order of their numbers: page=2 before page=10."""
    name, _, number = (locator or "").partition("=")
    return name, int(number) if number.isdigit() else -1
