"""SAM's image encoder, the high tower: windowed attention with a few global blocks, a neck, two downsampling layers.

Shapes: N images, G patches along a side, W windows, S patches along a window's side, T and L patches, D width, H heads,
E head width, K = 4 * neck width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.config import SamConfig


class Sam(nn.Module):
    """Maps (N, 3, Y, X) normalised pixels to (N, grid², K) features.

    Args:
        grid: number of tokens along a side of the output, as in the low tower (24 in the public models).
    """

    def __init__(self, config: SamConfig, grid: int):
        super().__init__()
        self.resized = 4 * grid
        self.branch_layer = config.global_layers[0]
        self.patches = nn.Conv2d(3, config.width, kernel_size=config.patch_px, stride=config.patch_px)
        self.positions = nn.Parameter(torch.empty(config.grid, config.grid, config.width))
        self.blocks = nn.ModuleList(
            Block(config, window=config.grid if layer in config.global_layers else config.window)
            for layer in range(config.layers)
        )
        self.neck = Neck(config)
        self.branch_neck = Neck(config)
        self.downsample1 = _stride2(config.neck_width)
        self.downsample2 = _stride2(2 * config.neck_width)
        self.branch_weight = nn.Parameter(torch.empty(1))

    def forward(self, pixels_N3YX: Tensor) -> Tensor:
        x_NGGD = branch_NGGD = self.embed(pixels_N3YX)
        for layer, block in enumerate(self.blocks):
            x_NGGD = block(x_NGGD)
            if layer == self.branch_layer:
                branch_NGGD = x_NGGD
        return self.features(x_NGGD, branch_NGGD)

    def embed(self, pixels_N3YX: Tensor) -> Tensor:
        """Return the (N, G, G, D) patches with their positions."""
        x_NGGD: Tensor = self.patches(pixels_N3YX).permute(0, 2, 3, 1) + self.positions
        return x_NGGD

    def features(self, x_NGGD: Tensor, branch_NGGD: Tensor) -> Tensor:
        """Return the (N, grid², K) features of the last block's output and the branch block's output."""
        features_NKgg = self._downsample(self.neck(x_NGGD))
        features_NKgg = features_NKgg + self._downsample(self.branch_neck(branch_NGGD)) * self.branch_weight
        return features_NKgg.flatten(2).transpose(1, 2)

    def _downsample(self, x_NCGG: Tensor) -> Tensor:
        size = (self.resized, self.resized)
        resized = F.interpolate(x_NCGG.float(), size=size, mode="bilinear", align_corners=False).to(x_NCGG.dtype)
        features_NKgg: Tensor = self.downsample2(self.downsample1(resized))
        return features_NKgg


def _stride2(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, 2 * channels, kernel_size=3, stride=2, padding=1, bias=False)


class Neck(nn.Module):
    """Maps (N, G, G, D) tokens to (N, C, G, G) channels; the norms are over channels."""

    def __init__(self, config: SamConfig):
        super().__init__()
        width = config.neck_width
        self.conv1 = nn.Conv2d(config.width, width, kernel_size=1, bias=False)
        self.norm1 = nn.LayerNorm(width, eps=config.norm_eps)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.LayerNorm(width, eps=config.norm_eps)

    def forward(self, x_NGGD: Tensor) -> Tensor:
        x_NCGG = self.conv1(x_NGGD.permute(0, 3, 1, 2))
        x_NCGG = self.norm1(x_NCGG.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x_NCGG = self.conv2(x_NCGG)
        y_NCGG: Tensor = self.norm2(x_NCGG.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return y_NCGG


class Block(nn.Module):
    """Attention within windows (global if the window is as large as the image) and an MLP."""

    def __init__(self, config: SamConfig, window: int):
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.attention = WindowAttention(config, window)
        self.norm2 = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.fc1 = nn.Linear(config.width, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.width)

    def forward(self, x_NGGD: Tensor) -> Tensor:
        x_NGGD = x_NGGD + self.joined(self.attention(self.windows(x_NGGD)), x_NGGD.shape[1])
        y_NGGD: Tensor = x_NGGD + self.mlp(x_NGGD)
        return y_NGGD

    def windows(self, x_NGGD: Tensor) -> Tensor:
        """Return the (W, S, S, D) windows with a side of S patches of the normalised input, padded at the end."""
        grid, window = x_NGGD.shape[1], self.window
        # Padding comes after the norm and is not masked: padded keys are attended to, as in the trained model.
        padding = -grid % window
        padded = F.pad(self.norm1(x_NGGD), (0, 0, 0, padding, 0, padding))
        across = (grid + padding) // window
        windows = padded.unflatten(2, (across, window)).unflatten(1, (across, window)).transpose(2, 3)
        windows_WSSD: Tensor = windows.flatten(0, 2)
        return windows_WSSD

    def joined(self, windows_WSSD: Tensor, grid: int) -> Tensor:
        """Return windows as (N, G, G, D) images without the padding."""
        across = -(-grid // self.window)
        padded: Tensor = windows_WSSD.unflatten(0, (-1, across, across)).transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return padded[:, :grid, :grid]

    def mlp(self, x: Tensor) -> Tensor:
        """Return what the MLP adds to (…, D) patches."""
        y: Tensor = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return y


class WindowAttention(nn.Module):
    """Attention over a square of patches with decomposed relative positions.

    A logit is q·k / sqrt(E) + q·h[row distance] + q·w[column distance]. The products of q with the tables depend on the
    key only through its row and column, so they are products with one-hot vectors: q is extended by these products, k
    by its one-hot row and column, and plain attention gives the exact logits without a G² x G² bias per head and image.
    """

    def __init__(self, config: SamConfig, window: int):
        super().__init__()
        self.heads, self.window = config.heads, window
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)
        self.rows = nn.Parameter(torch.empty(2 * window - 1, config.width // config.heads))
        self.columns = nn.Parameter(torch.empty(2 * window - 1, config.width // config.heads))

    def forward(self, x_WSSD: Tensor) -> Tensor:
        y_WSSD: Tensor = self.mix(*self.project(x_WSSD)).view_as(x_WSSD)
        return y_WSSD

    def project(self, x_WSSD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return extended queries, keys and values, (W, H, S², E) each."""
        side = self.window
        q, k, v = self.qkv(x_WSSD).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 4, 1, 2, 5)
        row_sums = torch.einsum("nhyxe,yke->nhyxk", q, _by_distance(self.rows, side))
        column_sums = torch.einsum("nhyxe,xke->nhyxk", q, _by_distance(self.columns, side))
        one_hot = torch.eye(side, dtype=k.dtype, device=k.device)
        head_width = q.shape[-1]
        # Fused attention kernels need the same width for q, k and v, a multiple of 8.
        spare = -(head_width + 2 * side) % 8
        q = F.pad(torch.cat([q * head_width**-0.5, row_sums, column_sums], dim=-1), (0, spare))
        grid_shape = (*k.shape[:2], side, side, side)
        key_rows = one_hot[:, None].expand(grid_shape)
        key_columns = one_hot[None].expand(grid_shape)
        k = F.pad(torch.cat([k, key_rows, key_columns], dim=-1), (0, spare))
        v = F.pad(v, (0, 2 * side + spare))
        return q.flatten(2, 3), k.flatten(2, 3), v.flatten(2, 3)

    def mix(self, q_WHTE: Tensor, k_WHLE: Tensor, v_WHLE: Tensor) -> Tensor:
        """Attend from some of the patches to all of them; return (W, T, D)."""
        mixed = F.scaled_dot_product_attention(q_WHTE, k_WHLE, v_WHLE, scale=1.0)
        y_WTD: Tensor = self.proj(mixed[..., : self.proj.in_features // self.heads].transpose(1, 2).flatten(2))
        return y_WTD


def _by_distance(table: Tensor, side: int) -> Tensor:
    """Expand a (2 * side - 1, E) table by distance to (side, side, E) by query q and key k, whose distance is q - k."""
    places = torch.arange(side, device=table.device)
    return table[places[:, None] - places[None] + side - 1]
