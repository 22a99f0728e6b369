"""`--dry-run`: what a training would do, from its settings, its data and a few measured steps."""

import time
from collections import Counter
from collections.abc import Iterator

import torch

from deepseek_vl.train.forward import DeviceBatch
from deepseek_vl.train.lanes import Lane
from deepseek_vl.train.parts import PARTS, counts
from deepseek_vl.train.settings import TrainSettings
from deepseek_vl.train.trainer import Trainer

SAMPLED_SEQUENCES = 32  # of each group, for the mixture as it will be seen
MEASURED_STEPS = 2  # after one to warm up


def report(trainer: Trainer) -> Iterator[str]:
    """The lines of the report. Weights are not changed, and nothing is written."""
    yield from _parameters(trainer)
    yield ""
    yield from _memory(trainer)
    yield ""
    yield from _mixture(trainer)
    yield ""
    yield from _speed(trainer)


def _parameters(trainer: Trainer) -> Iterator[str]:
    yield "parameters     trained         all  learning rate"
    found = counts(trainer.model.model)
    for part in PARTS:
        if part in found:
            trained, total = found[part]
            rate = trainer.settings.train.get(part)
            yield f"{part:<10} {trained:>11,} {total:>11,}  {'frozen' if rate is None else f'{rate:g}'}"
    trained, total = (sum(values) for values in zip(*found.values(), strict=True))
    yield f"{'all':<10} {trained:>11,} {total:>11,}"


def _memory(trainer: Trainer) -> Iterator[str]:
    """Memory of one process for everything that is divided among them, and for activations by a rule of thumb."""
    settings, world_size = trainer.settings, trainer.processes.world_size
    parameters = list(trainer.model.named_parameters())
    weights = sum(4 * p.numel() for _, p in parameters) / world_size
    trained = sum(p.numel() for _, p in parameters if p.requires_grad) / world_size
    yield f"memory of a process, of {world_size}"
    yield f"weights      {_gb(weights)}  float32, divided among the processes"
    yield f"gradients    {_gb(4 * trained)}"
    yield f"optimizer    {_gb(8 * trained)}"
    yield f"activations  {_gb(_activations(settings, trainer))}  estimated"


def _activations(settings: TrainSettings, trainer: Trainer) -> float:
    """Bytes of the language model's activations: about 34 values per token, layer and unit of width (arXiv 2205.05198),
    or 1 if they are computed again."""
    language = trainer.config.language
    size = 2 if settings.compute.dtype == "bfloat16" else 4
    per_unit = 1 if settings.compute.checkpoint_activations else 17
    tokens = settings.data.tokens * settings.optimization.sequences_per_batch
    return float(tokens * language.layers * language.width * per_unit * size)


def _mixture(trainer: Trainer) -> Iterator[str]:
    settings = trainer.settings
    yield (
        f"a step reads {settings.optimization.sequences} sequences of up to {settings.data.tokens} tokens: "
        f"{settings.optimization.sequences * settings.data.tokens:,} tokens; {settings.optimization.steps:,} steps"
    )
    share = settings.data.text_share
    if share is not None:
        steps = range(settings.optimization.steps)
        num_text = sum(share.is_text(step) for step in steps)
        fall = f"from {share.at(0):.0%} to {share.end:.0%} in {share.steps:,} steps"
        yield f"{num_text:,} steps of text, whose share falls {fall}"
    for group in trainer.mixture.groups:
        yield from _sampled(trainer, trainer.mixture.lanes(group, trainer.processor, [0])[0], group)


def _sampled(trainer: Trainer, lane: Lane, group: str) -> Iterator[str]:
    """Report the first sequences of a lane."""
    tokens: Counter[int] = Counter()
    examples: Counter[int] = Counter()
    images = targets = slots = 0
    for _ in range(SAMPLED_SEQUENCES):
        sequence = lane.next()
        slots += trainer.settings.data.tokens if trainer.settings.data.packed else sequence.num_tokens
        for example in sequence.examples:
            tokens[example.dataset] += len(example)
            examples[example.dataset] += 1
            images += example.num_images
            targets += int(example.is_target.sum())
    total = tokens.total()
    yield (
        f"{group}: {targets / total:.0%} of the tokens are learned, {images / SAMPLED_SEQUENCES:.1f} images and "
        f"{examples.total() / SAMPLED_SEQUENCES:.1f} samples in a sequence, {1 - total / slots:.1%} padding"
    )
    for component in trainer.mixture.components(group):
        index, dataset = component.index, component.dataset
        mean = tokens[index] / max(1, examples[index])
        yield (
            f"  {tokens[index] / total:>6.1%} of the tokens: {dataset.path}, {dataset.num_rows:,} samples"
            f" of about {mean:.0f} tokens"
        )
    for reason, count in sorted(lane.skipped.items()):
        yield f"  left out: {count} {reason}"


def _speed(trainer: Trainer) -> Iterator[str]:
    """Time of steps without an update, from a few that are measured."""
    optimization = trainer.settings.optimization
    trainer.loader.start(0)
    seconds: list[float] = []
    for step in range(optimization.steps):
        data = trainer.loader.next()
        since = time.perf_counter()
        for batch in data.batches:
            trainer.model(DeviceBatch.of(batch, trainer.processes.device)).sum().backward()
        if trainer.processes.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - since)
        trainer.optimizer.zero_grad(set_to_none=True)
        if step >= MEASURED_STEPS:
            break
    trainer.loader.close()
    mean = sum(seconds[1:]) / len(seconds[1:]) if len(seconds) > 1 else seconds[0]
    yield f"{mean:.2f} s for a step here, so about {_hours(mean * optimization.steps)} for {optimization.steps:,} steps"
    if trainer.processes.device.type == "cuda":
        yield f"largest memory measured: {_gb(torch.cuda.max_memory_allocated())}"


def _gb(num_bytes: float) -> str:
    return f"{num_bytes / 1e9:>9,.3f} GB"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds > 5400 else f"{seconds / 60:.0f} minutes"
