"""The language model: a LLaMA decoder, with a cache of keys and values for generation.

Shapes: B sequences, T tokens, D width, H heads, E head width, S slots of the cache.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.config import LanguageConfig


class Cache:
    """Keys and values of all layers for up to `rows` sequences of up to `slots` tokens; a slot is a position.

    Memory: 4 * layers * width bytes per token in a 16-bit type: 0.19 MB for 1.3b, 0.47 MB for 7b.
    """

    def __init__(self, config: LanguageConfig, rows: int, slots: int, *, device: torch.device, dtype: torch.dtype):
        shape = (config.layers, rows, slots, config.heads, config.width // config.heads)
        # Not torch.empty: an unused slot is masked, but a NaN in it would pass through the mask.
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)

    @property
    def rows(self) -> int:
        """Number of sequences that fit."""
        return self.keys.shape[1]

    @property
    def slots(self) -> int:
        """Number of tokens that fit in a sequence."""
        return self.keys.shape[2]

    def write(self, layer: int, rows_B: Tensor, positions_BT: Tensor, k_BTHE: Tensor, v_BTHE: Tensor) -> None:
        """Store the keys and values of a layer at their positions."""
        self.keys[layer, rows_B[:, None], positions_BT] = k_BTHE
        self.values[layer, rows_B[:, None], positions_BT] = v_BTHE

    def move(self, source: int, target: int, slots: int) -> None:
        """Copy the first `slots` of one row to another."""
        self.keys[:, target, :slots] = self.keys[:, source, :slots]
        self.values[:, target, :slots] = self.values[:, source, :slots]


class Language(nn.Module):
    """A LLaMA decoder, from embedded tokens to the hidden states before the head."""

    def __init__(self, config: LanguageConfig):
        super().__init__()
        self.config = config
        self.embedding: Any = nn.Embedding(config.vocabulary, config.width)  # or quantized, as the head
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.head: Any = nn.Linear(config.width, config.vocabulary, bias=False)

    def forward(
        self,
        x_BTD: Tensor,
        positions_BT: Tensor,
        mask_B1TS: Tensor | None = None,
        cache: Cache | None = None,
        rows_B: Tensor | None = None,
        slots: int | None = None,
    ) -> Tensor:
        """Run all blocks and the final norm.

        Args:
            x_BTD: token embeddings, visual tokens included; shorter sequences are padded at the end.
            positions_BT: position of every token in its sequence.
            mask_B1TS: True where a token may attend; None is causal, which also suffices for padding at the end.
            cache: keys and values are stored here, in the rows `rows_B`.
            slots: attend to this many first slots of the cache's first B rows, as the mask allows; None attends to the
                tokens of this call.
        Returns:
            (B, T, D) hidden states.
        """
        cos_sin = self._rotation(positions_BT, x_BTD.dtype)
        for block in self.blocks:
            x_BTD = block(x_BTD, cos_sin, positions_BT, mask_B1TS, cache, rows_B, slots)
        hidden_BTD: Tensor = self.norm(x_BTD)
        return hidden_BTD

    def head_rows(self, tokens: Tensor) -> Tensor:
        """Return the rows of the head for some tokens, in the model's type; the head may be quantized."""
        rows: Tensor = self.head.weight[tokens] if isinstance(self.head, nn.Linear) else self.head.rows_of(tokens)
        return rows

    def _rotation(self, positions_BT: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return cosines and sines of the rotary positions, (B, T, 1, E) each, computed in float32."""
        head_width = self.config.width // self.config.heads
        exponents = torch.arange(0, head_width, 2, device=positions_BT.device, dtype=torch.float32) / head_width
        angles = positions_BT[..., None].float() * self.config.rope_theta**-exponents
        angles_BT1E = torch.cat([angles, angles], dim=-1)[:, :, None]
        return angles_BT1E.cos().to(dtype), angles_BT1E.sin().to(dtype)


class Block(nn.Module):
    """Causal attention with rotary positions, and a gated MLP."""

    def __init__(self, config: LanguageConfig, layer: int):
        super().__init__()
        self.layer, self.heads = layer, config.heads
        self.norm1 = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.proj = nn.Linear(config.width, config.width, bias=False)
        self.norm2 = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(
        self,
        x_BTD: Tensor,
        cos_sin: tuple[Tensor, Tensor],
        positions_BT: Tensor,
        mask_B1TS: Tensor | None,
        cache: Cache | None,
        rows_B: Tensor | None,
        slots: int | None,
    ) -> Tensor:
        q, k, v = self.qkv(self.norm1(x_BTD)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = _rotate(q, *cos_sin), _rotate(k, *cos_sin)
        if cache is not None:
            assert rows_B is not None
            cache.write(self.layer, rows_B, positions_BT, k, v)
            if slots is not None:
                rows = len(x_BTD)
                k, v = cache.keys[self.layer, :rows, :slots], cache.values[self.layer, :rows, :slots]
        mixed_BHTE = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask_B1TS, is_causal=mask_B1TS is None
        )
        x_BTD = x_BTD + self.proj(mixed_BHTE.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.norm2(x_BTD)).chunk(2, dim=-1)
        y_BTD: Tensor = x_BTD + self.down(F.silu(gate) * up)
        return y_BTD


def _rotate(x_BTHE: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs (x[i], x[i + E/2]) by the angle of their position."""
    first, second = x_BTHE.chunk(2, dim=-1)
    return x_BTHE * cos + torch.cat([-second, first], dim=-1) * sin
