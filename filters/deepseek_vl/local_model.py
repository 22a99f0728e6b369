"""The model in this process. The only file of the filter that imports torch."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from deepseek_vl import checkpoint, slices
from deepseek_vl import device as devices
from deepseek_vl.choices import ChoiceTrie
from deepseek_vl.model import DeepseekVL
from deepseek_vl.packing import pack
from deepseek_vl.processor import Processor
from deepseek_vl.score_plan import answer_tokens
from deepseek_vl.scoring import Item, ItemError, Likelihood, NotFiniteError, Question, Scorer
from filters.deepseek_vl.questions import Answers, Ask, Asked, Fault

CHARS_PER_TOKEN = 4  # of English
TOO_LONG = "tokens, visual tokens included"  # in the message about a prompt that is too long


class LocalModel:
    """A checkpoint on a device.

    Args:
        model: folder or hub id.
        threads: number of torch's threads on a CPU, and for decoding images; None: all cores, divided by `processes`.
        processes: copies of the model on this machine.
    Raises:
        ValueError: the checkpoint, device or type cannot be used.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str | None = None,
        dtype: str | None = None,
        quantize: str | None = None,
        threads: int | None = None,
        processes: int = 1,
    ):
        where = devices.pick(device)
        kind = devices.pick_dtype(dtype, where, quantized=quantize is not None)
        num_threads = threads or max(1, _cores() // processes)
        torch.set_num_threads(num_threads)
        folder = checkpoint.find(model)
        loaded = checkpoint.load(folder, device=where, dtype=kind, quantize=quantize)
        pack(loaded)
        self._scorer = Scorer(loaded, Processor.load(folder), threads=num_threads)

    def ask(self, batches: Sequence[Sequence[Ask]]) -> list[list[Answers | Fault]]:
        """Answer items (see `Judge`). Where memory is short, items are computed one by one."""
        try:
            answered = self._scorer.score_items(_items(batches))
            return [[_result(next(answered)) for _ in batch] for batch in batches]
        except (RuntimeError, MemoryError) as error:
            if not devices.is_memory(error):
                raise
            message = str(error).partition("\n")[0]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if sum(map(len, batches)) > 1:
            return [[self.ask([[ask]])[0][0] for ask in batch] for batch in batches]
        return [[Fault("out_of_memory", message)]]


def _items(batches: Sequence[Sequence[Ask]]) -> Iterator[Item | ItemError]:
    for group, batch in enumerate(batches):
        for ask in batch:
            yield Item(ask.images, tuple(map(question_of, ask.questions)), group)


def question_of(asked: Asked) -> Question | Likelihood:
    """Return what a scorer is asked."""
    if asked.answer is not None:
        return Likelihood(asked.text, asked.answer)
    assert asked.text is not None, "choices answer a question"
    return Question(asked.text, asked.choices)


def _result(found: list[np.ndarray] | ItemError) -> Answers | Fault:
    if not isinstance(found, ItemError):
        return [logs.tolist() for logs in found]
    if TOO_LONG in found.message:
        return Fault("too_long", found.message)
    code = "not_finite" if found.message == str(NotFiniteError()) else "unreadable_image"
    return Fault(code, found.message)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check(model: str) -> None:
    """Check a checkpoint and its tokenizer without reading its weights.

    Raises:
        ValueError: the checkpoint is missing, damaged, or no DeepSeek-VL.
    """
    folder = checkpoint.find(model)
    checkpoint.verify(folder)
    Processor.load(folder)


def collision(model: str, questions: Sequence[Asked]) -> str | None:
    """Return the first question with two choices that have the same tokens; None if there is none."""
    processor = Processor.load(checkpoint.find(model))
    for asked in questions:
        try:
            ChoiceTrie.of([answer_tokens(processor, choice) for choice in asked.choices], processor.config.eos)
        except ValueError:
            return asked.text
    return None


def digest(model: str) -> str:
    """The digest of a checkpoint, hex. Raises ValueError."""
    return checkpoint.digest(checkpoint.find(model))


def flop_per_sample(model: str, num_chars: int) -> float:
    """Return about how many floating-point operations a sample with one image takes.

    Args:
        num_chars: characters of all questions.
    """
    config = checkpoint.verify(checkpoint.find(model))
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.inference_mode():
        DeepseekVL(config).encode(torch.zeros(1, 3, config.image_px, config.image_px, dtype=torch.uint8))
    num_tokens = config.tokens_per_image + num_chars / CHARS_PER_TOKEN
    return float(counter.get_total_flops() + num_tokens * slices.token_flop(config.language))
