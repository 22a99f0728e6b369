"""Decoding and packed attention as CUDA runs them best: kernels that take lengths, and steps captured in a graph.

The arithmetic runs on any device; only kernels, compilation and graphs need CUDA.

Shapes: R rows of a cache, T tokens, H heads, E head width, L keys, S slots, V vocabulary, D width.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from torch.nn.attention.varlen import varlen_attn

from deepseek_vl.device import upload

if TYPE_CHECKING:
    from deepseek_vl.attention import Cache
    from deepseek_vl.language import Language


def has_varlen(device: torch.device) -> bool:
    """Return True if the kernel for packed sequences runs on the device; it needs Ampere (8.0) or later."""
    if device.type != "cuda" or torch.version.hip is not None:
        return False
    return (
        torch.cuda.get_device_capability(device) >= (8, 0)
        and "window_size" in inspect.signature(varlen_attn).parameters
    )


class VarlenSpans:
    """Attention of packed spans in one kernel: every span attends causally from the last of its keys.

    Args:
        num_queries, num_keys: (N,) tokens of each span, and keys of each span.
        key_places: (L,) places in the packed row of the keys of all spans, span after span.
    """

    def __init__(
        self, num_queries: Sequence[int], num_keys: Sequence[int], key_places: np.ndarray, device: torch.device
    ):
        self.queries_until, self.keys_until = (
            upload(torch.from_numpy(np.cumsum([0, *numbers]).astype(np.int32)), device)
            for numbers in (num_queries, num_keys)
        )
        self.most_queries, self.most_keys = max(num_queries), max(num_keys)
        in_order = np.array_equal(key_places, np.arange(sum(num_queries)))
        self.key_places_L = None if in_order else upload(torch.from_numpy(key_places), device)

    def supports(self, q_1HTE: Tensor) -> bool:
        """Return True if the kernel takes tensors of this type and head width."""
        return q_1HTE.dtype in (torch.bfloat16, torch.float16) and q_1HTE.shape[-1] % 8 == 0 and q_1HTE.shape[-1] <= 256

    def __call__(self, q_1HTE: Tensor, k_1HTE: Tensor, v_1HTE: Tensor) -> Tensor:
        q_THE, k_LHE, v_LHE = (x[0].transpose(0, 1) for x in (q_1HTE, k_1HTE, v_1HTE))
        if self.key_places_L is not None:
            k_LHE, v_LHE = k_LHE.index_select(0, self.key_places_L), v_LHE.index_select(0, self.key_places_L)
        mixed_THE = varlen_attn(
            q_THE,
            k_LHE,
            v_LHE,
            self.queries_until,
            self.keys_until,
            self.most_queries,
            self.most_keys,
            window_size=(-1, 0),  # causal, aligned at the last key
        )
        assert isinstance(mixed_THE, Tensor)
        return mixed_THE.transpose(0, 1)[None]


class RowAttention:
    """Attention of one new token in every row of a cache; lengths stay on the device, and blocks beyond are not read.

    Args:
        positions_R: (R,) position of the new token of each row, which attends to the slots up to it.
        slots_R: (R,) slot where its key and value are stored.
    """

    def __init__(self, cache: "Cache", positions_R: Tensor, slots_R: Tensor):
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
        self.kernel: Callable[..., Any] = _compiled_flex() if device.type == "cuda" else flex_attention

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


class FixedStep:
    """A decoding step of all rows of a cache with fixed shapes and addresses; on CUDA it is captured in a graph.

    Args:
        tokens_R: (R,) latest token of every row, updated by the caller in place.
    """

    def __init__(self, language: "Language", cache: "Cache", tokens_R: Tensor):
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
