"""Rows of a JSONL file by datatrove, run by a Python that has it: read, repaired by ftfy, personal data masked.

python benchmarks/datatrove_text.py FILE.jsonl

Prints the least processor seconds of three runs. datatrove masks e-mail and IP addresses only, and ftfy repairs more
than encodings, so the work is similar and not the same.
"""

import sys
import time
from pathlib import Path

from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.readers import JsonlReader


def main() -> None:
    path = Path(sys.argv[1])
    times = []
    for _ in range(4):  # the first one warms up
        since = time.process_time()
        rows = JsonlReader(str(path.parent), glob_pattern=path.name, compression=None, text_key="text")(None, 0, 1)
        for step in (FTFYFormatter(), PIIFormatter()):
            rows = step(rows, 0, 1)
        num_rows = sum(1 for _ in rows)
        times.append(time.process_time() - since)
    assert num_rows
    print(min(times[1:]))


if __name__ == "__main__":
    main()
