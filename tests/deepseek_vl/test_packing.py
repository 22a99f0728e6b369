"""Packed weights: the same products, no copy left, and nothing packed where it does not pay."""

import pytest
import torch
from torch import nn

from deepseek_vl.model import DeepseekVL
from deepseek_vl.packing import PackedLinear, can_pack, pack
from tests.deepseek_vl import tiny


@pytest.mark.skipif(not can_pack(tiny.CPU, torch.bfloat16), reason="no 16-bit kernels on this CPU")
@pytest.mark.parametrize("num_tokens", [1, 3, 70])
@torch.inference_mode()
def test_packed_products_are_the_same(num_tokens: int) -> None:
    linear = nn.Linear(64, 48, bias=False, dtype=torch.bfloat16)
    x = torch.randn(1, num_tokens, 64, generator=torch.Generator().manual_seed(1)).bfloat16()
    expected = (x.double() @ linear.weight.double().T).float()
    torch.testing.assert_close(PackedLinear(linear)(x).float(), expected, atol=1e-2, rtol=1e-2)


@pytest.mark.skipif(not can_pack(tiny.CPU, torch.bfloat16), reason="no 16-bit kernels on this CPU")
def test_only_the_blocks_of_a_16_bit_model_are_packed() -> None:
    wide = tiny.model(tiny.SINGLE)
    pack(wide)
    assert all(isinstance(block.qkv, nn.Linear) for block in wide.language.blocks)
    narrow = DeepseekVL.random(tiny.SINGLE, 0, device=tiny.CPU, dtype=torch.bfloat16)
    x, positions = torch.randn(1, 9, 32).bfloat16(), torch.arange(9)[None]
    with torch.inference_mode():
        before = narrow.language(x, positions)
        pack(narrow)
        torch.testing.assert_close(narrow.language(x, positions), before, atol=0.1, rtol=0.05)
    assert all(isinstance(block.down, PackedLinear) for block in narrow.language.blocks)
    assert isinstance(narrow.language.head, nn.Linear)
    assert not any("qkv" in name for name, _ in narrow.language.named_parameters())
