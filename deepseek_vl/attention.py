"""Attention of the language model: which tokens attend to which, and where keys and values are stored.

An `Attention` is called once per layer. All of them are exact and need no mask over whole sequences: tokens of several
sequences are packed in one row and every span of them attends to exactly the keys that it may see.

Shapes: B sequences, T tokens, H heads, E head width, L keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.bias import causal_lower_right

from deepseek_vl import varlen
from deepseek_vl.config import LanguageConfig
from deepseek_vl.device import upload


class Attention(Protocol):
    """Maps the rotated queries and keys and the values of a layer, (B, H, T, E) each, to (B, H, T, E)."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor, /) -> Tensor: ...


def causal(layer: int, q_BHTE: Tensor, k_BHTE: Tensor, v_BHTE: Tensor) -> Tensor:
    """Attend from every token to itself and those before it; padding at the end needs nothing more."""
    return F.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, is_causal=True)


def attend_last(q_BHTE: Tensor, k_BHLE: Tensor, v_BHLE: Tensor) -> Tensor:
    """Attend causally from the last T of L tokens to all L."""
    num_queries, num_keys = q_BHTE.shape[2], k_BHLE.shape[2]
    if num_queries == num_keys:
        return F.scaled_dot_product_attention(q_BHTE, k_BHLE, v_BHLE, is_causal=True)
    if num_queries == 1:
        if q_BHTE.device.type == "cpu" and not torch.is_grad_enabled():
            return _attend_one(q_BHTE, k_BHLE, v_BHLE)
        return F.scaled_dot_product_attention(q_BHTE, k_BHLE, v_BHLE)
    if q_BHTE.is_cuda:  # the mask is an instruction to the kernel, not a tensor
        mask: Tensor = causal_lower_right(num_queries, num_keys)
    else:
        mask = torch.ones(num_queries, num_keys, dtype=torch.bool, device=q_BHTE.device).tril(num_keys - num_queries)
    return F.scaled_dot_product_attention(q_BHTE, k_BHLE, v_BHLE, attn_mask=mask)


def _attend_one(q_BH1E: Tensor, k_BHLE: Tensor, v_BHLE: Tensor) -> Tensor:
    """Attend from one token with two products: a third of the time of the fused kernel, which reads K in blocks."""
    q_XE1 = (q_BH1E * q_BH1E.shape[-1] ** -0.5).flatten(0, 1).transpose(1, 2)
    scores_XL1 = torch.bmm(k_BHLE.flatten(0, 1), q_XE1)
    weights_X1L = scores_XL1.transpose(1, 2).float().softmax(-1).to(v_BHLE.dtype)
    return torch.bmm(weights_X1L, v_BHLE.flatten(0, 1)).view_as(q_BH1E)


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive tokens of a packed row, `start` to `stop`, and the earlier ranges that they attend to as a whole."""

    start: int
    stop: int
    earlier: tuple[tuple[int, int], ...] = ()

    @property
    def num_keys(self) -> int:
        """Number of keys that the last token of the span may see."""
        return sum(stop - start for start, stop in (*self.earlier, (self.start, self.stop)))

    @property
    def num_pairs(self) -> int:
        """Number of pairs of a query and a key that kernels compute at most."""
        return (self.stop - self.start) * self.num_keys

    def parts(self, max_pairs: float) -> list["Span"]:
        """Divide the span into parts of about that many pairs, which attend to the same keys."""
        size = self.stop - self.start
        if self.num_pairs > max_pairs:
            size = max(1, int(max_pairs // self.num_keys))
        return [
            Span(start, min(start + size, self.stop), (*self.earlier, (self.start, start)))
            for start in range(self.start, self.stop, size)
        ]

    def select(self, x_BHTE: Tensor) -> Tensor:
        """Return the (B, H, L, E) keys or values that the last token of the span may see."""
        ranges = [*self.earlier, (self.start, self.stop)]
        parts = [x_BHTE[:, :, start:stop] for start, stop in _joined(ranges)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join ranges that touch."""
    joined = [ranges[0]]
    for start, stop in ranges[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


class Packed:
    """Attention within spans that together cover one packed row, (1, H, T, E). It can be differentiated.

    For packed training, `documents` gives the spans; for trees of questions, `token_tree.spans`.
    """

    def __init__(self, spans: Sequence[Span], device: torch.device):
        self.spans, self.device = spans, device
        self.varlen: varlen.VarlenSpans | None = None
        if varlen.has_varlen(device):
            keys = [np.arange(a, b) for span in spans for a, b in (*span.earlier, (span.start, span.stop))]
            num_keys = [span.num_keys for span in spans]
            num_queries = [span.stop - span.start for span in spans]
            self.varlen = varlen.VarlenSpans(num_queries, num_keys, np.concatenate(keys), device)

    @classmethod
    def documents(cls, lengths: Sequence[int], device: torch.device) -> "Packed":
        """Separate documents of these lengths, one after the other."""
        stops = np.cumsum(lengths).tolist()
        return cls([Span(stop - length, stop) for stop, length in zip(stops, lengths, strict=True)], device)

    def __call__(self, layer: int, q_1HTE: Tensor, k_1HTE: Tensor, v_1HTE: Tensor) -> Tensor:
        if self.varlen is not None and self.varlen.supports(q_1HTE):
            return self.varlen(q_1HTE, k_1HTE, v_1HTE)
        return torch.cat([self.attend(span, q_1HTE, k_1HTE, v_1HTE) for span in self.spans], dim=2)

    def attend(self, span: Span, q_1HTE: Tensor, k_1HTE: Tensor, v_1HTE: Tensor) -> Tensor:
        """Attend from one span."""
        return attend_last(q_1HTE[:, :, span.start : span.stop], span.select(k_1HTE), span.select(v_1HTE))

    @property
    def num_pairs(self) -> int:
        """Number of pairs of a query and a key, see `Span.num_pairs`."""
        return sum(span.num_pairs for span in self.spans)

    def in_parts(self, max_pairs: float) -> "Packed":
        """Return the same attention with long spans divided, see `Span.parts`; one kernel for all spans stays whole."""
        if self.varlen is not None or all(span.num_pairs <= max_pairs for span in self.spans):
            return self
        return Packed([part for span in self.spans for part in span.parts(max_pairs)], self.device)


class Cache:
    """Keys and values of all layers for `rows` sequences of up to `slots` tokens; a slot is a position.

    The slots of a head are contiguous, so that attention reads one block of memory per head. The last slot of a row is
    spare: steps with a fixed number of rows write there for rows without a sequence.
    Memory: 4 * layers * width bytes per token in a 16-bit type: 0.19 MB for 1.3b, 0.47 MB for 7b.
    """

    BLOCK = 128  # slots are a multiple of this, the block of the kernels

    def __init__(self, config: LanguageConfig, rows: int, slots: int, *, device: torch.device, dtype: torch.dtype):
        self.rows = rows
        capacity = -(-(slots + 1) // self.BLOCK) * self.BLOCK
        shape = (config.layers, rows, config.heads, capacity, config.width // config.heads)
        # Not torch.empty: an unused slot may be masked, but a NaN in it would pass through a mask.
        self.keys_YRHSE = torch.zeros(shape, device=device, dtype=dtype)
        self.values_YRHSE = torch.zeros(shape, device=device, dtype=dtype)

    @property
    def spare_slot(self) -> int:
        """The slot that no sequence uses."""
        return self.keys_YRHSE.shape[3] - 1


@dataclass(frozen=True, slots=True)
class Continuation:
    """The next `length` tokens of the sequence in a row of a cache, which has `start` tokens so far."""

    row: int
    start: int
    length: int


class Cached:
    """Attention for packed tokens that continue sequences of a cache, which stores their keys and values."""

    def __init__(self, cache: Cache, continuations: Sequence[Continuation]):
        self.cache, self.continuations = cache, continuations

    def __call__(self, layer: int, q_1HTE: Tensor, k_1HTE: Tensor, v_1HTE: Tensor) -> Tensor:
        parts, place = [], 0
        keys_RHSE, values_RHSE = self.cache.keys_YRHSE[layer], self.cache.values_YRHSE[layer]
        for part in self.continuations:
            row, start, stop, end = part.row, part.start, part.start + part.length, place + part.length
            keys_RHSE[row, :, start:stop] = k_1HTE[0, :, place:end]
            values_RHSE[row, :, start:stop] = v_1HTE[0, :, place:end]
            keys_1HLE, values_1HLE = keys_RHSE[row : row + 1, :, :stop], values_RHSE[row : row + 1, :, :stop]
            parts.append(attend_last(q_1HTE[:, :, place:end], keys_1HLE, values_1HLE))
            place = end
        return torch.cat(parts, dim=2)


def packed_positions(continuations: Sequence[Continuation], device: torch.device) -> Tensor:
    """Return the (1, T) positions of packed tokens."""
    positions = [np.arange(part.start, part.start + part.length) for part in continuations]
    return upload(torch.from_numpy(np.concatenate(positions)), device)[None]
