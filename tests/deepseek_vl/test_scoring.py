"""Scoring: many questions in one pass give the same results as separate passes of the reference."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepseek_vl.attention import Packed
from deepseek_vl.choices import ChoiceTrie
from deepseek_vl.conversation import SYSTEM, Special, render
from deepseek_vl.images import canvas
from deepseek_vl.scoring import Item, ItemError, Likelihood, Question, Scorer
from deepseek_vl.slices import Pass
from deepseek_vl.token_tree import TokenTree
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair

pytestmark = pytest.mark.slow

QUESTIONS = ["what is it?", "what is written here in the image, in one word", "Describe"]
CHOICE_SETS = [["Yes", "No"], ["1", "2", "3", "4", "5"], ["largest value", "largest", "chart and name", "图表"]]


@torch.no_grad()
def reference_scores(pair: Pair, image: Image.Image, question: str, choices: list[str]) -> np.ndarray:
    """Compute scores by definition: one pass per token, and its probability among the tokens that continue a choice."""
    content = [{"type": "image"}, {"type": "text", "text": question}]
    prompt = pair.processor.prompt([{"role": "user", "content": content}], [image])
    paths = [tuple(pair.processor.tokenizer.encode(f" {c}", add_special_tokens=False).ids) for c in choices]
    paths = [(*p, 1) if any(len(o) > len(p) and o[: len(p)] == p for o in paths) else p for p in paths]
    scores = np.zeros(len(paths))
    for k, path in enumerate(paths):
        for n, token in enumerate(path):
            following = sorted({other[n] for other in paths if len(other) > n and other[:n] == path[:n]})
            tokens = torch.tensor([[*prompt.tokens, *path[:n]]])
            pixels = pair.reference_pixels(torch.from_numpy(np.stack(prompt.canvases)))
            logits = pair.reference(input_ids=tokens, **pixels).logits[0, -1, following].double()
            scores[k] += logits.log_softmax(-1)[following.index(token)].item()
    return scores


@pytest.mark.parametrize("choices", CHOICE_SETS)
def test_scores_equal_separate_passes_of_the_reference(
    pair: Pair, pictures: list[Image.Image], choices: list[str]
) -> None:
    scores = Scorer(pair.model, pair.processor).score(pictures[:2], QUESTIONS, choices)
    assert scores.shape == (2, 3, len(choices))
    for n, q in itertools.product(range(2), range(3)):
        expected = reference_scores(pair, pictures[n], QUESTIONS[q], choices)
        np.testing.assert_allclose(scores[n, q], expected, atol=1e-5)
    np.testing.assert_allclose(np.exp(scores).sum(-1), 1, atol=1e-6)
    assert np.abs(scores[0] - scores[1]).max() > 1e-3


@torch.no_grad()
def reference_likelihood(pair: Pair, images: list[Image.Image], question: str | None, text: str) -> np.ndarray:
    """Compute the log probability of every token of a text, and of its end, in one pass of the reference."""
    marks: list[str | Special] = [Special.IMAGE] * len(images)
    if question is None:
        prompt = pair.processor.tokens([*marks, "\n"] if images else [])
    else:
        content = [*[{"type": "image"}] * len(images), {"type": "text", "text": question}]
        prompt = pair.processor.tokens(render([{"role": "user", "content": content}]))
    answer = pair.processor.tokenizer.encode(text if question is None else f" {text}", add_special_tokens=False).ids
    tokens = torch.tensor([[*prompt, *answer, pair.config.eos]])
    pixels = {}
    if images:
        canvases = np.stack([canvas(image, pair.config) for image in images])
        pixels = pair.reference_pixels(torch.from_numpy(canvases))
    logs_TV = pair.reference(input_ids=tokens, **pixels).logits[0].double().log_softmax(-1)
    found: np.ndarray = logs_TV[len(prompt) - 1 : -1].gather(1, tokens[0, len(prompt) :, None])[:, 0].numpy()
    return found


def test_given_texts_and_choices_of_one_item_equal_passes_of_the_reference(
    pair: Pair, pictures: list[Image.Image]
) -> None:
    asked = (
        Likelihood(None, "chart and name"),
        Question("what is it?", ("Yes", "No")),
        Likelihood("what is written here", "largest value 图表"),
        Likelihood(None, "5"),
    )
    items = [
        Item((), asked),
        Item((pictures[0],), asked),
        Item(tuple(pictures[:2]), asked),
        Item((pictures[0],), asked[:1]),
    ]
    found = Scorer(pair.model, pair.processor).score_rows(
        [Scorer(pair.model, pair.processor).prepare(item) for item in items]
    )
    for item, scores in zip(items, found, strict=True):
        for question, logs in zip(item.questions, scores, strict=True):
            if isinstance(question, Likelihood):
                expected = reference_likelihood(pair, list(item.images), question.question, question.text)
                np.testing.assert_allclose(logs, expected, atol=1e-5)
    np.testing.assert_allclose(
        found[1][1], reference_scores(pair, pictures[0], "what is it?", ["Yes", "No"]), atol=1e-5
    )
    assert np.abs(found[0][0] - found[1][0]).max() > 1e-3  # the picture counts


def test_a_given_text_is_scored_in_pieces_of_the_vocabulary(pair: Pair, pictures: list[Image.Image]) -> None:
    scorer = Scorer(pair.model, pair.processor)
    batch = scorer.pack([scorer.prepare(Item((pictures[0],), (Likelihood("what is it?", "largest value"),)))])
    whole, pieces = Pass(scorer.launch(batch)), Pass(scorer.launch(batch, limit_flop=1e5))
    for of_pass in (whole, pieces):
        while not of_pass.done:
            of_pass.advance(1.0)
    np.testing.assert_allclose(pieces.result.read()[0][0], whole.result.read()[0][0], atol=1e-5)
    with pytest.raises(ValueError, match="the model reads at most 512"):
        scorer.prepare(Item((), (Likelihood(None, "word " * 600),)))
    with pytest.raises(ValueError, match="is empty"):
        Likelihood(None, " ")


def items_of(pictures: list[Image.Image]) -> list[Item]:
    """Return items with 0 to 3 images and 1 to 3 questions with different choices."""
    asked = [Question(text, tuple(choices)) for text, choices in zip(QUESTIONS, CHOICE_SETS, strict=True)]
    shapes = [(0, 1), (1, 3), (3, 2), (1, 1), (2, 3), (0, 2)]
    return [Item(tuple(pictures[:images]), tuple(asked[:questions])) for images, questions in shapes]


@pytest.mark.parametrize("batch_tokens", [1, 300, 100_000])
def test_unequal_batches_equal_single_items_and_questions(
    pair: Pair, pictures: list[Image.Image], batch_tokens: int
) -> None:
    items = items_of(pictures)
    together = list(Scorer(pair.model, pair.processor, batch_tokens=batch_tokens).score_items(items))
    alone = Scorer(pair.model, pair.processor, threads=1)
    for item, scores in zip(items, together, strict=True):
        assert len(scores) == len(item.questions)
        for question, score in zip(item.questions, scores, strict=True):
            [[expected]] = alone.score_items([Item(item.images, (question,))])
            np.testing.assert_allclose(score, expected, atol=1e-4)


def test_items_are_consumed_lazily(pair: Pair, pictures: list[Image.Image]) -> None:
    """An endless stream of items gives results in bounded memory."""
    endless = itertools.cycle(items_of(pictures))
    scores = Scorer(pair.model, pair.processor, batch_tokens=500, threads=2).score_items(endless)
    assert len(list(itertools.islice(scores, 20))) == 20


def test_images_may_be_decoded_in_processes(pair: Pair, pictures: list[Image.Image], tmp_path: Path) -> None:
    asked = (Question(QUESTIONS[0], ("Yes", "No")),)
    pictures[0].save(tmp_path / "page.png")
    items = [Item((image,), asked) for image in (tmp_path / "page.png", *pictures)]
    scores = list(Scorer(pair.model, pair.processor, processes=1).score_items(items))
    expected = list(Scorer(pair.model, pair.processor).score_items(items))
    np.testing.assert_array_equal(scores, expected)
    [error] = Scorer(pair.model, pair.processor, processes=1).score_items([Item((b"text",), asked)])
    assert isinstance(error, ItemError)
    assert "not an image" in error.message


@pytest.mark.full
def test_compiled_scores_are_the_same(pair: Pair, pictures: list[Image.Image], full: bool) -> None:
    if not full:
        pytest.skip("compiling takes most of a minute")
    plain = Scorer(pair.model, pair.processor).score(pictures[:1], QUESTIONS, ["Yes", "No"])
    compiled = Scorer(pair.model, pair.processor, compiled=True).score(pictures[:1], QUESTIONS, ["Yes", "No"])
    np.testing.assert_allclose(compiled, plain, atol=1e-4)


def test_the_system_prompt_counts(pair: Pair, pictures: list[Image.Image]) -> None:
    one = Scorer(pair.model, pair.processor, system=SYSTEM).score(pictures[:1], QUESTIONS, ["Yes", "No"])
    other = Scorer(pair.model, pair.processor, system="").score(pictures[:1], QUESTIONS, ["Yes", "No"])
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("questions", "choices", "message"),
    [
        (["x"], ["Yes"], "at least two different choices"),
        (["x"], ["Yes", "Yes"], "at least two different choices"),
        (["x"], ["Yes", " "], "an empty choice"),
        (["word " * 600], ["Yes", "No"], "the model reads at most 512"),
    ],
)
def test_questions_that_cannot_be_asked_are_rejected(
    pair: Pair, pictures: list[Image.Image], questions: list[str], choices: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Scorer(pair.model, pair.processor).score(pictures[:1], questions, choices)


def test_broken_weights_give_no_score(pair: Pair, pictures: list[Image.Image]) -> None:
    model = tiny.model(pair.config)
    with torch.no_grad():
        model.siglip.positions.fill_(float("nan"))
    with pytest.raises(ValueError, match="no finite logits"):
        Scorer(model, pair.processor).score(pictures[:1], QUESTIONS, ["Yes", "No"])


def test_nothing_to_score_is_an_empty_array(pair: Pair) -> None:
    assert Scorer(pair.model, pair.processor).score([], QUESTIONS, ["Yes", "No"]).shape == (0, 3, 2)


TREES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 100)), min_size=1, max_size=7)


@given(st.lists(TREES, min_size=1, max_size=3))
def test_a_token_sees_its_path_and_nothing_else(shapes: list[list[tuple[int, int]]]) -> None:
    spans, positions, paths = [], [], []
    place = 0
    for shape in shapes:
        tree, path_of, start = TokenTree(), list[list[list[int]]](), place
        for k, (length, choice) in enumerate(shape):
            parent = None if k == 0 else choice % k
            tree.add([7] * length, parent)
            before = [] if parent is None else path_of[parent][-1]
            path_of.append([before + list(range(place, place + n + 1)) for n in range(length)])
            place += length
        spans += tree.spans(start)
        positions += tree.positions().tolist()
        paths += [path for segment in path_of for path in segment]
    # With logits of zero and one-hot values, attention gives the mean over the tokens that it sees.
    one_hot = torch.eye(place)[None, None]
    mixed = Packed(spans, tiny.CPU)(0, one_hot * 0, one_hot * 0, one_hot)[0, 0]
    for token, path in enumerate(paths):
        assert mixed[token].nonzero().flatten().tolist() == path
        assert positions[token] == len(path) - 1


@given(st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=4).map(tuple), min_size=2, max_size=6, unique=True))
def test_probabilities_of_any_choices_sum_to_one(choices: list[tuple[int, ...]]) -> None:
    trie, tree = ChoiceTrie.of(choices, eos=1), TokenTree()
    trie.place(tree, tree.add([9, 9]))
    numbers = np.random.default_rng(len(choices))
    logits = {node.place: {token: numbers.normal() for token in node.children} for node in trie.nodes()}
    scores = trie.log_probabilities(logits)
    assert len(logits) == len(trie.nodes())
    np.testing.assert_allclose(np.exp(scores).sum(), 1)
