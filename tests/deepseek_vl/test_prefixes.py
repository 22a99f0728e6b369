"""Prompts read in parts and beginnings read once give the same answers as prompts read whole."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepseek_vl.engine import Engine, generate
from deepseek_vl.prefix_store import BLOCK, block_keys, num_shared
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.token_stream import TokenStream
from tests.deepseek_vl.conftest import Pair
from tests.deepseek_vl.test_engine import SETTINGS, prompts_of

pytestmark = pytest.mark.slow

QUESTION = "what is written here in the image, in one word or in two? " * 3
GREEDY = SamplingSettings(max_tokens=12)


def run(engine: Engine) -> None:
    while engine.busy:
        engine.step()


def alone(pair: Pair, prompts: Sequence[Prompt], settings: SamplingSettings = GREEDY) -> list[list[int]]:
    return [generate(pair.model, pair.processor, [prompt], settings)[0].tokens for prompt in prompts]


def conversation(pair: Pair, images: Sequence[Image.Image], *texts: str) -> Prompt:
    """Return a conversation whose first message holds the images."""
    parts = [*[{"type": "image"}] * len(images), {"type": "text", "text": texts[0]}]
    messages = [{"role": "user", "content": parts}]
    messages += [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(texts[1:], 1)]
    return pair.processor.prompt(messages, images, system="")


@pytest.mark.parametrize("chunk_tokens", [1, 17, 64])
@pytest.mark.parametrize("ahead", [False, True])
def test_prompts_in_chunks_equal_whole_prompts(
    pair: Pair, pictures: list[Image.Image], chunk_tokens: int, ahead: bool
) -> None:
    prompts = prompts_of(pair, pictures)
    expected = [
        generate(pair.model, pair.processor, [prompt], settings)[0].tokens
        for prompt, settings in zip(prompts, SETTINGS, strict=True)
    ]
    engine = Engine(
        pair.model, pair.processor, rows=3, slots=400, prefill_tokens=80, chunk_tokens=chunk_tokens, ahead=ahead
    )
    answers = [engine.add(prompt, settings) for prompt, settings in zip(prompts, SETTINGS, strict=True)]
    run(engine)
    assert [answer.tokens for answer in answers] == expected


def test_running_answers_get_a_token_in_every_step(pair: Pair, pictures: list[Image.Image]) -> None:
    """While others' images are encoded and their prompts are read."""
    engine = Engine(pair.model, pair.processor, rows=2, slots=400, chunk_tokens=8)
    first = engine.add(conversation(pair, [], "what"), SamplingSettings(max_tokens=380, temperature=1, seed=4))
    engine.step()
    second = engine.add(conversation(pair, pictures[:2], "what is written"), GREEDY)
    while not second.tokens:
        before = len(first.tokens)
        engine.step()
        assert len(first.tokens) == before + 1
    assert len(first.tokens) > 10


def test_the_next_turn_reads_only_what_is_new(pair: Pair, pictures: list[Image.Image]) -> None:
    engine = Engine(pair.model, pair.processor, rows=1, slots=500, prefix_tokens=500)
    first = engine.add(conversation(pair, pictures[:2], QUESTION), SamplingSettings(max_tokens=30))
    run(engine)
    prompt = conversation(pair, pictures[:2], QUESTION, first.text, "and where?")
    encoded = []
    encode = engine.embedder.encode
    engine.embedder.encode = lambda canvases, *rest: encoded.append(len(canvases)) or encode(canvases, *rest)  # type: ignore[method-assign,func-returns-value]
    second = engine.add(prompt, GREEDY)
    run(engine)
    assert encoded == []
    same = np.argmin(prompt.tokens[: len(first.prompt)] == first.prompt.tokens) or len(first.prompt)
    assert second.num_reused >= same // BLOCK * BLOCK > 2 * pair.config.tokens_per_image
    assert [second.tokens] == alone(pair, [prompt])


def test_the_answer_is_reused_too(pair: Pair, pictures: list[Image.Image]) -> None:
    engine = Engine(pair.model, pair.processor, rows=1, slots=500, prefix_tokens=500)
    first = engine.add(conversation(pair, pictures[:1], "what"), SamplingSettings(max_tokens=100, temperature=1))
    run(engine)
    tokens = np.concatenate([first.prompt.tokens, first.tokens, [7, 8, 9]])
    following = Prompt(tokens, first.prompt.canvases)
    second = engine.add(following, GREEDY)
    run(engine)
    assert second.num_reused == (len(first.prompt) + len(first.tokens) - 1) // BLOCK * BLOCK
    assert [second.tokens] == alone(pair, [following])


def test_requests_that_come_together_share_their_beginning(pair: Pair, pictures: list[Image.Image]) -> None:
    """The first reads it, the others wait for it; one that shares only the system prompt does not wait."""
    prompts = [conversation(pair, pictures[:2], QUESTION, "1", word) for word in ("2", "3", "4")]
    prompts.append(conversation(pair, [], "what is the largest value in the chart " * 6))
    engine = Engine(pair.model, pair.processor, rows=4, slots=400, prefix_tokens=1000, chunk_tokens=20)
    answers = [engine.add(prompt, GREEDY) for prompt in prompts]
    engine.step()
    assert [row.stream for row in engine.reading + engine.running] == [answers[0], answers[3]]
    run(engine)
    assert [answer.tokens for answer in answers] == alone(pair, prompts)
    assert answers[0].num_reused == 0
    assert min(answer.num_reused for answer in answers[1:3]) > 2 * pair.config.tokens_per_image


def test_another_image_is_another_beginning(pair: Pair, pictures: list[Image.Image]) -> None:
    prompts = [conversation(pair, [pictures[0], image], "what is written here") for image in pictures[1:4]]
    engine = Engine(pair.model, pair.processor, rows=1, slots=400, prefix_tokens=2000)
    answers = [engine.add(prompt, GREEDY) for prompt in prompts]
    run(engine)
    assert [answer.tokens for answer in answers] == alone(pair, prompts)
    assert all(answer.num_reused < len(answer.prompt) - pair.config.tokens_per_image for answer in answers)


@pytest.mark.parametrize("prefix_tokens", [BLOCK, 5 * BLOCK])
def test_a_small_store_forgets_and_stays_right(pair: Pair, pictures: list[Image.Image], prefix_tokens: int) -> None:
    prompts = [conversation(pair, pictures[k : k + 2], "what " * 30, "1", "2") for k in (0, 1, 0, 2)] * 2
    engine = Engine(pair.model, pair.processor, rows=2, slots=400, prefix_tokens=prefix_tokens, chunk_tokens=50)
    answers = [engine.add(prompt, GREEDY) for prompt in prompts]
    while engine.busy:
        engine.step()
        assert len(engine.prefixes) <= prefix_tokens // BLOCK
    assert [answer.tokens for answer in answers] == alone(pair, prompts)


def test_a_cancelled_prompt_leaves_what_was_read(pair: Pair, pictures: list[Image.Image]) -> None:
    prompt = conversation(pair, pictures[:2], QUESTION)
    engine = Engine(pair.model, pair.processor, rows=2, slots=400, prefix_tokens=500, prefill_tokens=40)
    first, second = engine.add(prompt, GREEDY), engine.add(prompt, GREEDY)
    engine.step()
    engine.step()
    engine.cancel(first)
    run(engine)
    assert not first.tokens
    assert second.num_reused > 0
    assert [second.tokens] == alone(pair, [prompt])


@pytest.mark.parametrize("ahead", [False, True])
def test_many_conversations_in_few_rows(pair: Pair, pictures: list[Image.Image], ahead: bool) -> None:
    """Rows, launched steps and stored beginnings of many conversations do not mix."""
    engine = Engine(
        pair.model, pair.processor, rows=3, slots=450, prefix_tokens=600, chunk_tokens=30, cached_images=2, ahead=ahead
    )
    streams: list[TokenStream] = []
    for k in range(10):
        prompt = conversation(pair, pictures[k % 3 : k % 3 + k % 2], f"what is written {k % 4}")
        streams.append(engine.add(prompt, SamplingSettings(max_tokens=3 + 5 * (k % 3), temperature=k % 2, seed=k)))
        for _ in range(k % 5):
            engine.step()
        if k == 6:
            engine.cancel(streams[5])
    run(engine)
    for k, stream in enumerate(streams):
        [expected] = alone(pair, [stream.prompt], stream.sampling)
        assert stream.tokens == (expected if k != 5 else expected[: len(stream.tokens)])


@given(st.lists(st.integers(2, 4), max_size=150), st.integers(0, 149), st.integers(3, 4))
def test_keys_depend_on_all_tokens_before_their_end(tokens: list[int], place: int, token: int) -> None:
    changed = [*tokens]
    if place < len(tokens):
        changed[place] = token
    digests = [bytes([k]) * 32 for k in range(8)]
    one, other = (block_keys(np.array(t, dtype=np.int64), 99, 16, digests) for t in (tokens, changed))
    assert len(one) == len(tokens) // BLOCK
    expected = len(one) if tokens == changed else place // BLOCK
    assert num_shared(one, other) == min(expected, len(one))


def test_keys_depend_on_the_images_in_them() -> None:
    tokens = np.array([5] * 20 + [2] * 32 + [6] * 60)  # two images of 16 tokens
    digests = [b"a" * 32, b"b" * 32]
    keys = block_keys(tokens, 2, 16, digests)
    assert num_shared(keys, block_keys(tokens, 2, 16, [b"a" * 32, b"c" * 32])) == 1
    assert num_shared(keys, block_keys(tokens, 2, 16, [b"c" * 32, b"b" * 32])) == 0
    assert num_shared(keys, block_keys(np.array([5] * 20 + [2] * 32 + [7] * 60), 2, 16, digests)) == 1
    assert num_shared(keys, keys) == 3
