"""Weight-only quantization of the language model: 8 or 4 bits per weight, activations in the model's type.

Both kinds keep the embedding and the head in 8 bits. Few rows (decoding) go through torch's kernels for packed weights
where they exist, which read a half or a quarter of the memory; many rows (prefill) multiply with one slice of the
weights after the other, turned back into the model's type.

Shapes: N output features, K input features, G groups of a row, M rows of activations, R rows of weights.
"""

import functools
import math
from typing import ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.language import Language

Kind = Literal["int8", "int4"]
KINDS: tuple[str, ...] = get_args(Kind)
HELP = "keep the language model's weights in 8 or 4 bits: less memory, faster answers, small errors"
GROUP = 64  # consecutive weights of a row that share a scale and a zero in 4 bits: 4.5 bits per weight
SLICE_ROWS = 512  # rows of weights turned back at once; 2 MB at a width of 2,048 stay in the processor's cache
KERNEL_DTYPES = (torch.bfloat16, torch.float16)  # in float32 torch's kernels are slower than slices
BLOCK = 64  # rows that torch's 4-bit kernel for AVX-512 reads together, and columns that fill vectors of the 8-bit one


class Quantized(nn.Module):
    """A matrix of quantized weights, filled row by row."""

    few_rows: ClassVar[int]
    """Up to so many rows the kernel is faster than slices: benchmarks/quantize.py --kernels."""

    def __init__(self, rows: int, columns: int):
        super().__init__()
        self.rows, self.columns = rows, columns

    def fill(self, first: int, weights_RK: Tensor) -> None:
        """Quantize rows of weights and store them from the row `first` on."""
        raise NotImplementedError

    def finish(self) -> None:
        """Arrange the weights for multiplication, after all rows are filled."""

    def by_kernel(self, x_MK: Tensor) -> Tensor | None:
        """Return x @ weights.T of few rows by a kernel for packed weights, or None if there is none."""
        raise NotImplementedError

    def by_slice(self, x_MK: Tensor, first: int, last: int) -> Tensor:
        """Return x @ weights[first:last].T with weights turned back into the type of x; blocks of 64 rows are whole."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weights.T for x of shape (..., K)."""
        x_MK = x.reshape(-1, self.columns)
        y_MN = self.by_kernel(x_MK) if len(x_MK) <= self.few_rows else None
        if y_MN is None:
            y_MN = x_MK.new_empty(len(x_MK), self.rows)
            for first in range(0, self.rows, SLICE_ROWS):
                last = min(first + SLICE_ROWS, self.rows)
                y_MN[:, first:last] = self.by_slice(x_MK, first, last)
        return y_MN.view(*x.shape[:-1], self.rows)


class Int8(Quantized):
    """8 bits per weight and one scale per row."""

    few_rows = 8
    values_NK: Tensor
    scales_N: Tensor

    def __init__(self, rows: int, columns: int):
        super().__init__(rows, columns)
        self.register_buffer("values_NK", torch.empty(rows, columns, dtype=torch.int8))
        self.register_buffer("scales_N", torch.empty(rows))

    def fill(self, first: int, weights_RK: Tensor) -> None:
        weights_RK = weights_RK.to(self.scales_N.device, torch.float32)
        # Quantized with the scale as it is stored, so that rounding the scale costs nothing.
        scales_R = (weights_RK.abs().amax(1) / 127).to(self.scales_N.dtype)
        scales_R = torch.where(scales_R == 0, 1, scales_R)
        rows = slice(first, first + len(weights_RK))
        self.values_NK[rows] = (weights_RK / scales_R[:, None].float()).round_().clamp_(-127, 127).to(torch.int8)
        self.scales_N[rows] = scales_R

    def by_slice(self, x_MK: Tensor, first: int, last: int) -> Tensor:
        # Scaling the product is cheaper than scaling the weights. 128 is taken out before, so that float16 holds it.
        y_MR = F.linear(x_MK / 128, self.values_NK[first:last].to(x_MK.dtype))
        return y_MR.mul_(self.scales_N[first:last] * 128)

    def by_kernel(self, x_MK: Tensor) -> Tensor | None:
        # The kernel is wrong for widths that do not fill its vectors (56, for one).
        if x_MK.device.type != "cpu" or x_MK.dtype not in KERNEL_DTYPES or self.columns % BLOCK:
            return None
        y_MN: Tensor = torch._weight_int8pack_mm(x_MK, self.values_NK, self.scales_N)
        return y_MN

    def rows_of(self, indices: Tensor) -> Tensor:
        """Return the rows of the given indices in the model's type."""
        return self.values_NK[indices].to(self.scales_N.dtype) * self.scales_N[indices][..., None]


class Int8Embedding(Int8):
    """An embedding table in 8 bits."""

    def forward(self, tokens: Tensor) -> Tensor:
        return self.rows_of(tokens)


class Int4(Quantized):
    """4 bits per weight, a scale and a zero per group: weight = (value - 8) * scale + zero.

    Two values share a byte: two neighbouring columns, or, in blocks of 64 rows, two rows with a distance of 32. Blocks
    need no transposition before multiplication, and torch's kernel for AVX-512 reads them.
    """

    few_rows = 64
    bytes_NH: Tensor
    """(N, K / 2) uint8."""
    scales_zeros_GN2: Tensor

    def __init__(self, rows: int, columns: int):
        super().__init__(rows, columns)
        if columns % 2:
            raise ValueError(f"4 bits need an even number of input features, got {columns}")
        self.group = math.gcd(columns, GROUP)
        self.blocks = self.kernel = False
        self.register_buffer("bytes_NH", torch.empty(rows, columns // 2, dtype=torch.uint8))
        self.register_buffer("scales_zeros_GN2", torch.empty(columns // self.group, rows, 2))

    def fill(self, first: int, weights_RK: Tensor) -> None:
        weights_RGE = weights_RK.to(self.bytes_NH.device, torch.float32).unflatten(1, (-1, self.group))
        low_RG, high_RG = weights_RGE.aminmax(dim=2)
        dtype = self.scales_zeros_GN2.dtype
        scales_RG = ((high_RG - low_RG) / 15).to(dtype)
        scales_RG = torch.where(scales_RG == 0, 1, scales_RG)
        zeros_RG = (low_RG + 8 * scales_RG.float()).to(dtype)
        steps_RGE = (weights_RGE - zeros_RG[..., None].float()) / scales_RG[..., None].float()
        values_RK = (steps_RGE.round_() + 8).clamp_(0, 15).to(torch.uint8).flatten(1)
        rows = slice(first, first + len(weights_RK))
        self.bytes_NH[rows] = values_RK[:, 0::2] | values_RK[:, 1::2] << 4
        self.scales_zeros_GN2[:, rows] = torch.stack([scales_RG.T, zeros_RG.T], dim=-1)

    def finish(self) -> None:
        if self.rows % BLOCK:
            return
        for first in range(0, self.rows, BLOCK):
            rows = self.bytes_NH[first : first + BLOCK]
            rows.copy_(_interleaved(_neighbours(rows)))
        self.blocks = True
        dtype, device = self.scales_zeros_GN2.dtype, self.bytes_NH.device
        fits = self.group >= 32 and dtype in KERNEL_DTYPES and device.type == "cpu"
        self.kernel = fits and _kernel_reads_blocks()

    def by_slice(self, x_MK: Tensor, first: int, last: int) -> Tensor:
        scales_GR, zeros_GR = self.scales_zeros_GN2[:, first:last].movedim(-1, 0).contiguous()  # for vector loads
        if not self.blocks:
            values_RGE = _neighbours(self.bytes_NH[first:last]).to(x_MK.dtype).unflatten(1, (-1, self.group)) - 8
            return F.linear(x_MK, (values_RGE * scales_GR.T[..., None] + zeros_GR.T[..., None]).flatten(1))
        # B blocks of S = 64 rows, transposed as they are: (B, K, S), and their scales: (B, G, 1, S).
        bytes_BKH = self.bytes_NH[first:last].view(-1, self.columns, BLOCK // 2)
        weights_BKS = x_MK.new_empty(len(bytes_BKH), self.columns, BLOCK)
        weights_BKS[..., : BLOCK // 2] = bytes_BKH & 15
        weights_BKS[..., BLOCK // 2 :] = bytes_BKH >> 4
        scales, zeros = (part.unflatten(1, (-1, 1, BLOCK)).permute(1, 0, 2, 3) for part in (scales_GR, zeros_GR))
        weights_BKS.sub_(8).unflatten(1, (-1, self.group)).mul_(scales).add_(zeros)
        y_BMS = torch.matmul(x_MK, weights_BKS)
        return y_BMS.transpose(0, 1).reshape(len(x_MK), -1)

    def by_kernel(self, x_MK: Tensor) -> Tensor | None:
        if not self.kernel:
            return None
        packed = torch.ops.aten._weight_int4pack_mm_for_cpu
        y_MN: Tensor = packed(x_MK.contiguous(), self.bytes_NH, self.group, self.scales_zeros_GN2)
        return y_MN


def _neighbours(bytes_RH: Tensor) -> Tensor:
    """Return the (R, K) values, 0 to 15, of rows that are not in blocks."""
    return torch.stack([bytes_RH & 15, bytes_RH >> 4], dim=-1).flatten(1)


def _interleaved(values_RK: Tensor) -> Tensor:
    """Return a block of rows as the kernel reads it: for each column, a row in the low and one in the high half."""
    low_KH, high_KH = values_RK.T.chunk(2, dim=1)
    return (low_KH | high_KH << 4).reshape(len(values_RK), -1)


@functools.cache
def _kernel_reads_blocks() -> bool:
    """Return True if torch's 4-bit kernel has the layout of `_interleaved` on this processor."""
    values = torch.arange(BLOCK * GROUP, dtype=torch.int32).reshape(BLOCK, GROUP) * 7 % 16
    try:
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(values, 1)
    except (RuntimeError, AttributeError, NotImplementedError):  # another release of torch, another processor
        return False
    return torch.equal(packed.flatten(), _interleaved(values.to(torch.uint8)).flatten())


def quantize_layers(language: Language, kind: str) -> None:
    """Replace the layers of a language model, whose weights are not loaded yet, by quantized ones.

    Raises:
        ValueError: `kind` is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown quantization {kind!r}; expected one of {', '.join(KINDS)}")
    layer = Int8 if kind == "int8" else Int4
    for block in language.blocks:
        for name, child in list(block.named_children()):
            if isinstance(child, nn.Linear):
                setattr(block, name, layer(child.out_features, child.in_features))
    language.head = Int8(language.head.out_features, language.head.in_features)
    language.embedding = Int8Embedding(language.embedding.num_embeddings, language.embedding.embedding_dim)
