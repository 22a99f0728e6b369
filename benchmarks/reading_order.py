"""Processor time of the reading order: per line of pages with many lines, which should hardly grow, and per real page.

    python -m benchmarks.reading_order [--corpus FOLDER] [--pages 300]

The large pages are columns, tables and shuffled lines. The time per real page is for the text and the order of words
that were extracted before. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pymupdf

from sources.pdfs.source import TEXT_FLAGS
from sources.text.page_text import LayoutWords, in_reading_order, layout_words
from sources.text.reading_order import reading_order

NUM_LINES = (1_000, 4_000, 16_000)
LEADING, HEIGHT = 12, 10
REPEATS = 3


def lines(number: int, x: float, width: float, top: float = 0) -> np.ndarray:
    """Return (number, 4) boxes of lines below each other."""
    y = top + LEADING * np.arange(number)
    return np.stack([np.full(number, x), y, np.full(number, x + width), y + HEIGHT], axis=1).astype(float)


def row_by_row(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1).reshape(-1, 4)


def bands(number: int) -> np.ndarray:
    """Return bands of two columns, written row by row, with a line below each."""
    found = []
    for top in range(0, number // 17 * 130, 130):
        found += [row_by_row(lines(8, 0, 200, top), lines(8, 230, 200, top)), lines(1, 0, 430, top + 100)]
    return np.concatenate(found)


PAGES: dict[str, Callable[[int], np.ndarray]] = {
    "two columns": lambda n: np.concatenate([lines(n // 2, 0, 200), lines(n // 2, 230, 200)]),
    "two columns, row by row": lambda n: row_by_row(lines(n // 2, 0, 200), lines(n // 2, 230, 200)),
    "bands of two columns": bands,
    "table": lambda n: row_by_row(*(lines(n // 8, 60 * k, 40) for k in range(8))),
    "table, shuffled": lambda n: np.random.default_rng(1).permutation(PAGES["table"](n)),
    "one column, from the bottom": lambda n: lines(n, 0, 400)[::-1],
}


def processor_time(run: Callable[[], object]) -> float:
    """Return the least processor time of several runs, in seconds."""
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def words_of_pages(folder: Path, number: int) -> Iterator[LayoutWords]:
    """Yield the words of the first pages of each PDF below the folder, up to a number of pages with words."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    for path in sorted(folder.rglob("*.pdf")):
        try:
            with pymupdf.open(path) as document:
                found = [
                    layout_words(document[k].get_text("words", flags=TEXT_FLAGS)) for k in range(min(4, len(document)))
                ]
        except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):
            continue  # damaged or encrypted
        for words in found:
            if number and words.texts:
                number -= 1
                yield words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder with PDFs")
    parser.add_argument("--pages", type=int, default=300)
    args = parser.parse_args()
    result: dict[str, object] = {}
    print(f"{'s for lines':30}" + "".join(f"{number:>10,}" for number in NUM_LINES))
    for name, page in PAGES.items():
        boxes = [page(number) for number in NUM_LINES]
        times = [processor_time(partial(reading_order, each)) for each in boxes]
        print(f"{name:30}" + "".join(f"{each:10.3f}" for each in times))
        result[name] = [round(each, 4) for each in times]
    if args.corpus:
        milliseconds = [
            1e3 * processor_time(partial(in_reading_order, words)) for words in words_of_pages(args.corpus, args.pages)
        ]
        result["pages"] = len(milliseconds)
        result["ms_per_page"] = {
            "mean": round(float(np.mean(milliseconds)), 3),
            "median": round(float(np.median(milliseconds)), 3),
            "95 %": round(float(np.quantile(milliseconds, 0.95)), 3),
        }
        print(f"{len(milliseconds)} pages, ms per page: {result['ms_per_page']}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
