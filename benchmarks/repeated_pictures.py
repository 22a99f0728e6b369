"""The size of Parquet files in which several rows have the same picture, by the way in which pictures are stored.

    python -m benchmarks.repeated_pictures --rows-per-picture 4

Pictures are random bytes, because JPEG and PNG cannot be compressed either. Sizes are relative to storing each picture
once. Times are processor time. The last line is JSON.
"""

import argparse
import io
import json
import random
import time
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.tables.parquet import MAX_DICTIONARY_BYTES, PICTURES

NUM_PICTURES = 12
SIZES = (60_000, 250_000, 900_000)  # bytes of a picture on average: a page of text, a dense page, photographs
WAYS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"compression": "none", "use_dictionary": False},
    "zstd": {"compression": "zstd", "use_dictionary": False},
    "dictionary": {
        "compression": "none",
        "use_dictionary": [PICTURES],
        "dictionary_pagesize_limit": MAX_DICTIONARY_BYTES,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows-per-picture", type=int, default=4)
    number = parser.parse_args().rows_per_picture
    rng = random.Random(0)
    found: dict[str, dict[str, float]] = {}
    for size in SIZES:
        pictures = [rng.randbytes(rng.randint(size // 2, size * 3 // 2)) for _ in range(NUM_PICTURES)]
        rows = [[{"bytes": picture, "path": ""}] for picture in pictures for _ in range(number)]
        image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.table({"images": pa.array(rows, pa.list_(image))})
        for way, options in WAYS.items():
            file, start = io.BytesIO(), time.process_time()
            pq.write_table(table, file, row_group_size=len(table), use_content_defined_chunking=True, **options)
            written = time.process_time()
            assert pq.read_table(io.BytesIO(file.getvalue())).equals(table)
            read = time.process_time()
            figures = {
                "size": round(len(file.getvalue()) / sum(map(len, pictures)), 2),
                "write ms per row": round(1000 * (written - start) / len(rows), 2),
                "read ms per row": round(1000 * (read - written) / len(rows), 2),
            }
            found[f"{way}, {size:,} bytes"] = figures
            print(f"{way:12}{size:>9,} bytes  {figures}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
