"""The figures of a training between two lines of its log: losses, norms, rates, speed."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from deepseek_vl.train.flops import StepCost, peak_flops
from deepseek_vl.train.loader import Loader, StepData
from deepseek_vl.train.processes import Processes
from deepseek_vl.train.settings import TrainSettings


class Training(Protocol):
    """A training as its figures see it: a `Trainer`."""

    settings: TrainSettings
    processes: Processes
    loader: Loader
    cost: StepCost
    num_skipped_steps: int


class Figures:
    """Sums up what is reported between two lines of the log."""

    def __init__(self, trainer: Training):
        self._trainer = trainer
        self._names = [source.path.rstrip("/").rpartition("/")[2] for source in trainer.settings.data.sources]
        self._groups = [source.group for source in trainer.settings.data.sources]
        self._peak = peak_flops(trainer.processes.device)
        self._clear()

    def _clear(self) -> None:
        self._since, self._waited = time.perf_counter(), self._trainer.loader.waited_s
        self._sums: Tensor | None = None
        self._norms: list[Mapping[str, float]] = []
        self._tokens = self._slots = 0
        self._flops = self._factor = 0.0
        self._skipped: Mapping[str, int] = {}

    def leave_out(self, seconds: float) -> None:
        """Do not count seconds in which nothing was trained."""
        self._since += seconds

    def add(self, data: StepData, sums: Tensor, norms: Mapping[str, float], factor: float) -> None:
        """Add a step, with the norms of its gradient by part and of all under an empty name."""
        self._sums = sums if self._sums is None else self._sums + sums
        self._norms.append(norms)
        self._factor, self._skipped = factor, data.skipped
        self._slots += data.num_slots
        for batch in data.batches:
            self._tokens += batch.num_tokens
            attended = sum(length**2 for length in batch.lengths)
            self._flops += self._trainer.cost.flops(
                batch.num_tokens, len(batch.targets_S), batch.num_images, attended, num_known=batch.num_known
            )

    def summary(self) -> dict[str, float]:
        """Return the figures since the last summary; all processes must ask for it."""
        trainer, processes = self._trainer, self._trainer.processes
        seconds = time.perf_counter() - self._since
        waited = trainer.loader.waited_s - self._waited
        own = [self._tokens, self._slots, self._flops, waited]
        totals = processes.sum(torch.tensor(own, dtype=torch.float64, device=processes.device)).tolist()
        assert self._sums is not None
        losses, counts = self._sums.cpu().double()
        figures: dict[str, float] = {
            "loss": float(losses.sum() / counts.sum().clamp(min=1)),
            "gradient_norm": _mean_of_finite([norms[""] for norms in self._norms]),
            "tokens_per_s": totals[0] / seconds,
            "padding": 1 - totals[0] / max(1, totals[1]),
            "data_wait": totals[3] / seconds / processes.world_size,
            "steps_skipped": float(trainer.num_skipped_steps),
        }
        for index, name in enumerate(self._names):
            if counts[index]:
                key = f"loss/{name}" if self._names.count(name) == 1 else f"loss/{index}_{name}"
                figures[key] = float(losses[index] / counts[index])
        for group in sorted(set(self._groups)):
            chosen = torch.tensor([each == group for each in self._groups])
            if counts[chosen].sum():
                figures[f"loss_by_group/{group}"] = float(losses[chosen].sum() / counts[chosen].sum())
        for part, rate in trainer.settings.train.items():
            figures[f"learning_rate/{part}"] = rate * self._factor
            figures[f"gradient_norm/{part}"] = _mean_of_finite([norms[part] for norms in self._norms])
        for reason, count in self._skipped.items():
            figures[f"skipped/{reason}"] = float(count)
        if self._peak is not None:
            figures["mfu"] = totals[2] / seconds / (self._peak * processes.world_size)
        self._clear()
        return figures


def _mean_of_finite(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / max(1, len(finite))
