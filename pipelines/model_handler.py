"""A Beam model handler that asks a DeepSeek-VL questions about images, for Beam's `RunInference`."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from apache_beam.ml.inference.base import ModelHandler

from deepseek_vl import checkpoint, device
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Item, ItemError, Question, Scorer


@dataclass(frozen=True, slots=True)
class ImageScores:
    """The result of one element.

    Args:
        probabilities: for each question, the probability of each choice; None if the element has an error.
        error: why there are none, for this element alone.
    """

    probabilities: tuple[tuple[float, ...], ...] | None
    error: str | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)  # Beam shares it by a weak reference
class LoadedScorer:
    """A scorer in a worker's process, which its threads use one after the other."""

    scorer: Scorer
    lock: Any


class ImageScorer(ModelHandler[Sequence[bytes], ImageScores, LoadedScorer]):
    """Scores elements; an element is the encoded images of one sample, in order (often one).

    The model is loaded once per process. A bad element gets an error as its result, so that no bundle is tried again.
    Keys pass through with Beam's `KeyedModelHandler(ImageScorer(…))`.

    Args:
        model: folder of a checkpoint, or a hub id, that every worker can read.
        questions: asked about every element.
        device, dtype: as in `deepseek_vl.score`; None for the best of the worker.
        quantize: int8 or int4 for quantized weights.
        batch_tokens: maximum tokens of one pass.
        max_batch_size: maximum elements of a batch.
    """

    def __init__(
        self,
        model: str,
        questions: Sequence[Question],
        *,
        device: str | None = None,
        dtype: str | None = None,
        quantize: str | None = None,
        batch_tokens: int = 16384,
        max_batch_size: int = 64,
    ):
        super().__init__()
        self.model, self.questions = model, tuple(questions)
        self.device, self.dtype, self.quantize = device, dtype, quantize
        self.batch_tokens, self.max_batch_size = batch_tokens, max_batch_size

    def load_model(self) -> LoadedScorer:
        """Load the model in a worker. Raises CheckpointError, ValueError."""
        where = device.pick(self.device)
        dtype = device.pick_dtype(self.dtype, where, quantized=self.quantize is not None)
        folder = checkpoint.find(self.model)
        loaded = checkpoint.load(folder, device=where, dtype=dtype, quantize=self.quantize)
        return LoadedScorer(
            Scorer(loaded, Processor.load(folder), batch_tokens=self.batch_tokens),
            threading.Lock(),
        )

    def run_inference(
        self, batch: Sequence[Sequence[bytes]], model: LoadedScorer, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[ImageScores]:
        """Return the scores of each element, in order."""
        with model.lock:
            return [_result(scores) for scores in model.scorer.score_items(map(self._item, batch))]

    def _item(self, images: Sequence[bytes]) -> Item | ItemError:
        if not images:
            return ItemError("the element has no image")
        return Item(tuple(images), self.questions)

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Return how Beam batches elements."""
        return {"min_batch_size": 1, "max_batch_size": self.max_batch_size}

    def get_num_bytes(self, batch: Sequence[Sequence[bytes]]) -> int:
        """Return the size of the images of a batch, for Beam's metrics."""
        return sum(len(image) for images in batch for image in images)

    def get_metrics_namespace(self) -> str:
        """Return the namespace of Beam's metrics."""
        return "vellum_image_scorer"


def _result(scores: list[np.ndarray] | ItemError) -> ImageScores:
    if isinstance(scores, ItemError):
        return ImageScores(None, scores.message)
    return ImageScores(tuple(tuple(np.exp(of_question).tolist()) for of_question in scores))
