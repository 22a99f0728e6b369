"""Weight-only quantization of the language model: 8 or 4 bits per weight, activations in the model's type.

Both kinds keep the embedding and the head in 8 bits. Few rows (decoding) go through torch's kernels for packed weights
where they exist, which read a half or a quarter of the memory; many rows (prefill) multiply with one slice of the
weights after the other, turned back into the model's type.

Shapes: N output features, K input features, G groups of a row, M rows of activations, R rows of weights.
"""

import functools
import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.language import Language

Kind = Literal["int8", "int4"]
KINDS: tuple[str, ...] = get_args(Kind)
GROUP = 64  # consecutive weights of a row that share a scale and a zero in 4 bits: 4.5 bits per weight
SLICE_ROWS = 512  # rows of weights turned back at once; 2 MB at a width of 2,048 stay in the processor's cache
FEW_ROWS = 4  # up to here the kernels are faster than slices: benchmarks/quantize.py --kernels
KERNEL_DTYPES = (torch.bfloat16, torch.float16)  # in float32 torch's kernels are slower than slices
BLOCK = 64  # rows that torch's 4-bit kernel interleaves on processors with AVX-512


class Quantized(nn.Module):
    """A matrix of quantized weights, filled row by row."""

    def __init__(self, rows: int, columns: int):
        super().__init__()
        self.rows, self.columns = rows, columns

    def fill(self, first: int, weights_RK: Tensor) -> None:
        """Quantize rows of weights and store them from the row `first` on."""
        raise NotImplementedError

    def finish(self) -> None:
        """Arrange the weights for the device after all rows are filled."""

    def dequantized(self, first: int, last: int) -> Tensor:
        """Return the rows from `first` to before `last` in the model's type."""
        raise NotImplementedError

    def few(self, x_MK: Tensor) -> Tensor | None:
        """Return the product with few rows by a kernel for packed weights, or None if there is none."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weights.T for x of shape (..., K)."""
        x_MK = x.reshape(-1, self.columns)
        y_MN = self.few(x_MK) if len(x_MK) <= FEW_ROWS else None
        if y_MN is None:
            y_MN = x_MK.new_empty(len(x_MK), self.rows)
            for first in range(0, self.rows, SLICE_ROWS):
                last = min(first + SLICE_ROWS, self.rows)
                y_MN[:, first:last] = F.linear(x_MK, self.dequantized(first, last))
        return y_MN.view(*x.shape[:-1], self.rows)


class Int8(Quantized):
    """8 bits per weight and one scale per row."""

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

    def dequantized(self, first: int, last: int) -> Tensor:
        return self.values_NK[first:last].to(self.scales_N.dtype) * self.scales_N[first:last, None]

    def few(self, x_MK: Tensor) -> Tensor | None:
        if x_MK.device.type != "cpu" or x_MK.dtype not in KERNEL_DTYPES:
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

    Two values share a byte. Rows are stored one after the other; `finish` interleaves them in blocks if that is how
    torch's kernel on this processor reads them.
    """

    bytes_NH: Tensor
    """(N, K / 2) uint8."""
    scales_zeros_GN2: Tensor

    def __init__(self, rows: int, columns: int):
        super().__init__(rows, columns)
        if columns % 2:
            raise ValueError(f"4 bits need an even number of input features, got {columns}")
        self.group = math.gcd(columns, GROUP)
        self.blocks = False
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
        dtype, device = self.scales_zeros_GN2.dtype, self.bytes_NH.device
        fits = self.rows % BLOCK == 0 and self.group >= 32 and dtype in KERNEL_DTYPES and device.type == "cpu"
        if fits and _kernel_reads_blocks():
            for first in range(0, self.rows, BLOCK):
                self.bytes_NH[first : first + BLOCK] = _interleaved(self._values(first, first + BLOCK))
            self.blocks = True

    def _values(self, first: int, last: int) -> Tensor:
        """Return the (R, K) values, 0 to 15, of whole blocks of rows."""
        stored_RH = self.bytes_NH[first:last]
        low, high = stored_RH & 15, stored_RH >> 4
        if not self.blocks:
            return torch.stack([low, high], dim=-1).flatten(1)
        halves = torch.cat([part.view(-1, self.columns, BLOCK // 2) for part in (low, high)], dim=2)
        return halves.transpose(1, 2).reshape(-1, self.columns)

    def dequantized(self, first: int, last: int) -> Tensor:
        scales_zeros_GR2 = self.scales_zeros_GN2[:, first:last]
        scales_RG1, zeros_RG1 = (part.T[..., None] for part in scales_zeros_GR2.unbind(-1))
        values_RGE = self._values(first, last).to(scales_zeros_GR2.dtype).unflatten(1, (-1, self.group)) - 8
        weights_RK: Tensor = (values_RGE * scales_RG1 + zeros_RG1).flatten(1)
        return weights_RK

    def few(self, x_MK: Tensor) -> Tensor | None:
        if not self.blocks:
            return None
        packed = torch.ops.aten._weight_int4pack_mm_for_cpu
        y_MN: Tensor = packed(x_MK.contiguous(), self.bytes_NH, self.group, self.scales_zeros_GN2)
        return y_MN


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
