"""The passes of the model in slices, so that other work can be done between two blocks.

A pass is a generator that yields after every block and returns its result; `finish` runs the rest of it. The
modules' `forward` gives the same numbers.

Shapes: N images, P visual tokens per image, B sequences, T tokens, D width, Y and X pixels.
"""

from collections.abc import Generator
from typing import TypeVar

from torch import Tensor

from deepseek_vl.attention import Attention
from deepseek_vl.language import Language
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sam import Sam
from deepseek_vl.siglip import Siglip

T = TypeVar("T")
Slices = Generator[None, None, T]


def finish(slices: Slices[T]) -> T:
    """Run a pass to its end and return its result."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def encode(model: DeepseekVL, canvases_N3YX: Tensor) -> Slices[Tensor]:
    """Encode canvases like `DeepseekVL.encode`; the result is (N, P, D)."""
    low, high = model.tower_inputs(canvases_N3YX)
    low_features = yield from _siglip(model.siglip, low)
    high_features = None
    if model.sam is not None and high is not None:
        high_features = yield from _sam(model.sam, high)
    visual_NPD: Tensor = model.adaptor(low_features, high_features)
    return visual_NPD


def _siglip(tower: Siglip, pixels_N3YX: Tensor) -> Slices[Tensor]:
    x_NPD = tower.embed(pixels_N3YX)
    for block in tower.blocks:
        x_NPD = block(x_NPD)
        yield
    features_NPD: Tensor = tower.norm(x_NPD)
    return features_NPD


def _sam(tower: Sam, pixels_N3YX: Tensor) -> Slices[Tensor]:
    x_NGGD = branch_NGGD = tower.embed(pixels_N3YX)
    for layer, block in enumerate(tower.blocks):
        x_NGGD = block(x_NGGD)
        if layer == tower.branch_layer:
            branch_NGGD = x_NGGD
        yield
    return tower.features(x_NGGD, branch_NGGD)


def decode(language: Language, x_BTD: Tensor, positions_BT: Tensor, attention: Attention) -> Slices[Tensor]:
    """Run the language model like `Language.forward`; the result is (B, T, D)."""
    rotation = language.rotation(positions_BT, x_BTD.dtype)
    for layer, block in enumerate(language.blocks):
        x_BTD = block(x_BTD, rotation, layer, attention)
        yield
    hidden_BTD: Tensor = language.norm(x_BTD)
    return hidden_BTD
