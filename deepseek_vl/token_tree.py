"""A row of tokens with several continuations of one prefix, which do not attend to each other.

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
        """Return the index of a segment's last token in the row."""
        return sum(len(tokens) for tokens in self.segments[: segment + 1]) - 1

    def tokens(self) -> np.ndarray:
        """Return the (T,) tokens, segment after segment."""
        return np.concatenate(self.segments)

    def positions(self) -> np.ndarray:
        """Return the (T,) position of every token on its path from the root."""
        return np.concatenate([start + np.arange(len(s)) for start, s in zip(self.starts, self.segments, strict=True)])

    def owners(self) -> np.ndarray:
        """Return the (T,) segment index of every token."""
        return np.repeat(np.arange(len(self.segments)), [len(tokens) for tokens in self.segments])

    def ancestry(self) -> np.ndarray:
        """Return an (S, S) bool array, True where the second segment is the first or one of its ancestors."""
        ancestry = np.eye(len(self.segments), dtype=bool)
        for segment, parent in enumerate(self.parents):
            if parent >= 0:
                ancestry[segment] |= ancestry[parent]
        return ancestry


def attention_mask(trees: Sequence[TokenTree], device: torch.device) -> Tensor | None:
    """Return a (B, 1, T, T) bool mask, True where a token may attend; None if plain causal attention is the same.

    Padding attends to itself, because attention to nothing would give NaN.
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
    """Return (B, T) positions, 0 in the padding."""
    positions_BT = np.zeros((len(trees), max(tree.length for tree in trees)), dtype=np.int64)
    for k, tree in enumerate(trees):
        positions_BT[k, : tree.length] = tree.positions()
    return upload(torch.from_numpy(positions_BT), device)
