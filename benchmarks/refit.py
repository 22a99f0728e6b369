"""Refit: processor time and memory of other thresholds for a finished output of 100,000 samples, by what changes.

    python -m benchmarks.refit [--samples 100000] [--kilobytes 2]

The samples are small random pictures with random words, written as a run writes them (parts, scores, shards, ledger,
manifest) without the graph. Each case is a separate process of the command, its start included. `nothing` is the
command that only prints its help. The last line is JSON.
"""

import argparse
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from filters.filter import Filter
from pipelines.duplicates.fingerprint import FINGERPRINT, to_arrow
from pipelines.recipe import Recipe
from pipelines.recipe_file import build_recipe
from pipelines.stages.decide import LEDGER_ROW_BYTES
from pipelines.stages.plan_shards import Plan, SumUp
from pipelines.storage import Storage
from pipelines.storage.arrow_file import table_bytes
from pipelines.tables.composition import composition_columns
from pipelines.tables.data import DataTable
from pipelines.tables.ledger import LedgerTable
from pipelines.tables.manifest import DATA_TABLES, MANIFEST, Shard, build_manifest
from pipelines.tables.parquet import HashingFile
from pipelines.tables.scores import ERRORS_KEY, SLICE, read_scores
from pipelines.tables.verdicts import JudgedUnit, judge, write_verdicts
from pipelines.units import Slice, TableRow, Unit, UnitFiles, bucket_of, splits_of
from sources.base.sample import EncodedImage, Provenance, Sample, sample_id, to_part

RUN, ITEMS = "benchmark", 64
# The kernel counts what a process held before it became another program, so the command tells its own peak.
COMMAND = """
import sys
from pipelines.commands.refit import main
try:
    code = main(sys.argv[1:])
finally:
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
sys.exit(code)
"""
CASES = {
    "nothing": ["--help"],
    "dry run": ["--set", "text_length.min_chars=600", "--dry-run"],
    "half leaves": ["--set", "text_length.min_chars=600"],
    "it comes back": ["--set", "text_length.min_chars=300"],
    "other radius": ["--set", "dedupe.radius=16"],
    "no change": ["--set", "dedupe.radius=16"],
}


def recipe_of() -> Recipe:
    """A recipe with five filters and the comparison of samples."""
    filters = [
        {"type": "min_short_side", "side_px": 16},
        {"type": "min_ink"},
        {"type": "max_aspect_ratio"},
        {"type": "text_length", "min_chars": 300},
        {"type": "max_garbled_share"},
    ]
    return build_recipe({"sources": [{"type": "pdfs", "input": ["none"]}], "filters": filters, "dedupe": {}})


def pictures(num_bytes: int) -> list[bytes]:
    """64 grey PNG files of about `num_bytes`."""
    side = max(16, round(num_bytes**0.5))
    found = []
    for number in range(64):
        buffer = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 255, (side, side), np.uint8)
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
        found.append(buffer.getvalue())
    return found


def unit_of(number: int) -> Unit:
    """A unit of one input with 64 items."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return Unit(0, (Slice(digest, 0, ITEMS, f"file{number}.pdf", "", ()),))


def write_unit(storage: Storage, recipe: Recipe, unit: Unit, images: list[bytes]) -> None:
    """Part and score file of a unit."""
    chance = np.random.default_rng(int(unit.name[:12], 16))
    digest = unit.slices[0].digest
    samples = []
    for k in range(ITEMS):
        provenance = Provenance(locator=f"page={k + 1}", digest=digest)
        image = EncodedImage(data=images[k], extension="png", width=64, height=64)
        text = " ".join(map(str, chance.integers(10_000, 99_999, int(chance.integers(60, 180)))))
        name = sample_id(digest, provenance.locator)
        samples.append(
            Sample(
                id=name,
                source="pdfs",
                provenance=provenance,
                images=[image],
                text=f"<image>\n{text}",
                measures={"ink": 0.1},
            )
        )
    records = np.zeros(ITEMS, FINGERPRINT)
    for name in ("phash", "phash_inset", "text", "sketch"):
        records[name] = chance.integers(0, np.iinfo(records[name].dtype).max, records[name].shape, records[name].dtype)
    records["has_image"], records["num_pixels"], records["num_tokens"], records["detail"] = 1, 4096, 100, 10
    columns = {
        "id": [sample.id for sample in samples],
        "locator": [sample.provenance.locator for sample in samples],
        "uri": pa.nulls(ITEMS, pa.string()),
        "num_bytes": pa.array([len(s.images[0].data) + len(s.text or "") for s in samples], pa.int64()),
        "language": pa.nulls(ITEMS, pa.string()),
        "flags": pa.array([[]] * ITEMS, pa.list_(pa.string())),
        "phash": to_arrow(np.ascontiguousarray(records["phash"])),
        "fingerprint": to_arrow(records),
        **composition_columns(samples),
        **{f"score.{name}": column for f in recipe.filters for name, column in scores_of(f, samples)},
        SLICE: pa.array([0] * ITEMS, pa.int32()),
    }
    files = UnitFiles.of(recipe, unit)
    storage.write_bytes(files.part, table_bytes(pa.Table.from_batches([to_part(samples)])))
    storage.write_bytes(files.scores, table_bytes(pa.table(columns).replace_schema_metadata({ERRORS_KEY: b"[]"})))


def scores_of(f: Filter, samples: list[Sample]) -> Iterator[tuple[str, pa.Array]]:
    """The score columns of a filter."""
    found = [scores.values for scores in f.scores(samples)]
    for name in f.score_names:
        yield name, pa.array([values[name] for values in found], pa.float32())


def write_output(storage: Storage, recipe: Recipe, units: list[Unit]) -> None:
    """Verdicts of the filters, shards, ledger and manifest, as the graph writes them."""
    rows: list[TableRow] = []
    counts: Counter[str] = Counter({"inputs.matched": len(units), "inputs.read": len(units)})
    for unit in units:
        scored = read_scores(storage, recipe, unit)
        verdicts = JudgedUnit(unit, tuple(judge(scored, recipe.filters))).verdicts()
        write_verdicts(storage, RUN, unit, scored["id"], verdicts)
        counts.update(f"rejected.{v.reasons[0]}" if v.reasons else "samples.kept" for v in verdicts)
        size = sum(n for n, v in zip(scored["num_bytes"].to_pylist(), verdicts, strict=True) if v.is_kept)
        sizes = {splits_of(recipe, unit)[0]: size, "ledger": LEDGER_ROW_BYTES * ITEMS}
        rows += [TableRow(table, bucket_of(unit, ITEMS), number, unit) for table, number in sizes.items()]
    counts["items.found"] = counts["samples.total"] = len(units) * ITEMS
    shards = list(write_shards(storage, recipe, rows))
    storage.write_bytes(MANIFEST, json.dumps(build_manifest(recipe, counts, shards)).encode())


def write_shards(storage: Storage, recipe: Recipe, rows: list[TableRow]) -> Iterator[Shard]:
    """All shards, in place."""
    combine = SumUp(recipe.output.shard_mb)
    accumulator = combine.create_accumulator()
    for row in rows:
        combine.add_input(accumulator, row)
    plan: Plan = combine.extract_output(accumulator).plan
    keys: dict[str, list[Unit]] = {}
    for row in rows:
        keys.setdefault(plan.shard_of(row.table, row.bucket), []).append(row.payload)
    for key, units in sorted(keys.items()):
        table = key.rpartition("-")[0]
        with storage.create(plan.path(key)) as raw:
            file = HashingFile(raw)
            units.sort(key=lambda unit: unit.place)
            if table in DATA_TABLES:
                num_rows, _ = DataTable(storage, recipe, RUN, table).write(file, units)
            else:
                num_rows = LedgerTable(storage, recipe, RUN).write(file, units)
        yield Shard(plan.path(key), table, num_rows, file.num_bytes, file.sha256())


def measured(arguments: list[str]) -> dict[str, Any]:
    """Processor seconds, wall seconds and peak memory of the command."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        if child.returncode:
            raise SystemExit(log.read().decode())
        lines = log.read().decode().splitlines()
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_s": round(time.monotonic() - started, 2),
        "peak_mb": int(lines[-1]) // 1024,
        "told": lines[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--kilobytes", type=float, default=2, help="size of a picture")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as folder:
        storage, recipe = Storage(f"{folder}/out"), recipe_of()
        units = [unit_of(number) for number in range(-(-args.samples // ITEMS))]
        images = pictures(round(args.kilobytes * 1000))
        for unit in units:
            write_unit(storage, recipe, unit, images)
        write_output(storage, recipe, units)
        mb = sum(path.stat().st_size for path in Path(folder, "out", "data").iterdir()) / 1e6
        print(f"{len(units) * ITEMS:,} samples, data/ has {mb:,.0f} MB")
        results = {}
        for name, arguments in CASES.items():
            results[name] = measured(arguments if name == "nothing" else [f"{folder}/out", *arguments])
            cpu_s, peak_mb, told = (results[name][key] for key in ("cpu_s", "peak_mb", "told"))
            print(f"{name:16}{cpu_s:8.1f} s of processor time {peak_mb:6,} MB  {told}")
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps({"samples": len(units) * ITEMS, "data_mb": mb, "made_s": round(own.ru_utime, 1), "cases": results})
    )


if __name__ == "__main__":
    main()
