"""Attention with lengths equals attention with explicit masks, and the CUDA forms equal the others on the CPU."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from deepseek_vl import varlen
from deepseek_vl.attention import Cache, Cached, Continuation, Packed, Span, attend_last
from deepseek_vl.engine import Engine
from deepseek_vl.fixed_step import FixedStep
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair
from tests.deepseek_vl.test_engine import SETTINGS, prompts_of


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("num_queries", "num_keys"), [(1, 1), (1, 9), (4, 9), (9, 9)])
@pytest.mark.parametrize("grad", [False, True])
def test_the_last_tokens_attend_causally_to_all(num_queries: int, num_keys: int, grad: bool) -> None:
    q, k, v = random(2, 3, num_queries, 8), random(2, 3, num_keys, 8, seed=1), random(2, 3, num_keys, 8, seed=2)
    expected = F.scaled_dot_product_attention(F.pad(q, (0, 0, num_keys - num_queries, 0)), k, v, is_causal=True)
    with torch.set_grad_enabled(grad):
        torch.testing.assert_close(attend_last(q, k, v), expected[:, :, -num_queries:], atol=1e-6, rtol=1e-5)


def test_packed_documents_equal_separate_ones_with_gradients() -> None:
    """As training with packed sequences needs it."""
    language = tiny.model(tiny.SINGLE).language.double()
    lengths = [5, 1, 9, 3]
    x = random(1, sum(lengths), 32)
    positions = torch.cat([torch.arange(n) for n in lengths])[None]
    packed = language(x, positions, Packed.documents(lengths, tiny.CPU))
    packed.square().sum().backward()
    gradient = language.blocks[0].qkv.weight.grad.clone()
    language.zero_grad()
    stops = list(itertools.accumulate(lengths))
    for length, stop in zip(lengths, stops, strict=True):
        alone = language(x[:, stop - length : stop], torch.arange(length)[None])
        torch.testing.assert_close(packed[:, stop - length : stop], alone)
        alone.square().sum().backward()
    torch.testing.assert_close(language.blocks[0].qkv.weight.grad, gradient)


def varlen_by_definition(
    q: Tensor, k: Tensor, v: Tensor, cu_q: Tensor, cu_k: Tensor, max_q: int, max_k: int, *, window_size: tuple[int, int]
) -> Tensor:
    """The kernel's contract, which has no CPU form: sequences by cumulative lengths, causal from the last key."""
    assert window_size == (-1, 0)
    assert cu_q.dtype == cu_k.dtype == torch.int32
    assert (max_q, max_k) == (int(cu_q.diff().max()), int(cu_k.diff().max()))
    parts = []
    for a, b, c, d in zip(cu_q[:-1], cu_q[1:], cu_k[:-1], cu_k[1:], strict=True):
        mask = torch.ones(b - a, d - c, dtype=torch.bool).tril(int((d - c) - (b - a)))
        one_q, one_k, one_v = (x.transpose(0, 1) for x in (q[a:b], k[c:d], v[c:d]))
        parts.append(F.scaled_dot_product_attention(one_q, one_k, one_v, attn_mask=mask).transpose(0, 1))
    return torch.cat(parts)


@pytest.mark.parametrize(
    "spans",
    [
        [Span(0, 5), Span(5, 6), Span(6, 13)],
        [Span(0, 6), Span(6, 9, ((0, 6),)), Span(9, 13, ((0, 6),)), Span(13, 14, ((0, 6), (9, 13)))],
    ],
)
def test_the_kernel_for_packed_sequences_gets_the_right_keys(
    spans: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(varlen, "varlen_attn", varlen_by_definition)
    length = spans[-1].stop
    q, k, v = (random(1, 3, length, 8, seed=n) for n in range(3))
    expected = Packed(spans, tiny.CPU)(0, q, k, v)
    monkeypatch.setattr(varlen, "has_varlen", lambda device: True)
    packed = Packed(spans, tiny.CPU)
    assert packed.varlen is not None
    assert not packed.varlen.supports(q)  # double precision
    torch.testing.assert_close(packed.varlen(q, k, v), expected)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
@pytest.mark.parametrize("capacity", [100, 300])
def test_a_step_with_fixed_shapes_equals_one_with_exact_lengths(capacity: int) -> None:
    """Rows without a sequence change nothing in the cache."""
    language = tiny.model(tiny.SINGLE).language
    tokens = torch.tensor([7, 8, 9, 10])
    with torch.inference_mode():
        cache = Cache(language.config, 4, capacity, device=tiny.CPU, dtype=torch.float32)
        for tensor in (cache.keys_YRHSE, cache.values_YRHSE):
            tensor.copy_(random(*tensor.shape))
        before = cache.keys_YRHSE.clone()
        places = {2: capacity - 1, 0: 37}
        step = FixedStep(language, cache, tokens)
        logits = step(places)
        written = (cache.keys_YRHSE != before).any(dim=(0, 2, 4)).nonzero().tolist()
        spare = cache.spare_slot
        assert written == [[0, 37], [1, spare], [2, capacity - 1], [3, spare]]
        parts = [Continuation(row, place, 1) for row, place in places.items()]
        x, positions = language.embedding(tokens[list(places)])[None], torch.tensor([list(places.values())])
        expected = language.head(language(x, positions, Cached(cache, parts)))[0]
        torch.testing.assert_close(logits[list(places)], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_answers_by_steps_with_fixed_shapes_are_the_same(pair: Pair, pictures: list[Image.Image]) -> None:
    prompts = prompts_of(pair, pictures)
    answers = []
    for is_fixed in (False, True):
        engine = Engine(pair.model, pair.processor, rows=3, slots=400, chunk_tokens=30, ahead=is_fixed)
        if is_fixed:
            engine._fixed = FixedStep(pair.model.language, engine.cache, engine._tokens_R)
        streams = [engine.add(prompt, settings) for prompt, settings in zip(prompts, SETTINGS, strict=True)]
        while engine.busy:
            engine.step()
        answers.append([stream.tokens for stream in streams])
    assert answers[0] == answers[1]


def test_slots_that_no_sequence_uses_are_zero_at_first() -> None:
    cache = Cache(tiny.LANGUAGE, 2, 127, device=tiny.CPU, dtype=torch.float32)
    assert cache.keys_YRHSE.shape == (3, 2, 4, 128, 8)
    assert cache.spare_slot == 127
    assert not np.any(cache.keys_YRHSE.numpy())
