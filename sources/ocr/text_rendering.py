"""Text as it was drawn by us, word by word: which words stand on one line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from sources.ocr.rendered_text import RenderedText


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRendering:
    """A drawn picture whose words are in reading order, and the lines they stand on.

    A word is what stands between spaces; of Chinese that is all there is of a line, or a piece of it.

    Args:
        drawn: the picture with its N words.
        lines: (N,) int32 number of each word's line, not decreasing.
        style: what it shows, for `flags`: `plate`, `road_sign`, `handwriting`, …; one name a kind of thing in it.
    """

    drawn: RenderedText
    lines: np.ndarray
    style: tuple[str, ...]

    def text(self, kept: Iterable[int] | None = None) -> str:
        """What is written: words of a line separated by spaces (none in Chinese), lines by newlines.

        Args:
            kept: the words to write, increasing; all by default.
        """
        chosen = range(len(self.drawn.texts)) if kept is None else kept
        rows = groupby(chosen, key=lambda k: int(self.lines[k]))
        return "\n".join(joined([self.drawn.texts[k] for k in row]) for _, row in rows)


def joined(words: Sequence[str]) -> str:
    """Words of a line as text: with spaces, but none between Chinese characters."""
    text = ""
    for word in words:
        glue = " " if text and not (_is_unspaced(text[-1]) or _is_unspaced(word[0])) else ""
        text += glue + word
    return text


def _is_unspaced(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef" or character in "“”‘’…—"
