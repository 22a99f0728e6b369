"""Processor time of a page of a PDF in the reader, and what is found on the pages of a folder.

    python -m benchmarks.pdf_pages --corpus FOLDER [FOLDER …] [--pages 500] [--per-file 5] [--repeats 3]

Every page is read `--repeats` times, and its least processor time counts, since the machine may be busy. Files are
drawn by the digest of their names. The table has the pages by flag and by cause of failure, the words that were dropped
because they cannot be seen, and U+FFFD; the last line is JSON.
"""

import argparse
import hashlib
import json
import statistics
import time
from collections import Counter
from pathlib import Path

from sources.base.source import InputError, ItemError
from sources.pdfs.source import Pdfs


def measure(files: list[Path], num_pages: int, per_file: int, repeats: int) -> tuple[list[float], Counter[str]]:
    """Return the least time of every page in seconds, and counts of what was found."""
    times: list[float] = []
    counts: Counter[str] = Counter()
    for path in files:
        if len(times) >= num_pages:
            break
        try:
            with Pdfs().open(path) as pages:
                step = max(1, len(pages) // per_file)
                for k in range(0, len(pages), step)[:per_file]:
                    least = float("inf")
                    try:
                        for _ in range(repeats):
                            start = time.process_time()
                            sample = pages[k]
                            least = min(least, time.process_time() - start)
                    except ItemError as error:
                        counts[f"page: {error.cause}"] += 1
                        continue
                    times.append(least)
                    counts.update(f"flag: {flag}" for flag in sample.flags)
                    num_words = len(sample.words.texts)
                    hidden = sample.measures["hidden_words"]
                    counts["words"] += num_words
                    counts["hidden words"] += round(num_words * hidden / (1 - hidden)) if hidden < 1 else 0
                    counts["pages with U+FFFD"] += "\ufffd" in sample.plain_text()
        except InputError as error:
            counts[f"file: {error.cause}"] += 1
    return times, counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="+", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--per-file", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    found = [path for folder in options.corpus for path in folder.rglob("*.pdf") if path.is_file()]
    files = sorted(found, key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    times, counts = measure(files, options.pages, options.per_file, options.repeats)
    if not times:
        raise SystemExit("no page could be read")
    mean_ms, median_ms = 1000 * statistics.mean(times), 1000 * statistics.median(times)
    print(f"{len(times):,} pages: {mean_ms:.2f} ms of processor time on average, median {median_ms:.2f} ms")
    for name, number in sorted(counts.items()):
        print(f"{name:40} {number:10,}")
    print(json.dumps({"pages": len(times), "mean_ms": mean_ms, "median_ms": median_ms, **counts}))


if __name__ == "__main__":
    main()
