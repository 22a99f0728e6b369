"""SigLIP, the low tower: a vision transformer without pooling.

Shapes: N images, P patches, D width, H heads, E head width, Y and X pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.config import SiglipConfig


class Siglip(nn.Module):
    """Maps (N, 3, Y, X) normalised pixels to (N, P, D) features after the final norm."""

    def __init__(self, config: SiglipConfig):
        super().__init__()
        self.patches = nn.Conv2d(3, config.width, kernel_size=config.patch_px, stride=config.patch_px)
        self.positions = nn.Parameter(torch.empty(config.grid**2, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, eps=config.norm_eps)

    def forward(self, pixels_N3YX: Tensor) -> Tensor:
        x_NPD = self.embed(pixels_N3YX)
        for block in self.blocks:
            x_NPD = block(x_NPD)
        features_NPD: Tensor = self.norm(x_NPD)
        return features_NPD

    def embed(self, pixels_N3YX: Tensor) -> Tensor:
        """Return the (N, P, D) patches with their positions."""
        x_NPD: Tensor = self.patches(pixels_N3YX).flatten(2).transpose(1, 2) + self.positions
        return x_NPD


class Block(nn.Module):
    """A pre-norm transformer block: attention and MLP with residual connections."""

    def __init__(self, config: SiglipConfig):
        super().__init__()
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)
        self.norm2 = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.fc1 = nn.Linear(config.width, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.width)

    def forward(self, x_NPD: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x_NPD)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed_NHPE = F.scaled_dot_product_attention(q, k, v)
        x_NPD = x_NPD + self.proj(mixed_NHPE.transpose(1, 2).flatten(2))
        y_NPD: Tensor = x_NPD + self.fc2(F.gelu(self.fc1(self.norm2(x_NPD))))
        return y_NPD
