"""Scores images: the probabilities of choices, or of a given text, for all questions about an image in one prefill.

The rows of a batch are packed: their tokens follow each other without padding.

Shapes: N images, Q questions, K choices, T tokens, D width, M nodes where the model chooses, R head rows, G tokens of
given texts.
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
from deepseek_vl.conversation import SYSTEM
from deepseek_vl.device import Download, upload
from deepseek_vl.images import ImageInput, canvas
from deepseek_vl.likelihood import GivenText, token_logs
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.score_plan import Answer, plan
from deepseek_vl.score_plan import Asked as Asked
from deepseek_vl.score_plan import Likelihood as Likelihood
from deepseek_vl.score_plan import Question as Question
from deepseek_vl.slices import Slices
from deepseek_vl.token_tree import TokenTree

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Item:
    """Images (zero or more) and the questions about them.

    Args:
        group: items of two groups are never in one batch. The last bits of a score depend on its batch, so that groups
            that are always the same give the same bits.
    """

    images: tuple[ImageInput, ...]
    questions: tuple[Asked, ...]
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
    """A prepared item: one row of tokens for all its questions, with the tokens of its images `image_copies` times."""

    tree: TokenTree
    answers: tuple[Answer, ...]
    canvases: tuple[np.ndarray, ...]
    group: int = 0
    image_copies: int = 1


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
        self._planned = functools.lru_cache(maxsize=64)(functools.partial(plan, processor, system))
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
            For each item the (K,) float64 log probabilities of each question's choices, or of a given text's tokens and
            its end; or why there are none. An error among the items is passed on in its place.
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
        tree, answers, copies = self._planned(len(item.images), item.questions)
        return Row(tree, answers, tuple(self._canvas(image) for image in item.images), item.group, copies)

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
        x_TD = self.embedder.embed(batch.tokens_T, [visual[k] for k in batch.images])
        positions_1T = upload(torch.from_numpy(batch.positions_T), device)[None]
        attention = Packed(batch.spans, device)
        hidden_1TD = yield from slices.decode(language, x_TD[None], positions_1T, attention, limit_flop)
        wanted = sorted({token for node in batch.nodes for token in node.children})
        hidden_MD = hidden_1TD[0, upload(torch.tensor(batch.places, dtype=torch.int64), device)]
        head_RD = language.head_rows(upload(torch.tensor(wanted, dtype=torch.int64), device))
        logits = Download(hidden_MD.float() @ head_RD.float().T)
        hidden_GD = hidden_1TD[0, upload(torch.tensor(batch.given_places, dtype=torch.int64), device)]
        logs = yield from token_logs(language, hidden_GD, batch.given_tokens, limit_flop)
        return Launch(batch, wanted, logits, Download(logs))


@dataclass(frozen=True, slots=True)
class Batch:
    """Packed rows: tokens, positions, spans, the nodes with the places of their tokens, and the same of given texts.

    Args:
        images: index of the canvas of each run of image tokens.
    """

    rows: Sequence[Row]
    tokens_T: np.ndarray
    positions_T: np.ndarray
    spans: list[Span]
    canvases: list[np.ndarray]
    images: list[int]
    nodes: list[Node]
    places: list[int]
    given_tokens: list[int]
    given_places: list[int]

    LENGTH_STEP = 8  # the number of tokens is a multiple of this, as fast matrix products need it

    @classmethod
    def of(cls, rows: Sequence[Row], padding_token: int) -> "Batch":
        """Pack rows, with padding at the end of the batch."""
        starts = np.cumsum([0, *(row.tree.length for row in rows)]).tolist()
        spans = [span for row, start in zip(rows, starts, strict=False) for span in row.tree.spans(start)]
        padding = -starts[-1] % cls.LENGTH_STEP
        if padding:
            spans.append(Span(starts[-1], starts[-1] + padding))
        answers = [(answer, start) for row, start in zip(rows, starts, strict=False) for answer in row.answers]
        nodes = [(node, start) for a, start in answers if isinstance(a, ChoiceTrie) for node in a.nodes()]
        given = [(text, start) for text, start in answers if isinstance(text, GivenText)]
        firsts = np.cumsum([0, *(len(row.canvases) for row in rows)]).tolist()
        return cls(
            rows=rows,
            tokens_T=np.concatenate([*(row.tree.tokens() for row in rows), np.full(padding, padding_token)]),
            positions_T=np.concatenate([*(row.tree.positions() for row in rows), np.arange(padding)]),
            spans=spans,
            canvases=[canvas for row in rows for canvas in row.canvases],
            images=[
                first + k
                for row, first in zip(rows, firsts, strict=False)
                for _ in range(row.image_copies)
                for k in range(len(row.canvases))
            ],
            nodes=[node for node, _ in nodes],
            places=[start + node.place for node, start in nodes],
            given_tokens=[token for text, _ in given for token in text.tokens],
            given_places=[start + place for text, start in given for place in text.places],
        )


@dataclass(frozen=True, slots=True)
class Launch:
    """A launched batch; on their way are (M, R) logits of the `wanted` tokens, and (G,) log probabilities."""

    batch: Batch
    wanted: list[int]
    logits: Download
    given: Download

    def read(self) -> list[list[np.ndarray]]:
        """Wait for the numbers; return the log probabilities of each row's answers. Raises NotFiniteError."""
        logits_MR, given_G = self.logits.read().numpy(), self.given.read().numpy().astype(np.float64)
        if not (np.isfinite(logits_MR).all() and np.isfinite(given_G).all()):
            raise NotFiniteError
        column = {token: c for c, token in enumerate(self.wanted)}
        nodes, given = iter(zip(self.batch.nodes, logits_MR, strict=True)), iter(given_G)

        def logs(answer: Answer) -> np.ndarray:
            if isinstance(answer, GivenText):
                return np.array(list(itertools.islice(given, len(answer.tokens))))
            logits = {
                node.place: {token: float(values_R[column[token]]) for token in node.children}
                for node, values_R in itertools.islice(nodes, len(answer.nodes()))
            }
            return answer.log_probabilities(logits)

        return [[logs(answer) for answer in row.answers] for row in self.batch.rows]


def _map_ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], depth: int) -> Iterator[R]:
    """Yield the results of `work` in order, with up to `depth` items submitted ahead."""
    source = iter(items)
    futures = deque(pool.submit(work, item) for item in itertools.islice(source, depth))
    while futures:
        result = futures.popleft().result()
        futures.extend(pool.submit(work, item) for item in itertools.islice(source, 1))
        yield result
