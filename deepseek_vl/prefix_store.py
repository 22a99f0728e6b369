"""Keys and values of beginnings of sequences, which later sequences with the same beginning reuse.

Shapes: T tokens, Y layers, H heads, S slots, E head width.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.attention import Cache

BLOCK = 32  # tokens of a block; a beginning is reused in whole blocks


def block_keys(tokens_T: np.ndarray, image_token: int, tokens_per_image: int, digests: Sequence[bytes]) -> list[bytes]:
    """Return a key for every whole block of a sequence; it depends on all tokens and images up to the block's end.

    Args:
        digests: SHA-256 of the images in order. All keys are SHA-256, too, so that no
            conversation can be made that matches another one's key and reads its cache.
    """
    images_before = np.concatenate([[0], np.cumsum(tokens_T == image_token)])
    keys: list[bytes] = []
    parent = b""
    for start in range(0, len(tokens_T) - BLOCK + 1, BLOCK):
        stop = start + BLOCK
        first, last = images_before[start] // tokens_per_image, -(-images_before[stop] // tokens_per_image)
        content = np.ascontiguousarray(tokens_T[start:stop], dtype=np.int64).tobytes()
        parent = hashlib.sha256(parent + content + b"".join(digests[first:last])).digest()
        keys.append(parent)
    return keys


def num_shared(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Return the number of blocks that two sequences share at their beginning."""
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    return shared


class PrefixStore:
    """Copies of blocks of a cache; the least recently used are dropped. A block is stored once for all that share it.

    Args:
        max_tokens: maximum tokens stored; memory as in `Cache`, allocated when it is needed.
    """

    def __init__(self, cache: Cache, max_tokens: int):
        self.cache, self.max_blocks = cache, max_tokens // BLOCK
        self._blocks: OrderedDict[bytes, tuple[Tensor, Tensor]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def match(self, keys: Sequence[bytes]) -> int:
        """Return the number of first blocks that are stored."""
        return next((k for k, key in enumerate(keys) if key not in self._blocks), len(keys))

    def load(self, keys: Sequence[bytes], row: int) -> None:
        """Copy stored blocks to the beginning of a row."""
        for number, key in enumerate(keys):
            keys_YHSE, values_YHSE = self._slots(row, number)
            stored_keys, stored_values = self._blocks[key]
            keys_YHSE.copy_(stored_keys)
            values_YHSE.copy_(stored_values)
        self._touch(keys)

    def save(self, keys: Sequence[bytes], row: int) -> None:
        """Store the first blocks of a row that are not stored yet."""
        keys = keys[: self.max_blocks]
        for number, key in enumerate(keys):
            if key not in self._blocks:
                keys_YHSE, values_YHSE = self._slots(row, number)
                self._blocks[key] = _copy(keys_YHSE), _copy(values_YHSE)
        self._touch(keys)
        while len(self._blocks) > self.max_blocks:
            self._blocks.popitem(last=False)

    def _touch(self, keys: Sequence[bytes]) -> None:
        """Mark blocks as used, the first of a sequence last: without it the later ones could not be reached."""
        for key in reversed(keys):
            self._blocks.move_to_end(key)

    def _slots(self, row: int, number: int) -> tuple[Tensor, Tensor]:
        start, stop = number * BLOCK, (number + 1) * BLOCK
        return self.cache.keys_YRHSE[:, row, :, start:stop], self.cache.values_YRHSE[:, row, :, start:stop]


def _copy(tensor: Tensor) -> Tensor:
    return tensor.clone(memory_format=torch.contiguous_format)
