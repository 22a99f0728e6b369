"""What makes files of the staging folder safe: their digest, the check of what a reader wrote, and `fsync`.

    python -m benchmarks.staged_files [--rounds 50]

A unit is 64 pictures of 100 KB with a text each. Digest and checks are measured in processor time, `fsync` by the clock
in the folder for temporary files, as a disk is waited for. Every byte of a small file is changed, and the file is cut
at every byte, to see whether that is found.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.storage.arrow_file import check_local, read_local, table_bytes, validate_local, write_table
from pipelines.storage.errors import DamagedFile

ITEMS, IMAGE_BYTES, WORDS_A_PAGE = 64, 100_000, 400


def unit() -> pa.Table:
    """Pictures that do not compress, and texts."""
    chance = np.random.default_rng(0)
    images = [[{"bytes": chance.bytes(IMAGE_BYTES), "path": None}] for _ in range(ITEMS)]
    texts = [" ".join(map(str, chance.integers(0, 99_999, WORDS_A_PAGE))) for _ in range(ITEMS)]
    kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    return pa.table({"images": pa.array(images, kind), "text": texts})


def write_plainly(table: pa.Table, path: Path) -> None:
    """Write a table without a digest."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def median_ms(work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.process_time) -> float:
    """The median time of some work, in milliseconds."""
    times = []
    for _ in range(rounds):
        since = clock()
        work()
        times.append(clock() - since)
    return round(1000 * statistics.median(times), 2)


def synced(path: Path) -> None:
    """Write a new file of the unit's size, and wait until it is on the disk."""
    with path.open("r+b") as file:
        file.seek(0)
        file.write(os.urandom(4096))
        os.fsync(file.fileno())


def undetected(folder: Path) -> tuple[int, int]:
    """How many damages of a small file there were, and how many of them were not found."""
    whole, path = table_bytes(pa.table({"id": ["a", "b"], "score": [0.5, 1.0]})), folder / "small"
    damaged = [whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :] for k in range(len(whole))]
    damaged += [whole[:k] for k in range(len(whole))]
    lost = 0
    for data in damaged:
        path.write_bytes(data)
        try:
            read_local(path)
            lost += 1
        except DamagedFile:
            continue
    return len(damaged), lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    table = unit()
    with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
        folder = Path(name)
        plain, signed = folder / "plain", folder / "signed"
        result: dict[str, float] = {
            "write_plainly_ms": median_ms(lambda: write_plainly(table, plain), rounds),
            "write_with_digest_ms": median_ms(lambda: write_table(table, signed), rounds),
            "check_digest_ms": median_ms(lambda: check_local(signed), rounds),
            "validate_ms": median_ms(lambda: validate_local(signed), rounds),
            "fsync_ms_by_the_clock": median_ms(lambda: synced(signed), rounds, time.monotonic),
        }
        num_damaged, num_lost = undetected(folder)
    result |= {"damages": num_damaged, "damages_not_found": num_lost}
    for what, number in result.items():
        print(f"{what}: {number}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
