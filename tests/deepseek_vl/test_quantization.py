"""Quantized weights: errors, kernels against slices, loading, options."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from deepseek_vl import checkpoint
from deepseek_vl.engine import generate
from deepseek_vl.quantization import BLOCK, KINDS, Int4, Int8, Int8Embedding, Quantized, quantize_layers
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Scorer
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow


def filled(layer: type[Quantized], weights: torch.Tensor, dtype: torch.dtype) -> Quantized:
    """Return a layer filled a few rows at a time."""
    made = layer(*weights.shape).to(dtype)
    for first in range(0, len(weights), 48):
        made.fill(first, weights[first : first + 48].to(dtype))
    made.finish()
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(2 * BLOCK, 128), (3 * BLOCK, 48), (100, 56)])
@pytest.mark.parametrize(("layer", "step"), [(Int8, 1 / 127), (Int4, 2 / 15)])
def test_products_are_those_of_the_rounded_weights(
    layer: type[Quantized], step: float, shape: tuple[int, int], dtype: torch.dtype
) -> None:
    """By kernel or by slice, the product is near the exact one: every weight is off by at most half a step."""
    generator = torch.Generator().manual_seed(2)
    weights = torch.randn(shape, generator=generator) * torch.logspace(-3, 1, shape[0])[:, None]
    quantized = filled(layer, weights, dtype)
    identity = torch.eye(shape[1], dtype=dtype)
    restored = quantized(identity).T.float()
    rounding = 0.02 if dtype == torch.bfloat16 else 0.002
    limit = weights.abs().amax(1, keepdim=True) * (step / 2 * 1.05 + rounding)
    assert ((restored - weights.to(dtype)).abs() <= limit).all()
    for rows in (1, layer.few_rows, layer.few_rows + 1):
        x = torch.randn(2, rows, shape[1], generator=generator).to(dtype)[:1]
        exact = x.float() @ restored.T
        scale = x.float().norm() * restored.norm(dim=1)
        assert ((quantized(x).float() - exact).abs() <= 0.02 * scale + 1e-6).all()


def test_the_kernel_and_the_slices_agree() -> None:
    weights = torch.randn(4 * BLOCK, 256, generator=torch.Generator().manual_seed(3))
    x = torch.randn(6, 256, generator=torch.Generator().manual_seed(4)).bfloat16()
    for layer in (Int8, Int4):
        quantized = filled(layer, weights, torch.bfloat16)
        by_kernel = quantized.by_kernel(x)
        if by_kernel is None:
            pytest.skip("torch has no kernel for 4 bits on this processor")
        slices = quantized.by_slice(x, 0, len(weights))
        torch.testing.assert_close(by_kernel, slices, atol=0.15, rtol=0.02)


def test_large_activations_stay_finite_in_float16() -> None:
    quantized = filled(Int8, torch.full((BLOCK, 64), 0.01), torch.float16)
    y = quantized(torch.full((Int8.few_rows + 1, 64), 1000.0, dtype=torch.float16))
    np.testing.assert_allclose(y.float(), 640.0, rtol=0.01)


@pytest.mark.parametrize("layer", [Int8, Int4])
def test_rows_of_zeros_and_of_one_value_are_exact(layer: type[Quantized]) -> None:
    weights = torch.zeros(BLOCK, 64)
    weights[1], weights[2, 0], weights[3] = 3.0, float("nan"), -1.0
    restored = filled(layer, weights, torch.float32)(torch.eye(64)).T
    torch.testing.assert_close(restored[[0, 1, 3]], weights[[0, 1, 3]])
    assert restored[2].isnan().any()  # broken weights are not hidden


def test_odd_widths_have_no_four_bits() -> None:
    with pytest.raises(ValueError, match="an even number of input features, got 7"):
        Int4(8, 7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("quantized")
    tiny.write_checkpoint(made, tiny.HYBRID, "authors")
    return made


@pytest.mark.parametrize(("kind", "limit"), [("int8", 0.02), ("int4", 0.25)])
@torch.no_grad()
def test_a_quantized_model_answers_nearly_the_same(kind: str, limit: float, folder: Path) -> None:
    plain = checkpoint.load(folder, device=tiny.CPU, dtype=torch.float32)
    quantized = checkpoint.load(folder, device=tiny.CPU, dtype=torch.float32, quantize=kind)
    tokens = torch.arange(3, 300)[None]
    places = torch.zeros(0, dtype=torch.long)
    exact, ours = plain(tokens, places, None), quantized(tokens, places, None)
    assert 0 < (ours - exact).square().mean().sqrt() / exact.std() < limit
    size = {name: sum(t.nbytes for t in (*m.parameters(), *m.buffers())) for name, m in
            (("plain", plain.language), ("quantized", quantized.language))}  # fmt: skip
    assert size["quantized"] < size["plain"] / (3.2 if kind == "int8" else 3.8)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_and_scores_of_a_quantized_model(kind: str, folder: Path) -> None:
    model = checkpoint.load(folder, device=tiny.CPU, dtype=torch.bfloat16, quantize=kind)
    processor = tiny.processor(tiny.HYBRID)
    image = Image.new("RGB", (50, 30), (200, 30, 0))
    prompt = processor.prompt(
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "x"}]}], [image]
    )
    [answer] = generate(model, processor, [prompt], SamplingSettings(max_tokens=5))
    assert len(answer.tokens) == 5 or answer.finish_reason == "stop"
    scores = Scorer(model, processor).score([image], ["what is it?"], ["Yes", "No"])
    plain = Scorer(tiny.model(tiny.HYBRID), processor).score([image], ["what is it?"], ["Yes", "No"])
    np.testing.assert_allclose(np.exp(scores), np.exp(plain), atol=0.3)


def test_a_quantized_model_is_not_saved_and_an_unknown_kind_is_named(folder: Path, tmp_path: Path) -> None:
    model = checkpoint.load(folder, device=tiny.CPU, dtype=torch.float32, quantize="int8")
    with pytest.raises(ValueError, match="a quantized model cannot be saved"):
        checkpoint.save(model, tmp_path)
    with pytest.raises(ValueError, match="unknown quantization 'int3'; expected one of int8, int4"):
        quantize_layers(model.language, "int3")


def test_every_matrix_of_the_language_model_is_quantized(folder: Path) -> None:
    model = checkpoint.load(folder, device=tiny.CPU, dtype=torch.float32, quantize="int4")
    assert not [name for name, module in model.language.named_modules() if isinstance(module, nn.Linear)]
    assert isinstance(model.language.embedding, Int8Embedding)
    assert type(model.language.head) is Int8
