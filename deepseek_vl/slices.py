"""The passes of the model in pieces, so that other work can be done between two of them.

A pass is a generator that yields before every piece its number of floating-point operations, and returns its result;
`finish` runs all of it, `Pass` a part. The modules' `forward` gives the same numbers; with a limit on the size of a
piece, they may differ in the last bits.

Shapes: N images, P visual tokens per image, B sequences, T tokens, D width, W windows, G patches along a side, H heads,
E head width, Y and X pixels.
"""

import math
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from deepseek_vl import sam, siglip
from deepseek_vl.attention import Attention, Packed
from deepseek_vl.config import LanguageConfig, ModelConfig
from deepseek_vl.language import Language
from deepseek_vl.model import DeepseekVL

T = TypeVar("T")
Slices = Generator[float, None, T]


class Pass(Generic[T]):
    """A pass that goes on piece by piece; its result is there once it is done."""

    def __init__(self, slices: Slices[T]):
        self._slices, self._next_flop = slices, 0.0
        self.done = False
        self.result: T

    def advance(self, budget_flop: float) -> float:
        """Run the next pieces, at least one and others within the budget; return the operations spent."""
        spent = 0.0
        while not self.done and (not spent or spent + self._next_flop <= budget_flop):
            spent += self._next_flop
            try:
                self._next_flop = next(self._slices)
            except StopIteration as end:
                self.done, self.result = True, end.value
        return spent


def finish(slices: Slices[T]) -> T:
    """Run a pass to its end and return its result."""
    whole = Pass(slices)
    whole.advance(math.inf)
    return whole.result


def token_flop(config: LanguageConfig) -> float:
    """Return the operations of a token in the blocks of the language model, without attention."""
    return 2.0 * config.layers * config.width * (4 * config.width + 3 * config.hidden)


def images_within(config: ModelConfig, limit_flop: float) -> float:
    """Return how many images go through the largest block of the towers together within a limit; at least one."""
    low, high = config.low, config.high
    flop = 2.0 * low.grid**2 * low.width * (4 * low.width + 2 * low.hidden + 2 * low.grid**2)
    if high is not None:
        flop = 2.0 * high.grid**2 * high.width * (4 * high.width + 2 * high.hidden + 4 * high.grid**2)
    return max(1.0, limit_flop // flop) if limit_flop < math.inf else math.inf


def encode(model: DeepseekVL, canvases_N3YX: Tensor, limit_flop: float = math.inf) -> Slices[Tensor]:
    """Encode canvases like `DeepseekVL.encode`; the result is (N, P, D).

    Args:
        limit_flop: operations of a piece; only a block of the low tower on all images may have more.
    """
    yield 0.0
    low, high = model.tower_inputs(canvases_N3YX)
    low_features = yield from _siglip(model.siglip, low)
    high_features = None
    if model.sam is not None and high is not None:
        high_features = yield from _sam(model.sam, high, limit_flop)
    yield low_features.shape[:2].numel() * _flop(model.adaptor)
    visual_NPD: Tensor = model.adaptor(low_features, high_features)
    return visual_NPD


def _siglip(tower: siglip.Siglip, pixels_N3YX: Tensor) -> Slices[Tensor]:
    num_images, num_tokens = len(pixels_N3YX), len(tower.positions)
    yield num_images * num_tokens * _flop(tower.patches)
    x_NPD = tower.embed(pixels_N3YX)
    for block in tower.blocks:
        yield num_images * num_tokens * (_flop(block) + 4 * num_tokens * x_NPD.shape[-1])
        x_NPD = block(x_NPD)
    features_NPD: Tensor = tower.norm(x_NPD)
    return features_NPD


def _sam(tower: sam.Sam, pixels_N3YX: Tensor, limit_flop: float) -> Slices[Tensor]:
    num_tokens = len(pixels_N3YX) * tower.positions.shape[:2].numel()
    yield num_tokens * _flop(tower.patches)
    x_NGGD = branch_NGGD = tower.embed(pixels_N3YX)
    for layer, block in enumerate(tower.blocks):
        x_NGGD = yield from _sam_block(block, x_NGGD, limit_flop)
        if layer == tower.branch_layer:
            branch_NGGD = x_NGGD
    halving = (tower.resized // 2) ** 2 * _flop(tower.downsample1) + (tower.resized // 4) ** 2 * _flop(
        tower.downsample2
    )
    yield 2 * (num_tokens * _flop(tower.neck) + len(pixels_N3YX) * halving)
    return tower.features(x_NGGD, branch_NGGD)


def _sam_block(block: Any, x_NGGD: Tensor, limit_flop: float) -> Slices[Tensor]:
    num_keys, width = block.window**2, x_NGGD.shape[-1]
    # The queries and keys of a head are longer by the window's rows and columns, and the values are padded to that.
    pair_flop = 4.0 * (width + 2 * block.window * block.attention.heads)
    token_flop = _flop(block.attention.qkv) + 4.0 * block.window * width  # and the sums of rows and columns
    mlp_flop = _flop(block.fc1) + _flop(block.fc2)
    window_flop = num_keys * (token_flop + _flop(block.attention.proj) + num_keys * pair_flop)
    num_windows = len(x_NGGD) * (-(-x_NGGD.shape[1] // block.window)) ** 2
    whole = num_windows * window_flop + x_NGGD.shape[:3].numel() * mlp_flop
    if whole <= limit_flop:  # in one piece it may be compiled
        yield whole
        y_NGGD: Tensor = block(x_NGGD)
        return y_NGGD
    windows_WSSD = block.windows(x_NGGD)
    if window_flop <= limit_flop:
        mixed_WSSD = yield from _in_groups(block.attention, windows_WSSD, window_flop, limit_flop)
    else:
        parts = []
        for window_SSD in windows_WSSD:
            part = yield from _one_window(
                block.attention, window_SSD[None], num_keys * token_flop, num_keys * pair_flop, limit_flop
            )
            parts.append(part)
        mixed_WSSD = torch.cat(parts)
    x_NGGD = x_NGGD + block.joined(mixed_WSSD, x_NGGD.shape[1])
    added_TD = yield from _in_groups(block.mlp, x_NGGD.flatten(0, 2), mlp_flop, limit_flop)
    return x_NGGD + added_TD.view_as(x_NGGD)


def _one_window(
    attention: sam.WindowAttention, window_1SSD: Tensor, project_flop: float, query_flop: float, limit_flop: float
) -> Slices[Tensor]:
    """Attend from groups of the patches of a large window to all of them."""
    yield project_flop
    q_1HTE, k_1HTE, v_1HTE = attention.project(window_1SSD)

    def mix(q_TH1E: Tensor) -> Tensor:
        return attention.mix(q_TH1E.permute(2, 1, 0, 3), k_1HTE, v_1HTE)[0]

    mixed_TD = yield from _in_groups(mix, q_1HTE.permute(2, 1, 0, 3), query_flop + _flop(attention.proj), limit_flop)
    return mixed_TD.view_as(window_1SSD)


def decode(
    language: Language,
    x_BTD: Tensor,
    positions_BT: Tensor,
    attention: Attention,
    limit_flop: float = math.inf,
) -> Slices[Tensor]:
    """Run the language model like `Language.forward`; the result is (B, T, D).

    Args:
        limit_flop: operations of a piece; for packed attention.
    """
    rotation = language.rotation(positions_BT, x_BTD.dtype)
    flop = token_flop(language.config) / language.config.layers
    if isinstance(attention, Packed):
        attention = attention.in_parts(limit_flop / (4 * language.config.width))
    for layer, block in enumerate(language.blocks):
        x_BTD = yield from _block(block, x_BTD, rotation, layer, attention, flop, limit_flop)
    hidden_BTD: Tensor = language.norm(x_BTD)
    return hidden_BTD


def _block(
    block: Any,
    x_BTD: Tensor,
    rotation: tuple[Tensor, Tensor],
    layer: int,
    attention: Attention,
    token: float,
    limit_flop: float,
) -> Slices[Tensor]:
    width, num_tokens = x_BTD.shape[-1], x_BTD.shape[1]
    whole = token * num_tokens + 4.0 * width * (attention.num_pairs if isinstance(attention, Packed) else 0)
    if whole <= limit_flop or not isinstance(attention, Packed) or attention.varlen is not None:
        yield whole
        y_BTD: Tensor = block(x_BTD, rotation, layer, attention)
        return y_BTD
    groups, qkv = _groups(num_tokens, token, limit_flop), 6.0 * width**2
    projected = []
    for group in groups:
        yield qkv * (group.stop - group.start)
        projected.append(block.project(x_BTD[:, group], *(part[:, :, group] for part in rotation)))
    q, k, v = (torch.cat(parts, dim=2) for parts in zip(*projected, strict=True))
    mixed = []
    for span in attention.spans:
        yield 4.0 * width * span.num_pairs
        mixed.append(attention.attend(span, q, k, v))
    mixed_BHTE = torch.cat(mixed, dim=2)
    finished = []
    for group in groups:
        yield (token - qkv) * (group.stop - group.start)
        finished.append(block.finish(x_BTD[:, group], mixed_BHTE[:, :, group]))
    return torch.cat(finished, dim=1)


def _in_groups(work: Callable[[Tensor], Tensor], x: Tensor, flop: float, limit_flop: float) -> Slices[Tensor]:
    """Apply `work`, which costs `flop` for each element of the first dimension, to groups of them."""
    parts = []
    for group in _groups(len(x), flop, limit_flop):
        yield flop * (group.stop - group.start)
        parts.append(work(x[group]))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _groups(count: int, flop: float, limit_flop: float) -> list[slice]:
    """Divide a count into as few groups of similar size as the limit allows."""
    most = int(max(1.0, min(count, limit_flop // flop)))
    size = -(-count // -(-count // most))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _flop(module: nn.Module) -> float:
    """Return the operations of a module's linear layers for a token."""
    return 2.0 * sum(parameter.numel() for parameter in module.parameters())
