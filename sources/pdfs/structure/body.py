"""The look of a page's running text, which tells headings, footnotes and margins from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sources.pdfs.structure.pieces import Piece


@dataclass(frozen=True, slots=True)
class Body:
    """Running text: its font size in points, and the distance of its base lines."""

    size: float
    leading: float


def body_of(pieces: Sequence[Piece]) -> Body:
    """Return the size of most characters that are not code, and the most frequent distance of such lines."""
    sizes: Counter[float] = Counter()
    for piece in pieces:
        sizes[piece.size] += len(piece.text) if piece.mono < 0.5 else len(piece.text) // 4
    size = max(sizes, key=lambda s: (sizes[s], s)) if sizes else 10.0
    pitches: Counter[float] = Counter()
    previous: Piece | None = None
    for piece in pieces:
        if abs(piece.size - size) > 0.5:
            continue
        if previous is not None:
            pitch = piece.y1 - previous.y1
            if 0.8 * size < pitch < 2.2 * size and piece.x0 < previous.x1:
                pitches[round(pitch * 2) / 2] += 1
        previous = piece
    leading = max(pitches, key=lambda p: (pitches[p], -p)) if pitches else 1.2 * size
    return Body(size, leading)
