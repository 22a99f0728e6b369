"""Scores images: the probabilities of given choices, for all questions about an image in one prefill.

The rows of a batch are packed: their tokens follow each other without padding.

Shapes: N images, Q questions, K choices, T tokens, D width, M nodes where the model chooses, R head rows.
"""

import functools
import itertools
import math
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from deepseek_vl import slices
from deepseek_vl.attention import Packed, Span
from deepseek_vl.batch import Embedder
from deepseek_vl.choices import ChoiceTrie, Node
from deepseek_vl.compilation import compile_blocks
from deepseek_vl.conversation import SYSTEM, render
from deepseek_vl.device import Download, upload
from deepseek_vl.images import ImageInput, canvas
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.slices import Slices
from deepseek_vl.token_tree import TokenTree

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
    """Images (zero or more) and the questions about them.

    Args:
        group: items of two groups are never in one batch. The last bits of a score depend on its batch, so that groups
            that are always the same give the same bits.
    """

    images: tuple[ImageInput, ...]
    questions: tuple[Question, ...]
    group: int = 0

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
    group: int = 0


class Scorer:
    """Scores choices with a model.

    The questions of an item share a prefix, above all the image. It is read once, every question attends to it and to
    itself, and positions restart at its end; the results are the same as with separate passes. While the device
    computes a batch, the images of the next are decoded, resized and uploaded.

    Args:
        batch_tokens: maximum tokens of a batch (but at least one item).
        threads: number of images decoded and resized at once, ahead of the model.
        processes: decode and resize in this many processes instead of the threads, for machines where the threads
            cannot keep up with the device; 0 for none. As with any spawned process, a script needs a main guard.
        system: the system prompt.
        compiled: compile the blocks with torch.compile (takes a minute at first; for GPUs).
    """

    def __init__(
        self,
        model: DeepseekVL,
        processor: Processor,
        *,
        batch_tokens: int = 16384,
        threads: int = 4,
        processes: int = 0,
        system: str = SYSTEM,
        compiled: bool = False,
    ):
        self.model, self.processor = model, processor
        self.batch_tokens, self.threads, self.system = batch_tokens, max(threads, processes), system
        self.processes = processes
        self._decoders: ProcessPoolExecutor | None = None
        self.embedder = Embedder(model)
        # The same questions are asked about millions of images: their tokens are the same.
        self._planned = functools.lru_cache(maxsize=64)(self._plan)
        if compiled:
            compile_blocks(model)

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
        with ThreadPoolExecutor(self.threads) as pool, self._decoding():
            rows = _map_ahead(pool, self._prepared, items, 4 * self.threads)
            launched: tuple[Sequence[Row | ItemError], Launch | None] = [], None
            for batch, packed in _map_ahead(pool, self._packed, self._batches(rows), 2):
                following = None if packed is None else slices.finish(self.launch(packed))
                yield from self._results(*launched)
                launched = batch, following
            yield from self._results(*launched)

    def _prepared(self, item: Item | ItemError) -> Row | ItemError:
        try:
            return item if isinstance(item, ItemError) else self.prepare(item)
        except ValueError as error:
            return ItemError(str(error))

    def _packed(self, batch: Sequence[Row | ItemError]) -> "tuple[Sequence[Row | ItemError], Batch | None]":
        rows = [row for row in batch if isinstance(row, Row)]
        return batch, self.pack(rows) if rows else None

    def _results(
        self, batch: Sequence[Row | ItemError], launched: "Launch | None"
    ) -> Iterator[list[np.ndarray] | ItemError]:
        """Yield the results of a launched batch; if its logits are not all finite, every row is computed alone."""
        results: Iterator[list[np.ndarray] | ItemError] = iter(())
        if launched is not None:
            try:
                results = iter(launched.read())
            except NotFiniteError:
                results = map(self._alone, launched.batch.rows)
        yield from (row if isinstance(row, ItemError) else next(results) for row in batch)

    def _alone(self, row: Row) -> list[np.ndarray] | ItemError:
        try:
            return self.score_rows([row])[0]
        except NotFiniteError as error:
            return ItemError(str(error))

    def prepare(self, item: Item) -> Row:
        """Prepare an item as one row. Raises ValueError as `score` does."""
        tree, tries = self._planned(len(item.images), item.questions)
        return Row(tree, tries, tuple(self._canvas(image) for image in item.images), item.group)

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

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """Keep the decoding processes, if any, for the time of an iteration."""
        if not self.processes or self._decoders is not None:
            yield
            return
        with ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn")) as self._decoders:
            try:
                yield
            finally:
                self._decoders = None

    def _canvas(self, image: ImageInput) -> np.ndarray:
        if self._decoders is None:
            return canvas(image, self.processor.config)
        return self._decoders.submit(canvas, image, self.processor.config).result()

    def _encode(self, num_images: int, question: Question) -> np.ndarray:
        content = [*[{"type": "image"}] * num_images, {"type": "text", "text": question.text}]
        return self.processor.encode(render([{"role": "user", "content": content}], self.system), num_images)

    def _choice(self, text: str) -> list[int]:
        """Return the tokens of a choice, with the space that follows `Assistant:` in the template."""
        tokens: list[int] = self.processor.tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids
        return tokens

    def _batches(self, rows: Iterable[Row | ItemError]) -> Iterator[list[Row | ItemError]]:
        batch: list[Row | ItemError] = []
        num_tokens = group = 0
        for row in rows:
            length = 1 if isinstance(row, ItemError) else row.tree.length  # errors fill batches, too
            row_group = group if isinstance(row, ItemError) else row.group
            if batch and (num_tokens + length > self.batch_tokens or row_group != group):
                yield batch
                batch, num_tokens = [], 0
            group = row_group
            batch.append(row)
            num_tokens += length
        if batch:
            yield batch

    def pack(self, rows: Sequence[Row]) -> "Batch":
        """Pack rows into one batch."""
        return Batch.of(rows, self.processor.config.eos)

    def score_rows(self, rows: Sequence[Row]) -> list[list[np.ndarray]]:
        """Score one batch of rows. Raises NotFiniteError if the logits of any are not finite."""
        return slices.finish(self.launch(self.pack(rows))).read()

    @torch.inference_mode()
    def launch(self, batch: "Batch", limit_flop: float = math.inf) -> Slices["Launch"]:
        """Launch the pass over a batch, in pieces of limited size (see `slices`); the result has to be read."""
        device, language = self.model.device, self.model.language
        visual = yield from self.embedder.encode(batch.canvases, limit_flop)
        x_TD = self.embedder.embed(batch.tokens_T, visual)
        positions_1T = upload(torch.from_numpy(batch.positions_T), device)[None]
        attention = Packed(batch.spans, device)
        hidden_1TD = yield from slices.decode(language, x_TD[None], positions_1T, attention, limit_flop)
        wanted = sorted({token for node in batch.nodes for token in node.children})
        hidden_MD = hidden_1TD[0, upload(torch.tensor(batch.places), device)]
        head_RD = language.head_rows(upload(torch.tensor(wanted), device))
        return Launch(batch, wanted, Download(hidden_MD.float() @ head_RD.float().T))


@dataclass(frozen=True, slots=True)
class Batch:
    """Packed rows: tokens, positions, spans, and the nodes with the places of their tokens."""

    rows: Sequence[Row]
    tokens_T: np.ndarray
    positions_T: np.ndarray
    spans: list[Span]
    canvases: list[np.ndarray]
    nodes: list[Node]
    places: list[int]

    LENGTH_STEP = 8  # the number of tokens is a multiple of this, as fast matrix products need it

    @classmethod
    def of(cls, rows: Sequence[Row], padding_token: int) -> "Batch":
        """Pack rows, with padding at the end of the batch."""
        starts = np.cumsum([0, *(row.tree.length for row in rows)]).tolist()
        spans = [span for row, start in zip(rows, starts, strict=False) for span in row.tree.spans(start)]
        padding = -starts[-1] % cls.LENGTH_STEP
        if padding:
            spans.append(Span(starts[-1], starts[-1] + padding))
        nodes = [
            (node, start) for row, start in zip(rows, starts, strict=False) for t in row.tries for node in t.nodes()
        ]
        return cls(
            rows=rows,
            tokens_T=np.concatenate([*(row.tree.tokens() for row in rows), np.full(padding, padding_token)]),
            positions_T=np.concatenate([*(row.tree.positions() for row in rows), np.arange(padding)]),
            spans=spans,
            canvases=[canvas for row in rows for canvas in row.canvases],
            nodes=[node for node, _ in nodes],
            places=[start + node.place for node, start in nodes],
        )


@dataclass(frozen=True, slots=True)
class Launch:
    """A launched batch: the (M, R) logits of the `wanted` tokens at its nodes are on their way."""

    batch: Batch
    wanted: list[int]
    logits: Download

    def read(self) -> list[list[np.ndarray]]:
        """Wait for the logits; return the log probabilities of each row's choices. Raises NotFiniteError."""
        logits_MR = self.logits.read().numpy()
        if not np.isfinite(logits_MR).all():
            raise NotFiniteError
        column = {token: c for c, token in enumerate(self.wanted)}
        nodes = iter(zip(self.batch.nodes, logits_MR, strict=True))
        scores = []
        for row in self.batch.rows:
            of_row = itertools.islice(nodes, sum(len(trie.nodes()) for trie in row.tries))
            logits = {
                node.place: {token: float(values_R[column[token]]) for token in node.children}
                for node, values_R in of_row
            }
            scores.append([trie.log_probabilities(logits) for trie in row.tries])
        return scores


def _map_ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], depth: int) -> Iterator[R]:
    """Yield the results of `work` in order, with up to `depth` items submitted ahead."""
    source = iter(items)
    futures = deque(pool.submit(work, item) for item in itertools.islice(source, depth))
    while futures:
        result = futures.popleft().result()
        futures.extend(pool.submit(work, item) for item in itertools.islice(source, 1))
        yield result
