"""Attention of packed sequences in one kernel, on devices that have it.

Shapes: N spans, T tokens, H heads, E head width, L keys.
"""

import inspect
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn

from deepseek_vl.device import upload


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
