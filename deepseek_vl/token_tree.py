"""Tokens with several continuations of one prefix, which do not attend to each other.

Shapes: T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepseek_vl.attention import Span


@dataclass(slots=True)
class TokenTree:
    """Segments of tokens; a segment continues its parent and attends only to itself and its ancestors.

    Positions continue from the end of the parent, so that every path from the root is like a separate sequence.
    """

    segments: list[np.ndarray] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Position of each segment's first token."""
    length: int = 0

    def add(self, tokens: Sequence[int] | np.ndarray, parent: int | None = None) -> int:
        """Append a segment of at least one token and return its index. Parents come before their children."""
        assert len(tokens) > 0
        self.starts.append(0 if parent is None else self.starts[parent] + len(self.segments[parent]))
        self.parents.append(-1 if parent is None else parent)
        self.segments.append(np.asarray(tokens, dtype=np.int64))
        self.length += len(tokens)
        return len(self.segments) - 1

    def last_place(self, segment: int) -> int:
        """Return the index of a segment's last token in the tree."""
        return sum(len(tokens) for tokens in self.segments[: segment + 1]) - 1

    def tokens(self) -> np.ndarray:
        """Return the (T,) tokens, segment after segment."""
        return np.concatenate(self.segments)

    def positions(self) -> np.ndarray:
        """Return the (T,) position of every token on its path from the root."""
        return np.concatenate([start + np.arange(len(s)) for start, s in zip(self.starts, self.segments, strict=True)])

    def spans(self, start: int = 0) -> list[Span]:
        """Return the spans of the segments in a packed row where the tree begins at `start`."""
        ends = np.cumsum([len(tokens) for tokens in self.segments]) + start
        ranges = [(int(end) - len(tokens), int(end)) for end, tokens in zip(ends, self.segments, strict=True)]
        ancestors: list[tuple[int, ...]] = []
        for parent in self.parents:
            ancestors.append(() if parent < 0 else (*ancestors[parent], parent))
        return [
            Span(*own, tuple(ranges[ancestor] for ancestor in above))
            for own, above in zip(ranges, ancestors, strict=True)
        ]
