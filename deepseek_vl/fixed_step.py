"""Decoding steps with fixed shapes and addresses, which CUDA captures in a graph and replays without the host.

The arithmetic runs on any device; only the compiled kernel and the graph need CUDA.

Shapes: R rows of a cache, H heads, E head width, S slots, V vocabulary, D width.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from deepseek_vl.attention import Cache
from deepseek_vl.device import upload
from deepseek_vl.language import Language


class RowAttention:
    """Attention of one new token in every row of a cache; lengths stay on the device, and blocks beyond are not read.

    Args:
        positions_R: (R,) position of the new token of each row, which attends to the slots up to it.
        slots_R: (R,) slot where its key and value are stored.
    """

    def __init__(self, cache: Cache, positions_R: Tensor, slots_R: Tensor):
        self.cache, self.slots_R = cache, slots_R
        device, capacity = positions_R.device, cache.keys_YRHSE.shape[3]
        self.rows_R = torch.arange(cache.rows, device=device)
        num_blocks = capacity // cache.BLOCK
        blocks = torch.arange(num_blocks, dtype=torch.int32, device=device).expand(cache.rows, 1, 1, num_blocks)
        needed = (positions_R // cache.BLOCK + 1).to(torch.int32)[:, None, None]

        def may_attend(row: Tensor, head: Tensor, query: Tensor, slot: Tensor) -> Tensor:
            return slot <= positions_R[row]

        self.mask = BlockMask.from_kv_blocks(
            needed,
            blocks.contiguous(),
            BLOCK_SIZE=cache.BLOCK,
            mask_mod=may_attend,
            seq_lengths=(1, capacity),
            compute_q_blocks=False,
        )
        self.kernel = _compiled_flex() if device.type == "cuda" else _plain_flex()

    def __call__(self, layer: int, q_RH1E: Tensor, k_RH1E: Tensor, v_RH1E: Tensor) -> Tensor:
        keys_RHSE, values_RHSE = self.cache.keys_YRHSE[layer], self.cache.values_YRHSE[layer]
        keys_RHSE[self.rows_R, :, self.slots_R] = k_RH1E[:, :, 0]
        values_RHSE[self.rows_R, :, self.slots_R] = v_RH1E[:, :, 0]
        mixed_RH1E: Tensor = self.kernel(q_RH1E, keys_RHSE, values_RHSE, block_mask=self.mask)
        return mixed_RH1E


@functools.cache
def _compiled_flex() -> Callable[..., Any]:
    compiled: Callable[..., Any] = torch.compile(flex_attention, dynamic=False)  # it skips blocks without a True
    return compiled


def _plain_flex() -> Callable[..., Any]:
    return flex_attention


class FixedStep:
    """A decoding step of all rows of a cache with fixed shapes and addresses; on CUDA it is captured in a graph.

    Args:
        tokens_R: (R,) latest token of every row, updated by the caller in place.
    """

    def __init__(self, language: Language, cache: Cache, tokens_R: Tensor):
        self.language, self.cache, self.tokens_R = language, cache, tokens_R
        self.positions_R = torch.zeros_like(tokens_R)
        self.slots_R = torch.full_like(tokens_R, cache.spare_slot)
        self.logits_RV: Tensor | None = None
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, positions: dict[int, int]) -> Tensor:
        """Run a step for the given rows at the given positions; return (R, V) logits, valid until the next step."""
        positions_R = np.zeros(self.cache.rows, dtype=np.int64)
        slots_R = np.full(self.cache.rows, self.cache.spare_slot)
        positions_R[list(positions)] = slots_R[list(positions)] = list(positions.values())
        if self.tokens_R.is_cuda and self.graph is None:
            self._capture()
        device = self.tokens_R.device
        self.positions_R.copy_(upload(torch.from_numpy(positions_R), device))
        self.slots_R.copy_(upload(torch.from_numpy(slots_R), device))
        if self.graph is None:
            return self._step()
        self.graph.replay()
        assert self.logits_RV is not None
        return self.logits_RV

    def _step(self) -> Tensor:
        x_R1D = self.language.embedding(self.tokens_R)[:, None]
        attention = RowAttention(self.cache, self.positions_R, self.slots_R)
        hidden_R1D = self.language(x_R1D, self.positions_R[:, None], attention)
        logits_RV: Tensor = self.language.head(hidden_R1D[:, 0])
        return logits_RV

    def _capture(self) -> None:
        """Warm up in the spare slot on another stream, as captures require, then capture."""
        stream = torch.cuda.Stream(self.tokens_R.device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.logits_RV = self._step()
