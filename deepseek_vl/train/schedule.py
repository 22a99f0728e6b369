"""Schedules: the learning rate and the share of text, as functions of the step."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LearningRateSchedule:
    """The factor by which learning rates are multiplied: a linear rise, then the curve.

    Args:
        kind: `cosine` falls to `floor` at the last step, `step` is multiplied by `decay` at each of `milestones`,
            `constant` stays at 1.
        warmup_steps: steps in which the factor rises to 1.
        floor: factor at the end of a cosine.
        milestones: parts of the training (0 to 1) at which a `step` schedule falls.
        decay: factor of each fall.
    """

    kind: str = "cosine"
    warmup_steps: int = 0
    floor: float = 0.0
    milestones: tuple[float, ...] = (0.8, 0.9)
    decay: float = 0.316

    def __post_init__(self) -> None:
        if self.kind not in ("cosine", "step", "constant"):
            raise ValueError(f"kind must be cosine, step or constant, got {self.kind!r}")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps must not be negative, got {self.warmup_steps}")
        if not 0 <= self.floor <= 1:
            raise ValueError(f"floor must be between 0 and 1, got {self.floor}")
        if not all(0 < m < 1 for m in self.milestones) or list(self.milestones) != sorted(self.milestones):
            raise ValueError(f"milestones must rise between 0 and 1, got {list(self.milestones)}")

    def factor(self, step: int, num_steps: int) -> float:
        """Return the factor of a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(1, num_steps - self.warmup_steps)
        if self.kind == "cosine":
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
        if self.kind == "step":
            return float(self.decay ** sum(step >= milestone * num_steps for milestone in self.milestones))
        return 1.0


@dataclass(frozen=True, kw_only=True)
class TextShare:
    """The modality warm-up of arXiv 2403.05525, section 3.2.2: the share of text falls from `start` to `end`.

    Args:
        steps: steps in which it falls.
        curve: `linear`, `cosine`, or `stairs`: equal falls at equal distances. The paper gives no curve.
        stairs: number of falls.
    """

    start: float = 1.0
    end: float = 0.7
    steps: int = 0
    curve: str = "linear"
    stairs: int = 4

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.curve not in ("linear", "cosine", "stairs"):
            raise ValueError(f"curve must be linear, cosine or stairs, got {self.curve!r}")
        if self.steps < 0 or self.stairs < 1:
            raise ValueError(f"steps must not be negative and stairs positive, got {self.steps} and {self.stairs}")

    def at(self, step: int) -> float:
        """Return the share of text at a step, counted from 0."""
        if step >= self.steps:
            return self.end
        progress = step / self.steps
        if self.curve == "cosine":
            progress = (1 - math.cos(math.pi * progress)) / 2
        elif self.curve == "stairs":
            progress = math.floor(progress * self.stairs) / self.stairs
        return self.start + (self.end - self.start) * progress

    def is_text(self, step: int) -> bool:
        """Return True if a step is all text. Steps of text are spread evenly and follow the share exactly."""
        return math.floor(self._sum(step + 1) + 1e-9) > math.floor(self._sum(step) + 1e-9)

    def _sum(self, step: int) -> float:
        """Return the sum of the shares of all steps before a step."""
        falling = min(step, self.steps)
        if self.curve == "linear" and falling:
            total = self.start * falling + (self.end - self.start) * falling * (falling - 1) / 2 / self.steps
        else:
            total = math.fsum(self.at(k) for k in range(falling))
        return total + self.end * (step - falling)
