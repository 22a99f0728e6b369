"""Sampling: cuts, penalties, masks and log probabilities of each answer, without an effect on the others."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from deepseek_vl.engine import Engine, generate
from deepseek_vl.sampling import Logprobs, Sampler, SamplingSettings, choose
from tests.deepseek_vl.conftest import Pair
from tests.deepseek_vl.test_engine import prompts_of

LOGITS = 2 * torch.randn(64, 50, generator=torch.Generator().manual_seed(0))


def support(settings: SamplingSettings, logits_V: Tensor, draws: int = 400) -> set[int]:
    """Return the tokens that are drawn in many samples."""
    samplers = [
        Sampler(
            SamplingSettings(temperature=1, top_p=settings.top_p, top_k=settings.top_k, min_p=settings.min_p, seed=k)
        )
        for k in range(draws)
    ]
    return {token for token, _ in choose(logits_V.expand(draws, -1), samplers).read(samplers)}


def test_cuts_keep_the_tokens_that_they_name() -> None:
    logits = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05]).log()
    assert support(SamplingSettings(), logits) == {0, 1, 2, 3, 4}
    assert support(SamplingSettings(top_k=2), logits) == {0, 1}
    assert support(SamplingSettings(top_k=1), logits) == {0}
    assert support(SamplingSettings(top_k=99), logits) == {0, 1, 2, 3, 4}
    assert support(SamplingSettings(min_p=0.3), logits) == {0, 1, 2}
    assert support(SamplingSettings(min_p=1), logits) == {0}
    # Among the first three, which have 0.85, the first two have more than 0.8 of it.
    assert support(SamplingSettings(top_k=3, top_p=0.8), logits) == {0, 1}
    assert support(SamplingSettings(top_p=0.71), logits) == {0, 1, 2}


@given(st.integers(0, 2**40), st.floats(0.1, 3), st.sampled_from([{}, {"top_k": 3}, {"top_p": 0.5}, {"min_p": 0.2}]))
def test_a_choice_does_not_depend_on_the_batch(seed: int, temperature: float, cuts: dict[str, float]) -> None:
    settings = SamplingSettings(temperature=temperature, seed=seed, **cuts)  # type: ignore[arg-type]
    others = [Sampler(SamplingSettings(temperature=k % 2, top_k=k % 3, logprobs=k % 4 or None)) for k in range(63)]
    alone = choose(LOGITS[:1], [Sampler(settings)]).tokens_B
    together = choose(LOGITS, [Sampler(settings), *others]).tokens_B
    assert alone[0] == together[0]


def test_a_uniform_number_close_to_one_gives_a_possible_token() -> None:
    sampler = Sampler(SamplingSettings(temperature=1))
    sampler.numbers.random = lambda: 1 - 2**-53  # type: ignore[method-assign]
    logits = torch.full((1, 1000), -torch.inf)
    logits[0, 300:600] = torch.linspace(-3, 3, 300)
    # Infinite logits are an error, so that the choice is looked at before it is discarded.
    from deepseek_vl.sampling import _sample

    assert 300 <= int(_sample(logits, [sampler], False)) < 600


def test_logprobs_are_those_of_the_model(pair: Pair, pictures: list[Image.Image]) -> None:
    prompt = prompts_of(pair, pictures)[1]
    settings = [
        SamplingSettings(max_tokens=6, logprobs=3, temperature=2, seed=5, repetition_penalty=1.5),
        SamplingSettings(max_tokens=6, logprobs=0),
        SamplingSettings(max_tokens=6),
    ]
    answers = generate(pair.model, pair.processor, [prompt] * 3, settings)
    assert [len(answer.logprobs) for answer in answers] == [6, 6, 0]
    places = torch.from_numpy(prompt.tokens == pair.config.image_token).nonzero().flatten()
    canvases = torch.from_numpy(prompt.canvases[0])[None]
    for answer, most in zip(answers[:2], (3, 0), strict=True):
        tokens = torch.tensor([[*prompt.tokens, *answer.tokens]])
        with torch.no_grad():
            logits = pair.model(tokens, places, canvases)[0, len(prompt) - 1 : -1]
        expected = logits.log_softmax(-1)
        for token, row, logprobs in zip(answer.tokens, expected, answer.logprobs, strict=True):
            values, best = row.topk(most)
            assert logprobs.chosen == pytest.approx(row[token].item(), abs=1e-4)
            assert [t for t, _ in logprobs.top] == best.tolist()
            assert [value for _, value in logprobs.top] == pytest.approx(values.tolist(), abs=1e-4)


def test_repetition_penalty_counts_prompt_and_answer() -> None:
    logits = torch.tensor([[2.0, 1.9, -1.0, 0.5]])
    sampler = Sampler(SamplingSettings(repetition_penalty=2), prompt=[0])
    drawn = [choose(logits, [sampler]).tokens_B.item() for _ in range(3)]
    # 2.0 counts as 1.0; then 1.9 is seen and counts as 0.95, and the first is the largest again.
    assert drawn == [1, 0, 0]
    assert sampler.change(logits[0]).tolist() == pytest.approx([1, 0.95, -1, 0.5])
    negative = Sampler(SamplingSettings(repetition_penalty=2), prompt=[2])
    assert negative.change(logits[0]).tolist() == pytest.approx([2, 1.9, -2, 0.5])


class Alternating:
    """Allows even tokens, then odd ones, and so on."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def allowed(self) -> Tensor:
        return torch.arange(512) % 2 == len(self.taken) % 2

    def push(self, token: int) -> None:
        self.taken.append(token)


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [False, True])
def test_a_mask_holds_for_its_answer_only(pair: Pair, pictures: list[Image.Image], ahead: bool) -> None:
    prompts = prompts_of(pair, pictures)[:3]
    settings = [SamplingSettings(max_tokens=12, temperature=k, seed=k) for k in range(3)]
    free = [generate(pair.model, pair.processor, [p], s)[0].tokens for p, s in zip(prompts, settings, strict=True)]
    engine = Engine(pair.model, pair.processor, rows=3, slots=400, ahead=ahead)
    mask = Alternating()
    streams = [
        engine.add(p, s, mask if k == 1 else None) for k, (p, s) in enumerate(zip(prompts, settings, strict=True))
    ]
    while engine.busy:
        engine.step()
    assert [streams[0].tokens, streams[2].tokens] == [free[0], free[2]]
    assert streams[1].tokens == mask.taken
    assert [token % 2 for token in mask.taken[:12]] == [0, 1] * 6
    assert streams[1].tokens != free[1]


def test_logits_that_are_not_finite_do_not_touch_the_others() -> None:
    logits = LOGITS[:3].clone()
    logits[1, 7] = math.nan
    samplers = [Sampler(SamplingSettings(temperature=1, seed=k, logprobs=2)) for k in range(3)]
    read = choose(logits, samplers).read(samplers)
    assert read[1][0] == -1
    for k in (0, 2):
        sampler = Sampler(SamplingSettings(temperature=1, seed=k, logprobs=2))
        [alone] = choose(LOGITS[k : k + 1], [sampler]).read([sampler])
        assert read[k] == alone
        assert isinstance(alone[1], Logprobs)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top_k": -1}, "top_k"),
        ({"min_p": 1.5}, "min_p"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
        ({"repetition_penalty": math.nan}, "repetition_penalty"),
        ({"logprobs": -1}, "logprobs"),
    ],
)
def test_settings_out_of_range_are_rejected(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SamplingSettings(**values)  # type: ignore[arg-type]


def test_penalties_count_the_tokens_of_the_answer_only() -> None:
    logits_BV = torch.tensor([[3.0, 2.5, 2.0, 0.0]])

    def answer(**penalties: float) -> list[int]:
        sampler = Sampler(SamplingSettings(**penalties), prompt=[0, 0, 1])  # type: ignore[arg-type]
        return [choose(logits_BV, [sampler]).read([sampler])[0][0] for _ in range(6)]

    assert answer() == [0] * 6
    assert answer(presence_penalty=0.8) == [0, 1, 0, 0, 0, 0]
    assert answer(frequency_penalty=0.8) == [0, 1, 0, 2, 1, 0]
    assert answer(frequency_penalty=-1.0) == [0] * 6
    with pytest.raises(ValueError, match="presence_penalty"):
        SamplingSettings(presence_penalty=101)
