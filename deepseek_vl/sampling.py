"""Samples the next token.

Shapes: B sequences, V vocabulary.
"""

import random
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplingSettings:
    """Settings of generation.

    Args:
        max_tokens: maximum length of the answer.
        temperature: 0 takes the most likely token (greedy); 1 samples from the model's distribution.
        top_p: sample among the most likely tokens that together have this probability.
        seed: the same seed gives the same answer, independent of the batch.
        stop: texts that end the answer; they are not part of it.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature must be between 0 and 10, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not all(self.stop):
            raise ValueError("stop texts must not be empty")


@dataclass(slots=True)
class Sampler:
    """The settings of one answer and its random numbers."""

    settings: SamplingSettings
    numbers: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = random.Random(self.settings.seed)


def choose(logits_BV: Tensor, samplers: list[Sampler]) -> list[int]:
    """Return the next token of every sequence, or -1 if its logits are not finite; the others are unaffected."""
    logits_BV = logits_BV.float()
    chosen_B = logits_BV.argmax(dim=-1)
    sampled_rows = [row for row, sampler in enumerate(samplers) if sampler.settings.temperature > 0]
    if sampled_rows:
        chosen_B[sampled_rows] = _sample(logits_BV[sampled_rows], [samplers[row] for row in sampled_rows])
    finite_B = logits_BV.isfinite().all(dim=-1)
    tokens: list[int] = torch.where(finite_B, chosen_B, -1).tolist()
    return tokens


def _sample(logits_BV: Tensor, samplers: list[Sampler]) -> Tensor:
    """Sample by inverting the cumulative distribution over tokens sorted by probability and cut at top_p."""
    # At lower temperatures the most likely token has all the probability anyway, and the quotient could overflow.
    temperature_B1 = logits_BV.new_tensor([[s.settings.temperature] for s in samplers]).clamp(min=1e-5)
    top_p_B1 = logits_BV.new_tensor([[s.settings.top_p] for s in samplers])
    uniform_B1 = logits_BV.new_tensor([[s.numbers.random()] for s in samplers])
    sorted_BV, order_BV = (
        ((logits_BV - logits_BV.amax(dim=-1, keepdim=True)) / temperature_B1)
        .softmax(dim=-1)
        .sort(dim=-1, descending=True, stable=True)
    )
    cumulative_BV = sorted_BV.cumsum(dim=-1)
    # Keep the sorted tokens that begin before top_p is reached, and always the first.
    kept_B1 = (cumulative_BV - sorted_BV < top_p_B1).sum(dim=-1, keepdim=True).clamp(min=1)
    mass_B1 = cumulative_BV.gather(-1, kept_B1 - 1)
    place_B1 = (cumulative_BV < uniform_B1 * mass_B1).sum(dim=-1, keepdim=True).clamp(max=kept_B1 - 1)
    return order_BV.gather(-1, place_B1)[:, 0]
