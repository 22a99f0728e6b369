"""The search for duplicates as it grows: memory and processor time of its tasks, which are as many as the rows need.

    python -m benchmarks.duplicates_scale [--rows 1000000 10000000] [--memory-mb 1000] [--tasks 4]

Half of the bits of a hash come from one of 3,000 random hashes, half from another, and an eighth of them are flipped;
every tenth hash is a copy with up to 32 bits flipped. Half of the insets equal the hash, half are near it. `--tasks`
of all tasks are run, at even distances, each in its own process; the whole time is the sum of all tasks at their mean.
100 million and a billion rows are computed: reading per row and task, and search per row of a task, as measured at
the largest size.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.duplicates.index import NEW, Index, row_dtype, write_index
from pipelines.duplicates.partition import fields_of
from pipelines.duplicates.settings import Dedupe
from pipelines.stages.deduplicate import IndexFile, edges_of, tasks_of
from pipelines.storage import Storage

ROWS_PER_FILE = 125_000
NUM_REAL = 3_000
ON_PAPER = (100_000_000, 1_000_000_000)


def grown(real: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
    """(size, 32) hashes with the statistics of real ones."""

    def noise() -> np.ndarray:
        return chance.integers(0, 256, (size, 32), np.uint8)

    a, b = real[chance.integers(0, len(real), size)], real[chance.integers(0, len(real), size)]
    mask = noise()
    hashes = (a & mask | b & ~mask) ^ (noise() & noise() & noise())
    copies = np.arange(10, size, 10)
    flips = np.zeros((len(copies), 256), bool)
    flips[np.arange(len(copies))[:, None], chance.integers(0, 256, (len(copies), 32))] = True
    flips &= chance.random((len(copies), 1)) < chance.random(flips.shape)
    hashes[copies] = hashes[copies - 1] ^ np.packbits(flips, axis=1)
    return hashes


def write_rows(storage: Storage, num_rows: int, settings: Dedupe) -> list[IndexFile]:
    """Files of made-up rows."""
    real = np.random.default_rng(1).integers(0, 256, (NUM_REAL, 32), np.uint8)
    files = []
    for number, start in enumerate(range(0, num_rows, ROWS_PER_FILE)):
        size = min(ROWS_PER_FILE, num_rows - start)
        chance = np.random.default_rng([2, number])
        rows = np.zeros(size, row_dtype(settings))
        rows["hash"] = rows["inset"] = grown(real, size, chance)
        rows["inset"][::2] ^= chance.integers(0, 256, (len(rows[::2]), 32), np.uint8) & 17
        for view in range(rows["views"].shape[1] if settings.has_views else 0):
            rows["views"][:, view] = grown(real, size, chance)
        rows["has_image"], rows["detail"], rows["num_pixels"], rows["kind"] = 1, 9, 786_432, NEW
        rows["id"] = chance.integers(0, 256, (size, 16), np.uint8)
        rows["unit"], rows["item"] = start + np.arange(size) // 64, np.arange(size) % 64
        files.append(IndexFile(f"{number:05d}.rows", size, -1))
        write_index(storage, files[-1].path, rows)
    return files


def index_of(folder: Path, num_rows: int, settings: Dedupe) -> tuple[Index, list[IndexFile]]:
    """The files that `write_rows` made."""
    sizes = [min(ROWS_PER_FILE, num_rows - start) for start in range(0, num_rows, ROWS_PER_FILE)]
    files = [IndexFile(f"{number:05d}.rows", size, -1) for number, size in enumerate(sizes)]
    return Index(Storage(str(folder)), [file.path for file in files], settings, sizes), files


def run_task(folder: Path, num_rows: int, number: int, settings: Dedupe) -> None:
    """Run one task in this process and print what it took."""
    index, files = index_of(folder, num_rows, settings)
    task = list(tasks_of(files, settings))[number]
    since = time.process_time()
    num_members = sum(
        int(task.partition.members(columns, settings).sum()) for _, columns in index.files(fields_of(settings))
    )
    reading_s = time.process_time() - since
    since = time.process_time()
    num_edges = sum(map(len, edges_of(index, task, settings)))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps([num_members, num_edges, reading_s, time.process_time() - since, peak_mb]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--memory-mb", type=int, default=Dedupe().memory_mb)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "NUMBER"), help="run one task on rows that are there")
    args = parser.parse_args()
    settings = Dedupe(memory_mb=args.memory_mb)
    if args.one:
        run_task(Path(args.one[0]), args.rows[0], int(args.one[1]), settings)
        return
    result: dict[int, Any] = {}
    for num_rows in args.rows:
        with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as folder:
            tasks = list(tasks_of(write_rows(Storage(folder), num_rows, settings), settings))
            numbers = sorted({round(k * (len(tasks) - 1) / max(1, args.tasks - 1)) for k in range(args.tasks)})
            measured = np.array([measure(folder, num_rows, number, args.memory_mb) for number in numbers])
        members, _, reading_s, total_s, _ = measured.mean(axis=0)
        peak_mb = measured[:, 4].max()
        hours = total_s * len(tasks) / 3600
        print(
            f"{num_rows:,} rows: {len(tasks):,} tasks, {members:,.0f} rows each, {total_s:.1f} s of processor time, "
            f"peak {peak_mb:,.0f} MB; all tasks {hours:.2f} hours",
            flush=True,
        )
        result[num_rows] = {"tasks": len(tasks), "task_s": round(total_s, 1), "peak_mb": round(peak_mb)}
    reading_per_row, search_per_row = reading_s / num_rows, (total_s - reading_s) / members
    for num_rows in ON_PAPER:
        sizes = [IndexFile("", num_rows, -1)]
        tasks = list(tasks_of(sizes, settings))
        in_task = 1.5 * num_rows / 2 ** tasks[0].partition.bits  # hash and inset, half of which share a partition
        hours = len(tasks) * (num_rows * reading_per_row + in_task * search_per_row) / 3600
        print(
            f"{num_rows:,} rows, on paper: {len(tasks):,} tasks, {in_task:,.0f} rows each; all tasks {hours:,.0f} hours"
        )
        result[num_rows] = {"tasks": len(tasks), "hours_on_paper": round(hours)}
    print(json.dumps(result))


def measure(folder: str, num_rows: int, number: int, memory_mb: int) -> list[float]:
    """What one task took, in its own process."""
    line = [sys.executable, "-m", "benchmarks.duplicates_scale", "--one", folder, str(number)]
    line += ["--rows", str(num_rows), "--memory-mb", str(memory_mb)]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    values: list[float] = json.loads(done.stdout)
    return values


if __name__ == "__main__":
    main()
