"""Generation of many answers at once (continuous batching): each can join or leave the batch at any step.

Shapes: B running sequences, T tokens, D width, S slots of the cache, V vocabulary.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from deepseek_vl.batch import Embedder
from deepseek_vl.language import Cache
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings, choose
from deepseek_vl.token_stream import TokenStream

SLOTS_STEP = 128  # decoding attends to a multiple of this many slots, so that shapes repeat


class Engine:
    """Generates answers with a cache for `rows` sequences of up to `slots` tokens.

    Running sequences fill the first rows of the cache; when one ends, the last takes its row. New prompts are
    prefilled between two steps. An answer does not depend on what else is in the batch.

    Args:
        rows: number of sequences generated at once.
        slots: maximum tokens of a sequence, prompt and answer together; None for the model's maximum.
        prefill_tokens: maximum tokens of a prefill batch, padding included (but at least one prompt).
        cached_images: see `Embedder`.
        compiled: compile the decoding step with torch.compile (takes a minute at first; then faster on GPUs).
    """

    def __init__(
        self,
        model: DeepseekVL,
        processor: Processor,
        *,
        rows: int = 8,
        slots: int | None = None,
        prefill_tokens: int = 16384,
        cached_images: int = 0,
        compiled: bool = False,
    ):
        self.model, self.processor = model, processor
        longest = model.config.language.max_positions
        self.slots = longest if slots is None else min(slots, longest)
        self.prefill_tokens = prefill_tokens
        self.cache = Cache(model.config.language, rows, self.slots, device=model.device, dtype=model.dtype)
        self.embedder = Embedder(model, cached_images=cached_images)
        self.waiting: deque[TokenStream] = deque()
        self.running: list[TokenStream] = []
        self._decode = torch.compile(self._decode_step, dynamic=True) if compiled else self._decode_step

    def add(self, prompt: Prompt, sampling: SamplingSettings) -> TokenStream:
        """Queue a prompt. Raises ValueError if it fills all slots, so that no answer fits."""
        if len(prompt) >= self.slots:
            raise ValueError(f"the prompt has {len(prompt)} tokens; an answer needs fewer than {self.slots}")
        stream = TokenStream(prompt, sampling)
        self.waiting.append(stream)
        return stream

    def cancel(self, stream: TokenStream) -> None:
        """Cancel an answer; its row becomes free at the next step."""
        if stream.finish_reason is None:
            stream.finish_reason = "cancelled"

    @property
    def busy(self) -> bool:
        """True if any answer is waiting or running."""
        return bool(self.waiting or self.running)

    @torch.inference_mode()
    def step(self) -> list[tuple[TokenStream, str]]:
        """Prefill waiting prompts, generate one token for every running answer, and return (stream, new text) pairs."""
        self._remove_finished()
        events = []
        while batch := self._next_prompts():
            events += self._push(batch, self._prefill(batch))
            self._remove_finished()
        if self.running:
            events += self._push(self.running, self._decode_running())
            self._remove_finished()
        return events

    def _next_prompts(self) -> list[TokenStream]:
        """Take the waiting answers that fit into the free rows and one prefill batch."""
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
        """Prefill prompts into the next free rows and return (B, V) logits of their first tokens."""
        device = self.model.device
        first = len(self.running)
        self.running += batch
        x_BTD = self.embedder([stream.prompt for stream in batch])
        rows_B = torch.arange(first, first + len(batch), device=device)
        positions_BT = torch.arange(x_BTD.shape[1], device=device).expand(x_BTD.shape[:2])
        hidden_BTD = self.model.language(x_BTD, positions_BT, cache=self.cache, rows_B=rows_B)
        last_B = torch.tensor([len(stream.prompt) - 1 for stream in batch], device=device)
        logits_BV: Tensor = self.model.language.head(hidden_BTD[torch.arange(len(batch), device=device), last_B])
        return logits_BV

    def _decode_running(self) -> Tensor:
        """Return (B, V) logits after the latest token of every running answer."""
        device = self.model.device
        tokens_B1 = torch.tensor([[stream.tokens[-1]] for stream in self.running], device=device)
        positions_B1 = torch.tensor([[stream.position] for stream in self.running], device=device)
        needed = max(stream.position for stream in self.running) + 1
        slots = min(-(-needed // SLOTS_STEP) * SLOTS_STEP, self.slots)
        return self._decode(tokens_B1, positions_B1, slots)

    def _decode_step(self, tokens_B1: Tensor, positions_B1: Tensor, slots: int) -> Tensor:
        places_S = torch.arange(slots, device=tokens_B1.device)
        mask_B11S = (places_S <= positions_B1)[:, None, None]
        rows_B = torch.arange(len(tokens_B1), device=tokens_B1.device)
        x_B1D = self.model.language.embedding(tokens_B1)
        hidden_B1D = self.model.language(x_B1D, positions_B1, mask_B11S, self.cache, rows_B, slots)
        logits_BV: Tensor = self.model.language.head(hidden_B1D[:, 0])
        return logits_BV

    def _push(self, streams: Sequence[TokenStream], logits_BV: Tensor) -> list[tuple[TokenStream, str]]:
        tokens = choose(logits_BV, [stream.sampler for stream in streams])
        config = self.model.config
        return [
            (stream, stream.push(token, self.processor.tokenizer, config.eos, self.slots))
            for stream, token in zip(list(streams), tokens, strict=True)
        ]

    def _remove_finished(self) -> None:
        """Remove answers that ended; the last running sequence moves into each freed row."""
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
    sampling: SamplingSettings | Sequence[SamplingSettings],
    *,
    rows: int = 8,
    compiled: bool = False,
) -> list[TokenStream]:
    """Answer all prompts, up to `rows` at a time; results are in the order of the prompts.

    Raises:
        ValueError: a prompt is too long (see `Engine.add`).
    """
    settings = [sampling] * len(prompts) if isinstance(sampling, SamplingSettings) else list(sampling)
    if not prompts:
        return []
    needed = max(len(p) + s.max_tokens for p, s in zip(prompts, settings, strict=True))
    engine = Engine(model, processor, rows=min(rows, len(prompts)), slots=needed, compiled=compiled)
    streams = [engine.add(p, s) for p, s in zip(prompts, settings, strict=True)]
    while engine.busy:
        engine.step()
    return streams


def stream_text(engine: Engine, prompt: Prompt, sampling: SamplingSettings) -> Iterator[str]:
    """Answer one prompt and yield its text as it is generated; closing the iterator cancels the answer."""
    stream = engine.add(prompt, sampling)
    try:
        while stream.finish_reason is None:
            yield from _texts(engine.step(), stream)
    finally:
        engine.cancel(stream)


def _texts(events: Iterable[tuple[TokenStream, str]], stream: TokenStream) -> Iterator[str]:
    return (text for of, text in events if of is stream and text)
