"""Leaks: samples that quote much of a text of an evaluation set.

A text is quoted if its runs of 5 words that the sample has cover at least 13 of its words, and 0.4 of them. A changed
word breaks five runs and no more, so quotes with a word in eight changed, or with errors of OCR, are found; a licence
sentence in a longer text covers too little. Runs that many texts of the set share, as questions of one template do,
runs that many documents of the corpus share (`pipelines/stages/quotes.py`), and runs of the file of exceptions do not
count.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.duplicates.text import RUN_CHARACTERS, RUN_WORDS, runs_of
from pipelines.storage.arrow_file import read_local
from sources.base.marks import without_images

MIN_COVERED = {RUN_WORDS: 13, RUN_CHARACTERS: 26}  # GPT-3 and most after it ask for 13 words in a row
MIN_SHARE = 0.4  # of a text's words
COMMON_TEXTS, COMMON_SHARE = 10, 0.02  # runs in so many texts of a set, and this share of them, are its template
COMMON_DOCUMENTS, CORPUS_SHARE = 10, 0.001  # the same of a corpus; GPT-3 leaves out what more than 10 documents have
HITS = ["row", "run", "words", "reference"]
MAX_WORDS_CHARS = 300  # of the quoted words that are reported
SCHEMA = pa.schema(
    [
        ("run", pa.uint64()),
        ("text", pa.uint32()),  # number of the text in its item
        ("position", pa.uint32()),  # first token of the run
        ("length", pa.uint16()),  # tokens of a run
        ("num_tokens", pa.uint32()),  # of the text
    ]
)


class Quote(NamedTuple):
    """An evaluation item that a sample quotes, the share of its text that is covered, and the words that cover it."""

    item: int
    share: float
    words: str


def run_rows(texts: Sequence[str]) -> list[dict[str, int]]:
    """A row of `SCHEMA` for each run of an item's texts; texts that are too short to be a leak have none."""
    rows = []
    number = 0
    for text in texts:
        for runs in runs_of(text):
            if len(runs.tokens) >= MIN_COVERED[runs.length]:
                rows += [
                    {
                        "run": run,
                        "text": number,
                        "position": position,
                        "length": runs.length,
                        "num_tokens": len(runs.tokens),
                    }
                    for position, run in enumerate(runs.hashes.tolist())
                ]
            number += 1
    return rows


def counted_runs(rows: pa.Table, exceptions: np.ndarray) -> pa.Table:
    """The rows whose runs count: those that are neither excepted nor common to many texts, sorted by their run.

    Args:
        rows: `SCHEMA` and `item`.
        exceptions: uint64 runs that do not count.
    """
    run, texts = rows["run"].to_numpy(), _text_ids(rows)
    order = np.lexsort([rows["position"].to_numpy(), texts, run])
    run, texts = run[order], texts[order]
    is_new_run = np.concatenate([[True], run[1:] != run[:-1]])[: len(run)]
    is_new_text = is_new_run | np.concatenate([[True], texts[1:] != texts[:-1]])[: len(run)]
    num_texts = np.bincount(np.cumsum(is_new_run) - 1, weights=is_new_text) if len(run) else np.zeros(0)
    limit = max(COMMON_TEXTS, COMMON_SHARE * len(np.unique(texts)))
    is_common = num_texts[np.cumsum(is_new_run) - 1] >= limit if len(run) else np.zeros(0, bool)
    return rows.take(pa.array(order[~is_common & ~np.isin(run, exceptions)]))


class RunIndex:
    """The text runs of one evaluation file.

    Args:
        path: local file that `references.prepare` wrote: `counted_runs`.

    Attributes:
        runs: (R,) uint64, ascending.
    """

    def __init__(self, path: Path):
        table = read_local(path)
        self.runs, self._items = table["run"].to_numpy(), table["item"].to_numpy()
        self._texts, self._positions = _text_ids(table), table["position"].to_numpy().astype(np.int64)
        self._lengths, self._num_tokens = table["length"].to_numpy(), table["num_tokens"].to_numpy()

    def quote_of(self, hits: Mapping[int, str]) -> Quote | None:
        """The evaluation item that a text quotes most of, the first of equal ones.

        Args:
            hits: the text's runs that count, with their words.
        """
        runs = np.array(sorted(hits), np.uint64)
        starts, ends = np.searchsorted(self.runs, runs), np.searchsorted(self.runs, runs, "right")
        hit = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        rows = np.concatenate([np.zeros(0, np.int64), *hit])
        if not len(rows):
            return None
        rows = rows[np.lexsort([self._positions[rows], self._texts[rows]])]
        texts, lengths = self._texts[rows], self._lengths[rows].astype(np.int64)
        covers = lengths.copy()
        goes_on = texts[1:] == texts[:-1]
        steps = np.diff(self._positions[rows])
        covers[:-1][goes_on] = np.minimum(covers[:-1][goes_on], steps[goes_on])
        first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
        covered = np.add.reduceat(covers, first)
        share = covered / self._num_tokens[rows[first]]
        enough = np.array([MIN_COVERED[length] for length in lengths[first].tolist()])
        leaks = np.flatnonzero((covered >= enough) & (share >= MIN_SHARE))
        if not len(leaks):
            return None
        items = self._items[rows[first]]
        best = min(leaks.tolist(), key=lambda k: (-share[k], items[k]))
        quoted = rows[texts == texts[first[best]]]
        words = _passages([hits[int(run)] for run in self.runs[quoted]], self._positions[quoted])
        return Quote(int(items[best]), float(share[best]), words)


def hits_in(texts: Sequence[str], indexes: Sequence[RunIndex]) -> pa.Table:
    """Every run of a set in each text, once: row, run, the words of the run, and the number of the set."""
    every = np.unique(np.concatenate([np.zeros(0, np.uint64), *(index.runs for index in indexes)]))
    hits: list[tuple[int, int, str, int]] = []
    for row, text in enumerate(texts):
        found: dict[int, str] = {}
        for runs in runs_of(text):
            for place in np.flatnonzero(_are_in(runs.hashes, every)).tolist():
                found.setdefault(int(runs.hashes[place]), runs.words(place))
        if found:
            some = np.array(list(found), np.uint64)
            for number, index in enumerate(indexes):
                hits += [(row, run, found[run], number) for run in some[_are_in(some, index.runs)].tolist()]
    columns = list(zip(*hits, strict=True)) or [()] * len(HITS)
    types = (pa.uint32(), pa.uint64(), pa.string(), pa.uint32())
    return pa.table([pa.array(values, kind) for values, kind in zip(columns, types, strict=True)], HITS)


def _are_in(runs: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """(N,) bool. numpy's own `isin` sorts both each time."""
    if not len(ascending):
        return np.zeros(len(runs), bool)
    found: np.ndarray = ascending[np.minimum(np.searchsorted(ascending, runs), len(ascending) - 1)] == runs
    return found


def quotes_in(hits: pa.Table, common: np.ndarray, index: RunIndex) -> list[tuple[int, Quote]]:
    """The texts that quote an item, by their row.

    Args:
        hits: what `hits_in` gave.
        common: uint64 runs that do not count.
    """
    by_row: dict[int, dict[int, str]] = {}
    for row, run, words in zip(*(hits[name].to_pylist() for name in ("row", "run", "words")), strict=True):
        by_row.setdefault(row, {})[run] = words
    left_out = set(common.tolist())
    found = []
    for row, runs in sorted(by_row.items()):
        quote = index.quote_of({run: words for run, words in runs.items() if run not in left_out})
        if quote is not None:
            found.append((row, quote))
    return found


def _passages(runs: Sequence[str], positions: np.ndarray) -> str:
    """The words that runs cover, in the order of the evaluation text, an ellipsis where some are between them."""
    words: list[str] = []
    end = int(positions[0])
    for run, position in zip(runs, positions.tolist(), strict=True):
        tokens = run.split(" ")
        if position > end:
            words.append("…")
        words += tokens[max(0, end - position) :]
        end = max(end, position + len(tokens))
    text = " ".join(words)
    return text if len(text) <= MAX_WORDS_CHARS else text[: MAX_WORDS_CHARS - 1] + "…"


def exceptions_in(text: str) -> np.ndarray:
    """(R,) uint64 runs of the lines of a file of exceptions."""
    runs = [runs.hashes for line in text.splitlines() for runs in runs_of(line)]
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *runs]))


def texts_of(part: pa.Table) -> list[str]:
    """The plain text of every sample of a part, its pixels left where they are."""
    texts = []
    for messages, text in zip(part["messages"].to_pylist(), part["text"].to_pylist(), strict=True):
        whole = "\n".join(m["content"] for m in messages) if messages is not None else text or ""
        texts.append(without_images(whole))
    return texts


def _text_ids(rows: pa.Table) -> np.ndarray:
    """(R,) uint64: a number for every text of every item."""
    items = rows["item"].to_numpy().astype(np.uint64)
    ids: np.ndarray = (items << np.uint64(32)) | rows["text"].to_numpy().astype(np.uint64)
    return ids
