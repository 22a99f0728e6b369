"""Parts of the model: exact relative positions, padded windows, initial weights, contradictory settings."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from deepseek_vl import device
from deepseek_vl.config import LanguageConfig, ModelConfig, SamConfig, SiglipConfig, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sam import WindowAttention
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow


@torch.no_grad()
def test_extended_attention_equals_an_explicit_bias_in_double_precision() -> None:
    torch.manual_seed(0)
    for side in (1, 4, 7):
        attention = WindowAttention(tiny.HIGH, side).double()
        for parameter in attention.parameters():
            parameter.normal_()
        x = torch.randn(2, side, side, tiny.HIGH.width, dtype=torch.float64)
        q, k, v = attention.qkv(x).flatten(1, 2).unflatten(-1, (3, tiny.HIGH.heads, -1)).permute(2, 0, 3, 1, 4)
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        for a in range(side**2):
            for b in range(side**2):
                rows, columns = a // side - b // side + side - 1, a % side - b % side + side - 1
                logits[..., a, b] += q[..., a, :] @ (attention.rows[rows] + attention.columns[columns])
        mixed = (logits.softmax(-1) @ v).transpose(1, 2).flatten(2).unflatten(1, (side, side))
        torch.testing.assert_close(attention(x), attention.proj(mixed), atol=1e-10, rtol=1e-10)


def test_random_weights_depend_on_the_seed_alone() -> None:
    one, same, other = (DeepseekVL.random(tiny.HYBRID, s, device=tiny.CPU, dtype=torch.float32) for s in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.language.head.weight, other.language.head.weight)
    assert one.sam is not None
    assert one.sam.branch_weight == 0
    assert one.language.norm.weight.eq(1).all()
    assert one.siglip.get_parameter("blocks.0.qkv.bias").eq(0).all()
    assert one.language.head.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_the_gradient_reaches_every_parameter() -> None:
    model = tiny.model(tiny.HYBRID)
    side, image = tiny.HYBRID.image_px, tiny.HYBRID.image_token
    tokens = torch.tensor([[0, *[image] * tiny.HYBRID.tokens_per_image, 5, 6]])
    canvases = torch.randint(0, 256, (1, 3, side, side), dtype=torch.uint8)
    logits = model(tokens, (tokens.flatten() == image).nonzero().flatten(), canvases)
    logits.log_softmax(-1)[0, -2, 6].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: preset("13b"), "unknown preset '13b'; expected one of 1.3b"),
        (lambda: SiglipConfig(image_px=100), r"patch_px \(16\) must divide image_px \(100\)"),
        (lambda: SamConfig(heads=7), r"heads \(7\) must divide width \(768\)"),
        (lambda: SamConfig(global_layers=(12,)), "blocks 0 to 11"),
        (lambda: SamConfig(global_layers=()), "blocks 0 to 11"),
        (lambda: LanguageConfig(width=48, heads=16), "must divide width"),
        (lambda: ModelConfig(language=replace(tiny.LANGUAGE)), "bos must be below the vocabulary of 512, got 100000"),
        (lambda: device.pick("cuda:99"), "the device 'cuda:99' cannot be used"),
        (lambda: device.pick("toaster"), "the device 'toaster' cannot be used"),
        (lambda: device.pick_dtype("int4", tiny.CPU), "unknown dtype 'int4'"),
    ],
)
def test_settings_that_fit_nothing_are_rejected(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
