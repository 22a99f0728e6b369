"""Runs a task on a model: likelihoods of choices, generated answers, or perplexities of texts."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from deepseek_vl.conversation import IMAGE_MARK, SYSTEM, marked_parts
from deepseek_vl.engine import Engine
from deepseek_vl.evaluate.metrics import METRICS
from deepseek_vl.evaluate.records import Record
from deepseek_vl.evaluate.tasks import MULTIPLE_CHOICE, PERPLEXITY, Task
from deepseek_vl.images import read_rgb
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, ItemError, Question, Scorer
from deepseek_vl.train.batches import collate, prepare
from deepseek_vl.train.examples import ExampleEncoder, ExampleError
from deepseek_vl.train.forward import DeviceBatch, TrainingModel

ROWS = 8  # answers generated at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one record.

    Args:
        answer: what the model chose or generated.
        value: from 0 to 1; for perplexity the mean loss of a token, in nats.
        weight: 1, or the number of tokens for perplexity.
        error: why there is no result; such a record counts as wrong.
    """

    record: Record
    answer: str = ""
    value: float = 0.0
    weight: float = 1.0
    error: str = ""


def run_task(task: Task, records: Sequence[Record], model: DeepseekVL, processor: Processor) -> Iterator[Outcome]:
    """The outcomes of records, in their order."""
    if task.metric == MULTIPLE_CHOICE:
        return _choose(task, records, model, processor)
    if task.metric == PERPLEXITY:
        return _read(task, records, model, processor)
    return _answer(task, records, model, processor)


def _choose(task: Task, records: Sequence[Record], model: DeepseekVL, processor: Processor) -> Iterator[Outcome]:
    scorer = Scorer(model, processor, system=SYSTEM if task.system is None else task.system)
    items: list[Item | ItemError] = []
    for record in records:
        try:
            question = Question(with_numbers(record.prompt), record.choices)
            items.append(Item(tuple(record.images), (question,)))
        except ValueError as error:
            items.append(ItemError(str(error)))
    results = scorer.score_items(item for item in items if isinstance(item, Item))
    for record, item in zip(records, items, strict=True):
        result = item if isinstance(item, ItemError) else next(results)
        if isinstance(result, ItemError):
            yield Outcome(record, error=result.message)
        else:
            chosen = record.choices[int(np.argmax(result[0]))]
            yield Outcome(record, chosen, float(chosen in record.expected))


def with_numbers(prompt: str) -> str:
    """Return a prompt whose images come first, for the scorer: where they were, it says which of several was there."""
    first, *rest = re.sub(f"^({IMAGE_MARK}\\s*)+", "", prompt).split(IMAGE_MARK)
    if prompt.count(IMAGE_MARK) == 1:
        return (first + "".join(rest)).strip()
    before = prompt.count(IMAGE_MARK) - len(rest)
    return "".join([first, *(f"(image {before + k}){text}" for k, text in enumerate(rest, 1))]).strip()


def _answer(task: Task, records: Sequence[Record], model: DeepseekVL, processor: Processor) -> Iterator[Outcome]:
    judge = METRICS[task.metric]
    for first in range(0, len(records), ROWS):
        some = records[first : first + ROWS]
        prompts = [_prompt(record, task, processor) for record in some]
        answers = iter(_generate([p for p in prompts if isinstance(p, Prompt)], task, model, processor))
        for record, prompt in zip(some, prompts, strict=True):
            if isinstance(prompt, str):
                yield Outcome(record, error=prompt)
            else:
                answer = next(answers)
                yield Outcome(record, answer, judge(answer, record.expected))


def _prompt(record: Record, task: Task, processor: Processor) -> Prompt | str:
    """Return a record's prompt, or why it has none."""
    content = marked_parts(record.prompt)
    system = SYSTEM if task.system is None else task.system
    try:
        pictures = [read_rgb(image) for image in record.images]
        return processor.prompt([{"role": "user", "content": content}], pictures, system=system)
    except ValueError as error:
        return str(error)


def _generate(prompts: Sequence[Prompt], task: Task, model: DeepseekVL, processor: Processor) -> list[str]:
    if not prompts:
        return []
    slots = max(map(len, prompts)) + task.max_tokens
    engine = Engine(model, processor, rows=len(prompts), slots=min(slots, model.config.language.max_positions))
    streams = [engine.add(prompt, SamplingSettings(max_tokens=task.max_tokens)) for prompt in prompts]
    while engine.busy:
        engine.step()
    return [processor.decode([t for t in s.tokens if t != model.config.eos]).strip() for s in streams]


@torch.inference_mode()
def _read(task: Task, records: Sequence[Record], model: DeepseekVL, processor: Processor) -> Iterator[Outcome]:
    limit = model.config.language.max_positions
    encoder = ExampleEncoder(processor, max_tokens=limit, max_images=1000, too_long="split")
    reader = TrainingModel(model)
    for record in records:
        row = {
            "text": record.text,
            "messages": list(record.messages),
            "images": [{"bytes": image} for image in record.images],
        }
        try:
            prepared = [prepare(example, model.config) for example in encoder.encode(row)]
        except ExampleError as error:
            yield Outcome(record, error=str(error))
            continue
        whole = [each for each in prepared if each is not None]
        if len(whole) < len(prepared):
            yield Outcome(record, error="an image cannot be decoded")
            continue
        losses = [reader(DeviceBatch.of(collate([[each]], model.config), model.device)) for each in whole]
        total, count = sum(float(part.sum()) for part in losses), sum(len(part) for part in losses)
        if math.isfinite(total):
            yield Outcome(record, value=total / count, weight=float(count))
        else:
            yield Outcome(record, error="the loss is not finite")
