"""Text as it was drawn by us, word by word: which words stand on one line."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sources.ocr.drawn import Drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A drawn picture whose words are in reading order, and the lines they stand on.

    A word is what stands between spaces; of Chinese that is all there is of a line.

    Args:
        drawn: the picture with its N words.
        lines: (N,) int32 number of each word's line, not decreasing.
        style: what it shows, for `flags`: `plate`, `road_sign`, `handwriting`, …; one name a kind of thing in it.
    """

    drawn: Drawn
    lines: np.ndarray
    style: tuple[str, ...]

    def text(self, kept: Iterable[int] | None = None) -> str:
        """What is written: words of a line separated by spaces, lines by newlines.

        Args:
            kept: the words to write, increasing; all by default.
        """
        chosen = range(len(self.drawn.texts)) if kept is None else kept
        written, last = "", None
        for k in chosen:
            separator = "" if last is None else " " if self.lines[k] == last else "\n"
            written += separator + self.drawn.texts[k]
            last = self.lines[k]
        return written
