"""Several continuations of one beginning as one row, each blind to the others.

Shapes: B rows, T tokens, S segments of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.device import upload


@dataclass(slots=True)
class TokenTree:
    """Segments of tokens; a segment continues its parent and sees only itself and its ancestors.

    Positions restart where the parent ends, so that every path from the root reads as a sequence of its own.
    """

    segments: list[np.ndarray] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Position of each segment's first token."""
    length: int = 0

    def add(self, tokens: Sequence[int] | np.ndarray, parent: int | None = None) -> int:
        """Append a segment of at least one token; its number is returned. Parents come before their children."""
        assert len(tokens) > 0
        self.starts.append(0 if parent is None else self.starts[parent] + len(self.segments[parent]))
        self.parents.append(-1 if parent is None else parent)
        self.segments.append(np.asarray(tokens, dtype=np.int64))
        self.length += len(tokens)
        return len(self.segments) - 1

    def last_place(self, segment: int) -> int:
        """Place in the row of a segment's last token."""
        return sum(len(tokens) for tokens in self.segments[: segment + 1]) - 1

    def tokens(self) -> np.ndarray:
        """(T,) tokens, segment after segment."""
        return np.concatenate(self.segments)

    def positions(self) -> np.ndarray:
        """(T,) place of every token on its path."""
        return np.concatenate([start + np.arange(len(s)) for start, s in zip(self.starts, self.segments, strict=True)])

    def owners(self) -> np.ndarray:
        """(T,) segment of every token."""
        return np.repeat(np.arange(len(self.segments)), [len(tokens) for tokens in self.segments])

    def ancestry(self) -> np.ndarray:
        """(S, S) bool: whether the second segment is the first or one of its ancestors."""
        seen = np.eye(len(self.segments), dtype=bool)
        for segment, parent in enumerate(self.parents):
            if parent >= 0:
                seen[segment] |= seen[parent]
        return seen


def attention_mask(trees: Sequence[TokenTree], device: torch.device) -> Tensor | None:
    """(B, 1, T, T) bool, True where a token may attend; None where plain causal attention is the same.

    Padding at the end attends to itself, since a row that attends to nothing has no finite output.
    """
    if all(len(tree.segments) == 1 for tree in trees):
        return None
    longest = max(tree.length for tree in trees)
    most = max(len(tree.segments) for tree in trees)
    owners_BT = np.full((len(trees), longest), most)
    ancestry_BSS = np.zeros((len(trees), most + 1, most + 1), dtype=bool)
    ancestry_BSS[:, most, most] = True
    for k, tree in enumerate(trees):
        owners_BT[k, : tree.length] = tree.owners()
        ancestry_BSS[k, : len(tree.segments), : len(tree.segments)] = tree.ancestry()
    owners = upload(torch.from_numpy(owners_BT), device)
    ancestry = upload(torch.from_numpy(ancestry_BSS), device)
    rows = torch.arange(len(trees), device=device)[:, None, None]
    places = torch.arange(longest, device=device)
    allowed_BTT = ancestry[rows, owners[:, :, None], owners[:, None]] & (places[:, None] >= places)
    return allowed_BTT[:, None]


def positions(trees: Sequence[TokenTree], device: torch.device) -> Tensor:
    """(B, T) positions, 0 in the padding."""
    positions_BT = np.zeros((len(trees), max(tree.length for tree in trees)), dtype=np.int64)
    for k, tree in enumerate(trees):
        positions_BT[k, : tree.length] = tree.positions()
    return upload(torch.from_numpy(positions_BT), device)
