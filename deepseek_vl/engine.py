"""Generation: many answers at once, each joining and leaving the batch at any step.

Shapes: B running sequences, T tokens, D width, S slots of the cache, V vocabulary.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from deepseek_vl.answer import TokenStream
from deepseek_vl.batch import Embedder
from deepseek_vl.language import Cache
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import Sampling, choose

SLOTS_STEP = 128  # decoding attends to a multiple of this many slots, so that shapes repeat


class Engine:
    """Generates answers with a cache of `rows` sequences of up to `slots` tokens.

    Running sequences fill the first rows of the cache; when one ends, the last takes its row. New prompts are read
    (prefilled) between two steps. An answer does not depend on what else runs.

    Args:
        rows: sequences that run at once.
        slots: longest sequence, prompt and answer; None for the model's longest.
        prefill_tokens: prompts are read in batches of at most this many tokens, padding included (one prompt at least).
        remembered_images: see `Embedder`.
        compiled: compile the decoding step with torch.compile (a minute at first; faster afterwards on GPUs).
    """

    def __init__(
        self,
        model: DeepseekVL,
        processor: Processor,
        *,
        rows: int = 8,
        slots: int | None = None,
        prefill_tokens: int = 16384,
        remembered_images: int = 0,
        compiled: bool = False,
    ):
        self.model, self.processor = model, processor
        longest = model.config.language.max_positions
        self.slots = longest if slots is None else min(slots, longest)
        self.prefill_tokens = prefill_tokens
        self.cache = Cache(model.config.language, rows, self.slots, device=model.device, dtype=model.dtype)
        self.embedder = Embedder(model, remembered=remembered_images)
        self.waiting: deque[TokenStream] = deque()
        self.running: list[TokenStream] = []
        self._decode = torch.compile(self._decode_step, dynamic=True) if compiled else self._decode_step

    def add(self, prompt: Prompt, sampling: Sampling) -> TokenStream:
        """Queue a prompt. Raises ValueError where it leaves no room for an answer."""
        if len(prompt) >= self.slots:
            raise ValueError(f"the prompt has {len(prompt)} tokens; an answer needs fewer than {self.slots}")
        answer = TokenStream(prompt, sampling)
        self.waiting.append(answer)
        return answer

    def cancel(self, answer: TokenStream) -> None:
        """Give an answer up; its room is free at the next step."""
        if answer.finish_reason is None:
            answer.finish_reason = "cancelled"

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self.waiting or self.running)

    @torch.inference_mode()
    def step(self) -> list[tuple[TokenStream, str]]:
        """Read what waits, then give every running answer one token; return the text that each gained."""
        self._leave()
        events = []
        while batch := self._next_prompts():
            events += self._push(batch, self._prefill(batch))
            self._leave()
        if self.running:
            events += self._push(self.running, self._decode_running())
            self._leave()
        return events

    def _next_prompts(self) -> list[TokenStream]:
        """Waiting answers that fit the free rows and one prefill."""
        batch: list[TokenStream] = []
        longest = 0
        while self.waiting and len(self.running) + len(batch) < self.cache.rows:
            if self.waiting[0].finish_reason is not None:
                self.waiting.popleft()
                continue
            longest = max(longest, len(self.waiting[0].prompt))
            if batch and longest * (len(batch) + 1) > self.prefill_tokens:
                break
            batch.append(self.waiting.popleft())
        return batch

    def _prefill(self, batch: list[TokenStream]) -> Tensor:
        """Read prompts into the next free rows; (B, V) logits of their first tokens."""
        device = self.model.device
        first = len(self.running)
        self.running += batch
        x_BTD = self.embedder([answer.prompt for answer in batch])
        rows_B = torch.arange(first, first + len(batch), device=device)
        positions_BT = torch.arange(x_BTD.shape[1], device=device).expand(x_BTD.shape[:2])
        hidden_BTD = self.model.language(x_BTD, positions_BT, cache=self.cache, rows_B=rows_B)
        last_B = torch.tensor([len(answer.prompt) - 1 for answer in batch], device=device)
        return self.model.language.head(hidden_BTD[torch.arange(len(batch), device=device), last_B])

    def _decode_running(self) -> Tensor:
        """(B, V) logits after the latest token of every running answer."""
        device = self.model.device
        tokens_B1 = torch.tensor([[answer.tokens[-1]] for answer in self.running], device=device)
        positions_B1 = torch.tensor([[answer.position] for answer in self.running], device=device)
        needed = max(answer.position for answer in self.running) + 1
        slots = min(-(-needed // SLOTS_STEP) * SLOTS_STEP, self.slots)
        return self._decode(tokens_B1, positions_B1, slots)

    def _decode_step(self, tokens_B1: Tensor, positions_B1: Tensor, slots: int) -> Tensor:
        places_S = torch.arange(slots, device=tokens_B1.device)
        mask_B11S = (places_S <= positions_B1)[:, None, None]
        rows_B = torch.arange(len(tokens_B1), device=tokens_B1.device)
        x_B1D = self.model.language.embedding(tokens_B1)
        hidden_B1D = self.model.language(x_B1D, positions_B1, mask_B11S, self.cache, rows_B, slots)
        return self.model.language.head(hidden_B1D[:, 0])

    def _push(self, answers: Sequence[TokenStream], logits_BV: Tensor) -> list[tuple[TokenStream, str]]:
        tokens = choose(logits_BV, [answer.sampler for answer in answers])
        config = self.model.config
        return [
            (answer, answer.push(token, self.processor.tokenizer, config.eos, self.slots))
            for answer, token in zip(list(answers), tokens, strict=True)
        ]

    def _leave(self) -> None:
        """Free the rows of answers that ended; the last running sequence moves into each."""
        for row in reversed(range(len(self.running))):
            if self.running[row].finish_reason is not None:
                last = self.running.pop()
                if row < len(self.running):
                    tokens = last.position + 1
                    self.cache.move(len(self.running), row, tokens)
                    self.running[row] = last


def generate(
    model: DeepseekVL,
    processor: Processor,
    prompts: Sequence[Prompt],
    sampling: Sampling | Sequence[Sampling],
    *,
    rows: int = 8,
    compiled: bool = False,
) -> list[TokenStream]:
    """Answer all prompts, up to `rows` at a time, in the order given. Raises ValueError as `Engine.add` does."""
    settings = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
    if not prompts:
        return []
    needed = max(len(p) + s.max_tokens for p, s in zip(prompts, settings, strict=True))
    engine = Engine(model, processor, rows=min(rows, len(prompts)), slots=needed, compiled=compiled)
    answers = [engine.add(p, s) for p, s in zip(prompts, settings, strict=True)]
    while engine.busy:
        engine.step()
    return answers


def stream(engine: Engine, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
    """Answer one prompt, giving text as it comes; ends the answer where the caller stops reading."""
    answer = engine.add(prompt, sampling)
    try:
        while answer.finish_reason is None:
            yield from _texts(engine.step(), answer)
    finally:
        engine.cancel(answer)


def _texts(events: Iterable[tuple[TokenStream, str]], answer: TokenStream) -> Iterator[str]:
    return (text for of, text in events if of is answer and text)
