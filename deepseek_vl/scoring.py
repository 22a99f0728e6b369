"""Scores images: the probabilities of given choices, for all questions about an image in one prefill.

Shapes: N images, Q questions, K choices, B rows, T tokens, D width, M nodes where the model chooses, R head rows.
"""

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from deepseek_vl.batch import Embedder
from deepseek_vl.choices import ChoiceTrie
from deepseek_vl.conversation import SYSTEM, render
from deepseek_vl.device import upload
from deepseek_vl.images import ImageInput, canvas
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.token_tree import TokenTree, attention_mask, positions

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the model about an image, with at least two different choices."""

    text: str
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        different = {" ".join(choice.split()) for choice in self.choices}
        if "" in different:
            raise ValueError(f"{self.text!r:.60} has an empty choice")
        if len(different) < max(2, len(self.choices)):
            got = f"got {self.choices!r:.80} (white space makes no difference)"
            raise ValueError(f"{self.text!r:.60} needs at least two different choices, {got}")


@dataclass(frozen=True, slots=True)
class Item:
    """Images (zero or more) and the questions about them."""

    images: tuple[ImageInput, ...]
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        if not self.questions:
            raise ValueError("an item needs at least one question")


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item has no scores: its image cannot be read, its prompt is too long, or its logits are not finite."""

    message: str


class NotFiniteError(ValueError):
    """The model gives no finite logits for some item of a batch."""

    def __init__(self) -> None:
        super().__init__("the model gives no finite logits; its weights are broken, or its type is too narrow")


@dataclass(frozen=True, slots=True)
class Row:
    """A prepared item: one row of tokens for all its questions and choices."""

    tree: TokenTree
    tries: tuple[ChoiceTrie, ...]
    canvases: tuple[np.ndarray, ...]


class Scorer:
    """Scores choices with a model.

    The questions of an item share a prefix, above all the image. It is read once, every question attends to it and to
    itself, and positions restart at its end; the results are the same as with separate passes.

    Args:
        batch_tokens: maximum tokens of a batch, padding included (but at least one item).
        threads: number of images decoded and resized at once, ahead of the model.
        system: the system prompt.
        compiled: compile the towers and the language model with torch.compile (takes minutes at first; for GPUs).
    """

    def __init__(
        self,
        model: DeepseekVL,
        processor: Processor,
        *,
        batch_tokens: int = 16384,
        threads: int = 4,
        system: str = SYSTEM,
        compiled: bool = False,
    ):
        self.model, self.processor = model, processor
        self.batch_tokens, self.threads, self.system = batch_tokens, threads, system
        self.embedder = Embedder(model, compiled=compiled)
        # The same questions are asked about millions of images: their tokens are the same.
        self._planned = functools.lru_cache(maxsize=64)(self._plan)
        self._language = torch.compile(model.language, dynamic=True) if compiled else model.language

    def score(self, images: Sequence[ImageInput], questions: Sequence[str], choices: Sequence[str]) -> np.ndarray:
        """Ask every question about every image.

        Returns:
            (N, Q, K) float64 log probabilities of the choices; the probabilities of a question's choices sum to one.
        Raises:
            ValueError: an image cannot be read, choices are too few, a prompt is too long, or logits are not finite.
        """
        question_list = tuple(Question(text, tuple(choices)) for text in questions)
        if not question_list or not images:
            return np.zeros((len(images), len(question_list), len(choices)))
        results = []
        for result in self.score_items(Item((image,), question_list) for image in images):
            if isinstance(result, ItemError):
                raise ValueError(result.message)
            results.append(np.stack(result))
        return np.stack(results)

    def score_items(self, items: Iterable[Item | ItemError]) -> Iterator[list[np.ndarray] | ItemError]:
        """Score items in order; a bad item costs only its own scores.

        Yields:
            For each item (K,) float64 log probabilities of the choices of each question, or why there are none; an
            error among the items is passed on in its place.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            for batch in self._batches(_map_ahead(pool, self._prepared, items, 4 * self.threads)):
                rows = [row for row in batch if not isinstance(row, ItemError)]
                scores = iter(self._scores(rows))
                yield from (row if isinstance(row, ItemError) else next(scores) for row in batch)

    def _prepared(self, item: Item | ItemError) -> Row | ItemError:
        try:
            return item if isinstance(item, ItemError) else self.prepare(item)
        except ValueError as error:
            return ItemError(str(error))

    def _scores(self, rows: Sequence[Row]) -> Sequence[list[np.ndarray] | ItemError]:
        """Score a batch of rows; if its logits are not all finite, every row alone."""
        try:
            return self.score_rows(rows) if rows else []
        except NotFiniteError as error:
            if len(rows) == 1:
                return [ItemError(str(error))]
            return [self._scores([row])[0] for row in rows]

    def prepare(self, item: Item) -> Row:
        """Prepare an item as one row. Raises ValueError as `score` does."""
        tree, tries = self._planned(len(item.images), item.questions)
        return Row(tree, tries, tuple(canvas(image, self.processor.config) for image in item.images))

    def _plan(self, num_images: int, questions: tuple[Question, ...]) -> tuple[TokenTree, tuple[ChoiceTrie, ...]]:
        """Return the tokens of questions about some number of images, and where the model chooses."""
        prompts = [self._encode(num_images, question) for question in questions]
        shortest = min(map(len, prompts))
        same = np.all([prompt[:shortest] == prompts[0][:shortest] for prompt in prompts], axis=0)
        shared = min(int(np.argmin(same)) if not same.all() else shortest, shortest - 1)
        tree = TokenTree()
        prefix = tree.add(prompts[0][:shared]) if len(prompts) > 1 else None
        segments = [tree.add(prompt[shared:] if prefix is not None else prompt, prefix) for prompt in prompts]
        tries = tuple(
            ChoiceTrie.of([self._choice(text) for text in question.choices], self.processor.config.eos)
            for question in questions
        )
        for trie, segment in zip(tries, segments, strict=True):
            trie.place(tree, segment)
        return tree, tries

    def _encode(self, num_images: int, question: Question) -> np.ndarray:
        content = [*[{"type": "image"}] * num_images, {"type": "text", "text": question.text}]
        return self.processor.encode(render([{"role": "user", "content": content}], self.system), num_images)

    def _choice(self, text: str) -> list[int]:
        """Return the tokens of a choice, with the space that follows `Assistant:` in the template."""
        tokens: list[int] = self.processor.tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids
        return tokens

    def _batches(self, rows: Iterable[Row | ItemError]) -> Iterator[list[Row | ItemError]]:
        batch: list[Row | ItemError] = []
        longest = 0
        for row in rows:
            length = 0 if isinstance(row, ItemError) else row.tree.length
            longest = max(longest, length)
            if batch and longest * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch, longest = [], length
            batch.append(row)
        if batch:
            yield batch

    @torch.inference_mode()
    def score_rows(self, rows: Sequence[Row]) -> list[list[np.ndarray]]:
        """Score one batch of rows. Raises NotFiniteError if the logits of any are not finite."""
        device = self.model.device
        trees = [row.tree for row in rows]
        x_BTD = self.embedder.embed([tree.tokens() for tree in trees], [c for row in rows for c in row.canvases])
        hidden_BTD = self._language(x_BTD, positions(trees, device), attention_mask(trees, device))

        nodes = [(k, node) for k, row in enumerate(rows) for trie in row.tries for node in trie.nodes()]
        wanted = sorted({token for _, node in nodes for token in node.children})
        places_M = torch.tensor([k * hidden_BTD.shape[1] + node.place for k, node in nodes])
        hidden_MD = hidden_BTD.flatten(0, 1)[upload(places_M, device)]
        head_RD = self.model.language.head_rows(upload(torch.tensor(wanted), device))
        logits_MR = (hidden_MD.float() @ head_RD.float().T).cpu().numpy()
        if not np.isfinite(logits_MR).all():
            raise NotFiniteError

        column = {token: c for c, token in enumerate(wanted)}
        logits: list[dict[int, dict[int, float]]] = [{} for _ in rows]
        for (k, node), values_R in zip(nodes, logits_MR, strict=True):
            logits[k][node.place] = {token: float(values_R[column[token]]) for token in node.children}
        return [[trie.log_probabilities(logits[k]) for trie in row.tries] for k, row in enumerate(rows)]


def _map_ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], depth: int) -> Iterator[R]:
    """Yield the results of `work` in order, with up to `depth` items submitted ahead."""
    source = iter(items)
    futures = deque(pool.submit(work, item) for item in itertools.islice(source, depth))
    while futures:
        result = futures.popleft().result()
        futures.extend(pool.submit(work, item) for item in itertools.islice(source, 1))
        yield result
