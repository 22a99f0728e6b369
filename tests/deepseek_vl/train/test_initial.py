"""The first weights of a training from nothing."""

import pytest
import torch

from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.initial import widen
from tests.deepseek_vl import tiny


def test_layers_and_positions_have_the_deviation_of_their_inputs() -> None:
    model = DeepseekVL.random(tiny.HYBRID, 0, device=tiny.CPU, dtype=torch.float32)
    embedding = model.language.embedding.weight.detach().clone()
    widen(model)
    assert model.language.head.weight.detach().std() == pytest.approx(tiny.HYBRID.language.width**-0.5, rel=0.1)
    assert model.siglip.positions.detach().std() == pytest.approx(tiny.HYBRID.low.width**-0.5, rel=0.2)
    assert model.sam is not None
    kernel = next(module for module in model.sam.modules() if isinstance(module, torch.nn.Conv2d))
    assert kernel.weight.detach().std() == pytest.approx(kernel.weight[0].numel() ** -0.5, rel=0.2)
    assert torch.equal(model.language.embedding.weight, embedding)
