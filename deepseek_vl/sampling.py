"""Samples the next token.

Shapes: B sequences, V vocabulary, K most likely tokens.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.device import Download, upload


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplingSettings:
    """Settings of generation.

    Args:
        max_tokens: maximum length of the answer.
        temperature: 0 takes the most likely token (greedy); 1 samples from the model's distribution.
        top_p: sample among the most likely tokens that together have this probability.
        top_k: sample among this many most likely tokens; 0 for all.
        min_p: sample among the tokens with at least this share of the probability of the most likely one.
        repetition_penalty: divides positive logits and multiplies negative ones of tokens in the prompt or the answer
            (Keskar et al., arXiv 1909.05858, section 4.1); 1 for none.
        frequency_penalty: subtracted from the logit of a token for every time it is in the answer so far.
        presence_penalty: subtracted once from the logits of tokens in the answer so far. Both are OpenAI's.
        logprobs: number of most likely tokens whose log probabilities are returned with every token; None returns
            nothing. They are the model's own, before temperature, penalty and cuts.
        seed: the same seed gives the same answer, independent of the batch.
        stop: texts that end the answer; they are not part of it.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logprobs: int | None = None
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature must be between 0 and 10, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if self.top_k < 0:
            raise ValueError(f"top_k must not be negative, got {self.top_k}")
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must be between 0 and 1, got {self.min_p}")
        if not 0 < self.repetition_penalty <= 100:
            raise ValueError(f"repetition_penalty must be above 0 and at most 100, got {self.repetition_penalty}")
        for name in ("frequency_penalty", "presence_penalty"):
            if not -100 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} must be between -100 and 100, got {getattr(self, name)}")
        if self.logprobs is not None and self.logprobs < 0:
            raise ValueError(f"logprobs must not be negative, got {self.logprobs}")
        if not all(self.stop):
            raise ValueError("stop texts must not be empty")


class TokenMask(Protocol):
    """The tokens that an answer may continue with, for constrained decoding."""

    def allowed(self) -> Tensor | None:
        """Return (V,) bool on the CPU, True for at least one token that may come next; None if all may."""

    def push(self, token: int) -> None:
        """Take note of the token that came next."""


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Log probability of a token, and of the K most likely tokens at its place, most likely first."""

    chosen: float
    top: tuple[tuple[int, float], ...]


@dataclass(slots=True)
class Sampler:
    """The settings of one answer, its random numbers, and what its penalty and mask need.

    Args:
        prompt: (T,) tokens that a repetition penalty counts as seen.
    """

    settings: SamplingSettings
    prompt: Sequence[int] | np.ndarray = ()
    mask: TokenMask | None = None
    numbers: random.Random = field(init=False)
    _seen_V: Tensor | None = None
    _counts_V: Tensor | None = None

    def __post_init__(self) -> None:
        self.numbers = random.Random(self.settings.seed)

    @property
    def changes_logits(self) -> bool:
        """True if logits must be changed before a token is taken."""
        return self.mask is not None or self.settings.repetition_penalty != 1 or self._counts_tokens

    @property
    def _counts_tokens(self) -> bool:
        return self.settings.frequency_penalty != 0 or self.settings.presence_penalty != 0

    @property
    def cuts(self) -> bool:
        """True if only some of the tokens may be sampled."""
        return self.settings.top_p < 1 or self.settings.top_k > 0 or self.settings.min_p > 0

    def change(self, logits_V: Tensor) -> Tensor:
        """Return logits with the penalties, and minus infinity for tokens outside the mask."""
        if self.settings.repetition_penalty != 1:
            if self._seen_V is None:
                seen_V = torch.zeros(len(logits_V), dtype=torch.bool)
                seen_V[torch.as_tensor(np.asarray(self.prompt, dtype=np.int64))] = True
                self._seen_V = upload(seen_V, logits_V.device)
            penalty = self.settings.repetition_penalty
            penalized_V = torch.where(logits_V > 0, logits_V / penalty, logits_V * penalty)
            logits_V = torch.where(self._seen_V, penalized_V, logits_V)
        if self._counts_tokens:
            if self._counts_V is None:
                self._counts_V = torch.zeros_like(logits_V)
            logits_V = logits_V - self.settings.frequency_penalty * self._counts_V
            logits_V = logits_V - self.settings.presence_penalty * (self._counts_V > 0)
        allowed_V = None if self.mask is None else self.mask.allowed()
        if allowed_V is not None:
            logits_V = logits_V.masked_fill(~upload(allowed_V, logits_V.device), -torch.inf)
        return logits_V

    def see(self, token_1: Tensor) -> None:
        """Count a token, (1,) on the device, as seen."""
        if self._seen_V is not None:
            self._seen_V.index_fill_(0, token_1, True)
        if self._counts_V is not None:
            self._counts_V.index_add_(0, token_1, torch.ones_like(self._counts_V[:1]))


class Choice:
    """The next tokens of a batch: on the device at once, and on the host when `read` is called.

    Args:
        tokens_B: (B,) tokens; -1 if the logits of a sequence are not finite.
        asked: the A sequences whose log probabilities are returned.
        values: (A, 1 + K) log probabilities of the chosen and the most likely tokens.
        top_tokens: (A, K) the most likely tokens.
    """

    def __init__(
        self,
        tokens_B: Tensor,
        asked: Sequence[int] = (),
        values: Tensor | None = None,
        top_tokens: Tensor | None = None,
    ):
        self.tokens_B, self._asked = tokens_B, asked
        self._tokens, self._values, self._top_tokens = (
            Download.of(tokens_B),
            Download.of(values),
            Download.of(top_tokens),
        )

    def read(self, samplers: Sequence[Sampler]) -> list[tuple[int, Logprobs | None]]:
        """Wait for the tokens; return each with its log probabilities, if its settings ask for them."""
        logprobs: dict[int, Logprobs] = {}
        if self._values is not None and self._top_tokens is not None:
            values, top_tokens = self._values.read().tolist(), self._top_tokens.read().tolist()
            for row, (chosen, *top), tokens in zip(self._asked, values, top_tokens, strict=True):
                pairs = tuple(zip(tokens, top, strict=True))
                logprobs[row] = Logprobs(chosen, pairs[: samplers[row].settings.logprobs])
        assert self._tokens is not None
        return [(token, logprobs.get(row)) for row, token in enumerate(self._tokens.read().tolist())]


def choose(logits_BV: Tensor, samplers: Sequence[Sampler]) -> Choice:
    """Choose the next token of every sequence; a sequence whose logits are not finite does not affect the others."""
    device = logits_BV.device

    def places(rows: Sequence[int]) -> Tensor:
        return upload(torch.tensor(rows, dtype=torch.int64), device)

    raw_BV = logits_BV = logits_BV.float()
    changed = [row for row, sampler in enumerate(samplers) if sampler.changes_logits]
    if changed:
        logits_BV = raw_BV.clone()
        for row in changed:
            logits_BV[row] = samplers[row].change(raw_BV[row])
    chosen_B = logits_BV.argmax(dim=-1)
    for cuts in (False, True):  # only rows that need it pay for sorting
        rows = [row for row, s in enumerate(samplers) if s.settings.temperature > 0 and s.cuts == cuts]
        if rows:
            rows_S = places(rows)
            sampled_S = _sample(logits_BV[rows_S], [samplers[row] for row in rows], cuts)
            chosen_B.index_copy_(0, rows_S, sampled_S)
    for row in changed:
        samplers[row].see(chosen_B[row : row + 1])
    tokens_B = torch.where(raw_BV.isfinite().all(dim=-1), chosen_B, -1)
    asked = [row for row, sampler in enumerate(samplers) if sampler.settings.logprobs is not None]
    if not asked:
        return Choice(tokens_B)
    rows_A = places(asked)
    logprobs_AV = raw_BV[rows_A].log_softmax(dim=-1)
    top_AK, tokens_AK = logprobs_AV.topk(max(samplers[row].settings.logprobs or 0 for row in asked), dim=-1)
    chosen_A1 = logprobs_AV.gather(-1, chosen_B[rows_A][:, None])
    return Choice(tokens_B, asked, torch.cat([chosen_A1, top_AK], dim=-1), tokens_AK)


def _sample(logits_BV: Tensor, samplers: Sequence[Sampler], cuts: bool) -> Tensor:
    """Sample by inverting the cumulative distribution in the order of the vocabulary, without sorting unless `cuts`."""
    settings = [sampler.settings for sampler in samplers]

    def column(values: Sequence[float]) -> Tensor:
        return upload(torch.tensor(values, dtype=torch.float32)[:, None], logits_BV.device)

    # At lower temperatures the most likely token has all the probability anyway, and the quotient could overflow.
    temperature_B1 = column([max(s.temperature, 1e-5) for s in settings])
    probabilities_BV = ((logits_BV - logits_BV.amax(dim=-1, keepdim=True)) / temperature_B1).softmax(dim=-1)
    if cuts:
        top_k_B1 = column([s.top_k or logits_BV.shape[-1] for s in settings])
        probabilities_BV = _cut(
            probabilities_BV, top_k_B1, column([s.top_p for s in settings]), column([s.min_p for s in settings])
        )
    cumulative_BV = probabilities_BV.cumsum(dim=-1)
    total_B1 = cumulative_BV[:, -1:]
    # Below the total, so that the place is never after the last token that has a probability.
    wanted_B1 = torch.minimum(
        column([sampler.numbers.random() for sampler in samplers]) * total_B1,
        torch.nextafter(total_B1, torch.zeros_like(total_B1)),
    )
    return torch.searchsorted(cumulative_BV, wanted_B1, right=True)[:, 0].clamp(max=logits_BV.shape[-1] - 1)


def _cut(probabilities_BV: Tensor, top_k_B1: Tensor, top_p_B1: Tensor, min_p_B1: Tensor) -> Tensor:
    """Set the probabilities of tokens outside of top_k, then top_p, then min_p to 0."""
    sorted_BV, order_BV = probabilities_BV.sort(dim=-1, descending=True, stable=True)
    ranks_V = torch.arange(sorted_BV.shape[-1], device=sorted_BV.device)
    sorted_BV = sorted_BV * (ranks_V < top_k_B1)
    before_BV = sorted_BV.cumsum(dim=-1) - sorted_BV
    kept_BV = before_BV < top_p_B1 * sorted_BV.sum(dim=-1, keepdim=True)
    kept_BV &= sorted_BV >= min_p_B1 * sorted_BV[:, :1]
    kept_BV[:, 0] = True  # always the most likely token
    return torch.zeros_like(sorted_BV).scatter(-1, order_BV, sorted_BV * kept_BV)
