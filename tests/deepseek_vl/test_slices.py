"""Passes in pieces give the results of whole passes, and no piece is longer than it says or may be."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from deepseek_vl import slices
from deepseek_vl.attention import Packed, Span
from deepseek_vl.engine import Engine
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.slices import Pass, Slices
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair

LIMITS = [3e5, 1e6, 1e8]
INDIVISIBLE = 2e6  # more than any piece of the tiny towers that is not divided, for two images


def run(passes: Slices[torch.Tensor]) -> tuple[torch.Tensor, list[tuple[float, int]]]:
    """Return the result, and the announced and the counted operations of every piece."""
    pieces, whole = [], Pass(passes)
    while not whole.done:
        # The counter knows the products of plain attention, not the fused kernel.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            announced = whole.advance(0)
        pieces.append((announced, counter.get_total_flops()))
    return whole.result, pieces


@torch.inference_mode()
@pytest.mark.parametrize("limit", LIMITS)
def test_images_are_encoded_in_limited_pieces(pair: Pair, limit: float) -> None:
    side = pair.config.image_px
    canvases = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, side, side), dtype=np.uint8))
    visual, pieces = run(slices.encode(pair.model, canvases, limit))
    torch.testing.assert_close(visual, pair.model.encode(canvases), atol=1e-4, rtol=1e-4)
    assert all(announced <= max(limit, INDIVISIBLE) for announced, _ in pieces)
    assert all(counted <= 1.2 * announced for announced, counted in pieces)
    assert sum(counted for _, counted in pieces) > 0.7 * sum(announced for announced, _ in pieces)


@torch.inference_mode()
@pytest.mark.parametrize("limit", LIMITS)
def test_packed_rows_are_read_in_limited_pieces(limit: float) -> None:
    """Spans with earlier ranges are divided, too: two questions after one prefix, then another sequence."""
    language = tiny.model(tiny.SINGLE).language
    spans = [Span(0, 60), Span(60, 75, ((0, 60),)), Span(75, 100, ((0, 60),)), Span(100, 130)]
    positions = torch.cat([torch.arange(75), 60 + torch.arange(25), torch.arange(30)])[None]
    x = torch.randn(1, 130, 32, generator=torch.Generator().manual_seed(0))
    hidden, pieces = run(slices.decode(language, x, positions, Packed(spans, tiny.CPU), limit))
    torch.testing.assert_close(hidden, language(x, positions, Packed(spans, tiny.CPU)), atol=1e-4, rtol=1e-4)
    assert all(announced <= limit for announced, _ in pieces)
    assert all(counted <= 1.2 * announced for announced, counted in pieces)
    assert (len(pieces) == 3) == (limit == 1e8)


def test_a_pass_goes_on_within_a_budget() -> None:
    done = []

    def work() -> Slices[str]:
        for piece in range(6):
            yield 10.0
            done.append(piece)
        return "result"

    advanced = Pass(work())
    assert advanced.advance(25) == 20
    assert done == [0, 1]
    assert advanced.advance(5) == 10  # at least one
    assert done == [0, 1, 2]
    assert not advanced.done
    assert advanced.advance(math.inf) == 30
    assert advanced.done
    assert advanced.result == "result"
    assert slices.finish(work()) == "result"


def test_a_step_reads_no_more_than_a_chunk(pair: Pair, pictures: list[Image.Image]) -> None:
    """Counted in operations, images included, while an answer runs; and nothing if another's turn it is."""
    engine = Engine(pair.model, pair.processor, rows=2, slots=500, chunk_tokens=20)
    text = [{"role": "user", "content": "what"}]
    first = engine.add(pair.processor.prompt(text), SamplingSettings(max_tokens=400, temperature=1, seed=4))
    engine.step()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        engine.step()
    alone = counter.get_total_flops()
    content = [*[{"type": "image"}] * 4, {"type": "text", "text": "what is written"}]
    prompt = pair.processor.prompt([{"role": "user", "content": content}], pictures[:4])
    second = engine.add(prompt, SamplingSettings(max_tokens=5))
    added, num_steps = [], 0
    while not second.tokens:
        assert first.finish_reason is None
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            engine.step(reads=num_steps % 2 == 0)
        num_steps += 1
        added.append(counter.get_total_flops() - alone)
    assert max(added) <= 1.5 * max(engine.chunk_flop, INDIVISIBLE / 2)
    assert max(added[1::2]) < 0.1 * engine.chunk_flop
