"""The samples that the pages of a run gave, by task, and the size of their pictures in samples and in shards.

    vellum run --source web --input seeds.txt --output OUT --set tasks_per_page=6 …
    python -m benchmarks.web_samples OUT

The last line is JSON: pages and failed ones, kept samples in all and of each task, megabytes of pictures in all rows
together and of the shards.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sources.base.sample import TASK_MARK


def measure(out: Path) -> dict[str, Any]:
    """Measure an output in a local folder."""
    items = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["items"]
    tasks: Counter[str] = Counter()
    rows_bytes = shard_bytes = 0
    for path in sorted((out / "data").glob("*.parquet")):
        table = pq.read_table(path, columns=["images", "provenance"])
        for locator in pc.struct_field(table["provenance"], "locator").to_pylist():
            tasks[locator.rpartition(TASK_MARK)[2]] += 1
        pictures = pc.struct_field(pc.list_flatten(table["images"]), "bytes")
        rows_bytes += pc.sum(pc.binary_length(pictures)).as_py() or 0
        shard_bytes += path.stat().st_size
    return {
        "pages": items["found"],
        "failed": items["failed"],
        "kept": tasks.total(),
        "tasks": dict(sorted(tasks.items())),
        "pictures_mb": round(rows_bytes / 1e6, 1),
        "shards_mb": round(shard_bytes / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the output of a run")
    print(json.dumps(measure(parser.parse_args().out)))


if __name__ == "__main__":
    main()
