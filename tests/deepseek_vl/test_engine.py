"""Generation: an answer is the same alone, in a batch, joining late, streamed or stopped."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from PIL import Image

from deepseek_vl.engine import Engine, generate, stream_text
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import Sampler, SamplingSettings, choose
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair

pytestmark = pytest.mark.slow


def prompts_of(pair: Pair, pictures: Sequence[Image.Image]) -> list[Prompt]:
    """Return prompts of unequal length with 0 to 3 images."""
    made = []
    for count in (0, 1, 3, 2, 1, 0):
        words = {"type": "text", "text": "what is written " * (1 + count)}
        content = [{"type": "image"}] * count + [words]
        made.append(pair.processor.prompt([{"role": "user", "content": content}], pictures[:count]))
    return made


SETTINGS = [SamplingSettings(max_tokens=5 * (k + 1), temperature=k % 2 * 1.5, top_p=0.9, seed=k) for k in range(6)]


@pytest.fixture
def alone(pair: Pair, pictures: list[Image.Image]) -> list[list[int]]:
    """The tokens of every prompt when it is answered alone."""
    prompts = prompts_of(pair, pictures)
    return [
        generate(pair.model, pair.processor, [prompt], settings)[0].tokens
        for prompt, settings in zip(prompts, SETTINGS, strict=True)
    ]


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_a_batch_of_unequal_prompts_equals_single_answers(
    pair: Pair, pictures: list[Image.Image], alone: list[list[int]], rows: int
) -> None:
    answers = generate(pair.model, pair.processor, prompts_of(pair, pictures), SETTINGS, rows=rows)
    assert [answer.tokens for answer in answers] == alone
    assert len({tuple(tokens) for tokens in alone}) == 6


def test_answers_may_join_and_leave_at_any_step(
    pair: Pair, pictures: list[Image.Image], alone: list[list[int]]
) -> None:
    engine = Engine(pair.model, pair.processor, rows=3, slots=400, prefill_tokens=200, cached_images=2)
    answers = []
    for prompt, settings in zip(prompts_of(pair, pictures), SETTINGS, strict=True):
        answers.append(engine.add(prompt, settings))
        engine.step()
    engine.cancel(answers[4])
    while engine.busy:
        engine.step()
    assert [answer.tokens for k, answer in enumerate(answers) if k != 4] == alone[:4] + alone[5:]
    assert answers[4].finish_reason == "cancelled"
    assert answers[4].tokens == alone[4][: len(answers[4].tokens)]


def test_cancelling_what_waits_frees_the_queue(pair: Pair, pictures: list[Image.Image]) -> None:
    engine = Engine(pair.model, pair.processor, rows=1, slots=400)
    first, second = (engine.add(prompt, SamplingSettings(max_tokens=3)) for prompt in prompts_of(pair, pictures)[:2])
    engine.cancel(first)
    engine.cancel(second)
    engine.step()
    assert not engine.busy
    assert not first.tokens


def test_streamed_text_is_the_answers_text(pair: Pair, pictures: list[Image.Image]) -> None:
    prompt, settings = prompts_of(pair, pictures)[1], SamplingSettings(max_tokens=40, temperature=1, seed=3)
    [answer] = generate(pair.model, pair.processor, [prompt], settings)
    engine = Engine(pair.model, pair.processor, rows=1, slots=400)
    pieces = list(stream_text(engine, prompt, settings))
    assert "".join(pieces) == answer.text
    assert len(pieces) > 5
    # A character whose last bytes were not generated is left out.
    assert answer.text.rstrip("\ufffd") == pair.processor.decode(answer.tokens).rstrip("\ufffd")


def test_an_answer_ends_before_its_stop_text(pair: Pair, pictures: list[Image.Image]) -> None:
    prompt = prompts_of(pair, pictures)[1]
    settings: dict[str, Any] = {"max_tokens": 40, "temperature": 1.0, "seed": 3}
    [free] = generate(pair.model, pair.processor, [prompt], SamplingSettings(**settings))
    for start in (3, 11, len(free.text) - 2):
        stop = free.text[start : start + 2]
        engine = Engine(pair.model, pair.processor, rows=1, slots=400)
        pieces = list(stream_text(engine, prompt, SamplingSettings(**settings, stop=(stop, "never in the text"))))
        assert "".join(pieces) == free.text[: free.text.index(stop)]


def test_max_tokens_and_the_end_token_end_an_answer(pair: Pair, pictures: list[Image.Image]) -> None:
    model = tiny.model(pair.config)
    with torch.no_grad():
        model.language.head.weight[pair.config.eos] *= 10  # now very likely, now very unlikely
    settings = [SamplingSettings(temperature=1, max_tokens=12, seed=k) for k in range(30)]
    answers = generate(model, pair.processor, prompts_of(pair, pictures)[:1] * 30, settings)
    assert {answer.finish_reason for answer in answers} == {"stop", "length"}
    for answer in answers:
        ended = answer.tokens[-1] == pair.config.eos
        assert answer.finish_reason == ("stop" if ended else "length")
        assert ended or len(answer.tokens) == 12
        assert pair.config.eos not in answer.tokens[:-1]


def test_a_full_cache_ends_an_answer(pair: Pair, pictures: list[Image.Image]) -> None:
    prompt = prompts_of(pair, pictures)[0]
    engine = Engine(pair.model, pair.processor, rows=1, slots=len(prompt) + 3)
    answer = engine.add(prompt, SamplingSettings(temperature=0.5))
    while engine.busy:
        engine.step()
    assert (len(answer.tokens), answer.finish_reason) == (3, "length")
    with pytest.raises(ValueError, match=rf"has {len(prompt)} tokens; an answer needs fewer than {len(prompt)}"):
        Engine(pair.model, pair.processor, rows=1, slots=len(prompt)).add(prompt, SamplingSettings())


def test_broken_weights_are_not_an_answer(pair: Pair, pictures: list[Image.Image]) -> None:
    model = tiny.model(pair.config)
    with torch.no_grad():
        model.language.norm.weight.fill_(float("nan"))
    [answer] = generate(model, pair.processor, prompts_of(pair, pictures)[:1], SamplingSettings())
    assert answer.finish_reason == "not_finite"
    assert not answer.tokens


@pytest.mark.full
def test_the_compiled_step_gives_the_same_answers(
    pair: Pair, pictures: list[Image.Image], alone: list[list[int]], full: bool
) -> None:
    if not full:
        pytest.skip("compiling takes most of a minute")
    answers = generate(pair.model, pair.processor, prompts_of(pair, pictures)[:3], SETTINGS[:3], compiled=True)
    assert [answer.tokens for answer in answers] == alone[:3]


def chosen(logits: torch.Tensor, samplers: list[Sampler]) -> list[int]:
    return [token for token, _ in choose(logits, samplers).read(samplers)]


def test_samples_follow_the_distribution_cut_at_top_p() -> None:
    probabilities = torch.tensor([0.1, 0.5, 0.05, 0.35])
    drawn = chosen(
        probabilities.log().expand(4000, 4),
        [Sampler(SamplingSettings(temperature=1, top_p=0.9, seed=k)) for k in range(4000)],
    )
    counts = Counter(drawn)
    assert set(counts) == {0, 1, 3}
    for token, share in ((0, 0.1), (1, 0.5), (3, 0.35)):
        expected = share / 0.95
        assert abs(counts[token] / 4000 - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


@pytest.mark.parametrize("settings", [{"temperature": 1, "top_p": 1e-6}, {"temperature": 1e-40}, {"temperature": 1e-9}])
def test_a_tiny_top_p_or_temperature_is_greedy(settings: dict[str, Any]) -> None:
    logits = 100 * torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    drawn = chosen(logits, [Sampler(SamplingSettings(**settings, seed=k)) for k in range(50)])
    assert drawn == logits.argmax(-1).tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"stop": ("a", "")}, "stop"),
    ],
)
def test_settings_out_of_range_are_rejected(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SamplingSettings(**values)
