"""The language model: a LLaMA decoder.

Shapes: B sequences, T tokens, D width, H heads, E head width.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.attention import Attention, causal
from deepseek_vl.config import LanguageConfig


class Language(nn.Module):
    """A LLaMA decoder, from embedded tokens to the hidden states before the head."""

    def __init__(self, config: LanguageConfig):
        super().__init__()
        self.config = config
        self.embedding: Any = nn.Embedding(config.vocabulary, config.width)  # or quantized, as the head
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.head: Any = nn.Linear(config.width, config.vocabulary, bias=False)

    def forward(self, x_BTD: Tensor, positions_BT: Tensor, attention: Attention = causal) -> Tensor:
        """Run all blocks and the final norm.

        Args:
            x_BTD: token embeddings, visual tokens included.
            positions_BT: position of every token in its sequence.
            attention: which tokens attend to which; `Packed.documents` for several documents in a row.
        Returns:
            (B, T, D) hidden states.
        """
        rotation = self.rotation(positions_BT, x_BTD.dtype)
        for layer, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, rotation, layer, attention)
        hidden_BTD: Tensor = self.norm(x_BTD)
        return hidden_BTD

    def head_rows(self, tokens: Tensor) -> Tensor:
        """Return the rows of the head for some tokens, in the model's type; the head may be quantized."""
        rows: Tensor = self.head.weight[tokens] if isinstance(self.head, nn.Linear) else self.head.rows_of(tokens)
        return rows

    def rotation(self, positions_BT: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return cosines and sines of the rotary positions for `_rotate`, (B, 1, T, E) each, computed in float32."""
        head_width = self.config.width // self.config.heads
        exponents = torch.arange(0, head_width, 2, device=positions_BT.device, dtype=torch.float32) / head_width
        angles = positions_BT[..., None].float() * self.config.rope_theta**-exponents
        cos, sin = angles[:, None].cos(), angles[:, None].sin()
        return torch.cat([cos, cos], dim=-1).to(dtype), torch.cat([-sin, sin], dim=-1).to(dtype)


class Block(nn.Module):
    """Attention with rotary positions, and a gated MLP."""

    def __init__(self, config: LanguageConfig):
        super().__init__()
        self.heads = config.heads
        self.norm1 = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.proj = nn.Linear(config.width, config.width, bias=False)
        self.norm2 = nn.RMSNorm(config.width, eps=config.norm_eps)
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x_BTD: Tensor, rotation: tuple[Tensor, Tensor], layer: int, attention: Attention) -> Tensor:
        mixed_BHTE = attention(layer, *self.project(x_BTD, *rotation))
        return self.finish(x_BTD, mixed_BHTE)

    def project(self, x_BTD: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries, rotated keys, and values, (B, H, T, E) each."""
        qkv_3BHTE = self.qkv(self.norm1(x_BTD)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q_BHTE, k_BHTE = _rotate(qkv_3BHTE[:2], cos, sin)
        return q_BHTE, k_BHTE, qkv_3BHTE[2]

    def finish(self, x_BTD: Tensor, mixed_BHTE: Tensor) -> Tensor:
        """Add the result of attention, then the result of the MLP."""
        x_BTD = x_BTD + self.proj(mixed_BHTE.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.norm2(x_BTD)).chunk(2, dim=-1)
        y_BTD: Tensor = x_BTD + self.down(F.silu(gate) * up)
        return y_BTD


def _rotate(x_BHTE: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs (x[i], x[i + E/2]) by the angle of their position; `sin` has its first half negated."""
    return x_BHTE * cos + x_BHTE.roll(x_BHTE.shape[-1] // 2, -1) * sin
