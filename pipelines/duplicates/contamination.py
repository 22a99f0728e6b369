"""Leaks: samples whose text shares a long run of words with an evaluation set."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.duplicates.text import ngrams_of
from pipelines.storage.arrow_file import read_local
from sources.base.marks import without_images


class NgramIndex:
    """The text runs of one evaluation file.

    Args:
        path: local file that `references.prepare` wrote.
    """

    def __init__(self, path: Path):
        table = read_local(path)
        self._runs = table["run"].to_numpy()
        self._items = table["item"].to_numpy()

    def item_of(self, text: str) -> int | None:
        """The first item, by number, that shares a run with the text."""
        runs = ngrams_of(text)
        if not len(self._runs) or not len(runs):
            return None
        places = np.minimum(np.searchsorted(self._runs, runs), len(self._runs) - 1)
        hits = places[self._runs[places] == runs]
        return int(self._items[hits].min()) if len(hits) else None


def texts_of(part: pa.Table) -> list[str]:
    """The plain text of every sample of a part, its pixels left where they are."""
    texts = []
    for messages, text in zip(part["messages"].to_pylist(), part["text"].to_pylist(), strict=True):
        whole = "\n".join(m["content"] for m in messages) if messages is not None else text or ""
        texts.append(without_images(whole))
    return texts
