"""Generation of many answers at once (continuous batching): each can join or leave the batch at any step.

Shapes: B running sequences, R rows of the cache, T tokens, D width, P visual tokens per image, V vocabulary.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.attention import Cache, Cached, Continuation, packed_positions
from deepseek_vl.batch import Embedder, digest
from deepseek_vl.compilation import compile_blocks
from deepseek_vl.device import upload
from deepseek_vl.fixed_step import FixedStep
from deepseek_vl.model import DeepseekVL
from deepseek_vl.prefix_store import BLOCK, PrefixStore, block_keys, num_shared
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import Choice, SamplingSettings, TokenMask, choose
from deepseek_vl.slices import Pass, Slices, token_flop
from deepseek_vl.token_stream import TokenStream

Events = list[tuple[TokenStream, str]]


@dataclass(eq=False, slots=True)
class CacheRow:
    """The place of a stream in the cache.

    Args:
        keys: keys of the prompt's blocks, see `block_keys`.
        length: number of tokens in the cache, including steps that are launched and not yet read.
        visual: (P, D) visual tokens of the prompt's images, once they are encoded; images in the reused beginning are
            not encoded.
    """

    stream: TokenStream
    index: int
    digests: list[bytes]
    keys: list[bytes]
    length: int
    visual: dict[int, Tensor] = field(default_factory=dict)

    @property
    def unread(self) -> int:
        """Number of the prompt's tokens that are not in the cache."""
        return len(self.stream.prompt) - self.length

    @property
    def num_chosen(self) -> int:
        """Number of the answer's tokens chosen so far, on the device or read."""
        return self.length - len(self.stream.prompt) + 1


@dataclass(frozen=True, slots=True)
class Launch:
    """A step that was launched: the rows that get a token, and the tokens."""

    rows: list[CacheRow]
    choice: Choice


class Engine:
    """Generates answers with a cache for `rows` sequences of up to `slots` tokens.

    A step gives every running answer its next token, and reads a part of the prompts that wait. What a prompt shares
    with the beginning of an earlier sequence is not read again. An answer does not depend on what else is in the batch.

    Args:
        rows: number of sequences generated at once.
        slots: maximum tokens of a sequence, prompt and answer together; None for the model's maximum.
        prefill_tokens: maximum tokens of prompts read in a step.
        chunk_tokens: the same while answers are running, which wait for it; None for `prefill_tokens`. Images count as
            tokens by their operations, and so does scoring in the server.
        cached_images: see `Embedder`.
        prefix_tokens: tokens kept for sequences with the same beginning, see `PrefixStore`.
        compiled: compile the blocks with torch.compile (takes a minute at first), and on CUDA capture the decoding step
            in a graph.
        ahead: launch a step before the tokens of the last one are read, so that the device never waits for the host;
            None to do so on CUDA.
    """

    def __init__(
        self,
        model: DeepseekVL,
        processor: Processor,
        *,
        rows: int = 8,
        slots: int | None = None,
        prefill_tokens: int = 16384,
        chunk_tokens: int | None = None,
        cached_images: int = 0,
        prefix_tokens: int = 0,
        compiled: bool = False,
        ahead: bool | None = None,
    ):
        self.model, self.processor = model, processor
        longest = model.config.language.max_positions
        self.slots = longest if slots is None else min(slots, longest)
        self.prefill_tokens = prefill_tokens
        self.chunk_tokens = prefill_tokens if chunk_tokens is None else min(chunk_tokens, prefill_tokens)
        self._token_flop = token_flop(model.config.language)
        self.cache = Cache(model.config.language, rows, self.slots, device=model.device, dtype=model.dtype)
        self.prefixes = PrefixStore(self.cache, prefix_tokens)
        self.embedder = Embedder(model, cached_images=cached_images)
        self.ahead = model.device.type == "cuda" if ahead is None else ahead
        self.waiting: deque[TokenStream] = deque()
        self.reading: list[CacheRow] = []
        self.running: list[CacheRow] = []
        self._free = list(reversed(range(rows)))
        self._encoding: tuple[CacheRow, Pass[None]] | None = None
        self._launched: Launch | None = None
        self._tokens_R = torch.zeros(rows, dtype=torch.int64, device=model.device)
        self._fixed: FixedStep | None = None
        if compiled:
            compile_blocks(model)
            if model.device.type == "cuda":
                self._fixed = FixedStep(model.language, self.cache, self._tokens_R)

    def add(self, prompt: Prompt, sampling: SamplingSettings, mask: TokenMask | None = None) -> TokenStream:
        """Queue a prompt.

        Raises:
            ValueError: the prompt fills all slots, so that no answer fits, or its image tokens do not fit its images.
        """
        if len(prompt) >= self.slots:
            raise ValueError(f"the prompt has {len(prompt)} tokens; an answer needs fewer than {self.slots}")
        num_image_tokens = np.count_nonzero(prompt.tokens == self.model.config.image_token)
        expected = len(prompt.canvases) * self.model.config.tokens_per_image
        if num_image_tokens != expected:
            raise ValueError(f"{num_image_tokens} image tokens for {len(prompt.canvases)} images; expected {expected}")
        stream = TokenStream(prompt, sampling, mask)
        self.waiting.append(stream)
        return stream

    def cancel(self, stream: TokenStream) -> None:
        """Cancel an answer; its row becomes free at the next step."""
        if stream.finish_reason is None:
            stream.finish_reason = "cancelled"

    def recover(self) -> list[TokenStream]:
        """After an exception of `step`, cancel and return the answers that may be the cause, so that others go on.

        These are the prompts that were being read or, if there were none, all running answers.
        """
        self._encoding = None
        streams = [row.stream for row in self.reading or self.running]
        for stream in streams:
            self.cancel(stream)
        return streams

    @property
    def busy(self) -> bool:
        """True if any answer is waiting or running."""
        return bool(self.waiting or self.reading or self.running)

    @property
    def reads(self) -> bool:
        """True if the next step will read parts of prompts."""
        return bool(self.reading or (self.waiting and self._free))

    @property
    def chunk_flop(self) -> float:
        """Operations that running answers wait for between two of their tokens."""
        return self.chunk_tokens * self._token_flop

    @torch.inference_mode()
    def step(self, *, reads: bool = True) -> Events:
        """Generate a token for every running answer, read parts of prompts, and return (stream, new text) pairs.

        Args:
            reads: False to read no prompts, if answers are running: for other work between two of their tokens.
        """
        self._release_finished()
        self._admit()
        left: float = self.prefill_tokens
        if self.running:
            left = self.chunk_tokens if reads else 0
        if left:
            left -= self._encode_images()
        events: Events = []
        if not self.ahead or any(row.stream.sampler.mask is not None for row in self.running):
            events += self._read_launched()  # the next tokens depend on these
        launched = self._launch(left)
        events += self._read_launched()
        self._launched = launched
        if not self.ahead:
            events += self._read_launched()
        self._release_finished()
        return events

    def _release_finished(self) -> None:
        """Free the rows of answers that ended; their tokens are kept for sequences that continue them."""
        for rows in (self.reading, self.running):
            for row in [row for row in rows if row.stream.finish_reason is not None]:
                rows.remove(row)
                self._free.append(row.index)
                if row.stream.finish_reason == "not_finite":
                    continue
                # The last token was chosen, but never read by the model.
                answer = np.array(row.stream.tokens[:-1], dtype=np.int64)
                known = min(row.length, len(row.stream.prompt) + len(answer))
                tokens = np.concatenate([row.stream.prompt.tokens, answer])[:known]
                self._save(row, self._block_keys(tokens, row.digests))

    def _admit(self) -> None:
        """Give waiting answers a free row, in order, and copy what is known of their prompts to it."""
        for stream in list(self.waiting):
            if stream.finish_reason is not None:
                self.waiting.remove(stream)
            elif self._free:
                row = self._place(stream)
                if row is not None:
                    self.waiting.remove(stream)
                    self.reading.append(row)

    def _place(self, stream: TokenStream) -> CacheRow | None:
        """Take a row; None if it pays to wait for another prompt that is being read and begins like this one."""
        prompt = stream.prompt
        if not self.prefixes.max_blocks:
            return CacheRow(stream, self._free.pop(), [], [], 0)
        if stream.digests is None:
            stream.digests = [digest(canvas) for canvas in prompt.canvases]
        # The last token is always read: its hidden state gives the first logits.
        keys = self._block_keys(prompt.tokens[:-1], stream.digests)
        known = self.prefixes.match(keys)
        unread = len(prompt) - known * BLOCK
        if any((num_shared(keys, row.keys) - known) * BLOCK > unread / 2 for row in self.reading):
            return None
        row = CacheRow(stream, self._free.pop(), stream.digests, keys, known * BLOCK)
        self.prefixes.load(keys[:known], row.index)
        stream.num_reused = row.length
        return row

    def _block_keys(self, tokens_T: np.ndarray, digests: Sequence[bytes]) -> list[bytes]:
        if not self.prefixes.max_blocks:
            return []
        return block_keys(tokens_T, self.model.config.image_token, self.model.config.tokens_per_image, digests)

    def _save(self, row: CacheRow, keys: Sequence[bytes]) -> None:
        if self.prefixes.max_blocks:
            self.prefixes.save(keys[: row.length // BLOCK], row.index)

    def _encode_images(self) -> float:
        """Encode images of prompts: a part while answers are running, else all. Return the tokens that it cost."""
        while row := next((row for row in self.reading if self._missing_images(row)), None):
            if self._encoding is None or self._encoding[0] is not row:
                self._encoding = row, Pass(self._encode(row))
            spent_flop = self._encoding[1].advance(self.chunk_flop if self.running else math.inf)
            if self._encoding[1].done:
                self._encoding = None
            if self.running:
                return spent_flop / self._token_flop
        return 0.0

    def _encode(self, row: CacheRow) -> Slices[None]:
        missing = self._missing_images(row)
        canvases = [row.stream.prompt.canvases[k] for k in missing]
        visual = yield from self.embedder.encode(canvases, self.chunk_flop)
        row.visual.update(zip(missing, visual, strict=True))

    def _missing_images(self, row: CacheRow) -> list[int]:
        """Return the images of a prompt that are needed and not encoded."""
        return [k for k in range(self._first_image(row), len(row.stream.prompt.canvases)) if k not in row.visual]

    def _first_image(self, row: CacheRow) -> int:
        """Return the first image that is not wholly in the cache."""
        return self._image_tokens(row) // self.model.config.tokens_per_image

    def _image_tokens(self, row: CacheRow) -> int:
        """Return the number of image tokens in the cache."""
        return int(np.count_nonzero(row.stream.prompt.tokens[: row.length] == self.model.config.image_token))

    def _next_chunks(self, left: float) -> list[tuple[CacheRow, int]]:
        """Return prompts and how many of their tokens are read in this step, at most `left`, in order of arrival."""
        chunks = []
        language = self.model.config.language
        for row in self.reading:
            if row.stream.finish_reason is None and left >= 1 and not self._missing_images(row):
                cost = 1.0
                if self.running:  # attention to earlier tokens counts, too, in units of a token's other operations
                    cost += row.length / (2 * language.width + 1.5 * language.hidden)
                chunks.append((row, min(max(1, int(left / cost)), row.unread)))
                left -= chunks[-1][1] * cost
        return chunks

    def _launch(self, left: float) -> Launch | None:
        """Launch one pass over the latest tokens of running answers and the next chunks of prompts."""
        chunks = self._next_chunks(left)
        decoding = [row for row in self.running if self._goes_on(row)]
        if not chunks and not decoding:
            return None
        if self._fixed is not None and decoding and not chunks:
            logits_BV = self._fixed({row.index: row.length for row in decoding})[self._indices(decoding)]
        else:
            logits_BV = self._pass(decoding, chunks)
        for row, length in [*((row, 1) for row in decoding), *chunks]:
            row.length += length
        for row, _ in chunks:
            self._save(row, row.keys)
        complete = [row for row, _ in chunks if not row.unread]
        self.reading = [row for row in self.reading if row.unread]
        self.running += complete
        for row in complete:
            row.visual.clear()
        rows = decoding + complete
        if not rows:
            return None
        choice = choose(logits_BV, [row.stream.sampler for row in rows])
        self._tokens_R.index_copy_(0, self._indices(rows), choice.tokens_B.clamp(min=0))
        return Launch(rows, choice)

    def _goes_on(self, row: CacheRow) -> bool:
        """Return True if the answer may need another token than those launched."""
        is_long = row.num_chosen >= row.stream.sampling.max_tokens or row.length + 1 >= self.slots
        return row.stream.finish_reason is None and not is_long

    def _pass(self, decoding: Sequence[CacheRow], chunks: Sequence[tuple[CacheRow, int]]) -> Tensor:
        """Return (B, V) logits after the latest tokens of `decoding` and of the prompts that end with their chunk."""
        x_TD = [self._embed(row, length) for row, length in chunks]
        if decoding:
            x_TD.insert(0, self.model.language.embedding(self._tokens_R[self._indices(decoding)]))
        parts = [Continuation(row.index, row.length, 1) for row in decoding]
        parts += [Continuation(row.index, row.length, length) for row, length in chunks]
        positions_1T = packed_positions(parts, self.model.device)
        hidden_1TD = self.model.language(torch.cat(x_TD)[None], positions_1T, Cached(self.cache, parts))
        ends = np.cumsum([part.length for part in parts]) - 1
        wanted = [*ends[: len(decoding)]]
        wanted += [end for end, (row, n) in zip(ends[len(decoding) :], chunks, strict=True) if row.unread == n]
        places_B = upload(torch.tensor(wanted, dtype=torch.int64), self.model.device)
        logits_BV: Tensor = self.model.language.head(hidden_1TD[0, places_B])
        return logits_BV

    def _embed(self, row: CacheRow, length: int) -> Tensor:
        """Return (T, D) embeddings of the next tokens of a prompt."""
        tokens_T = row.stream.prompt.tokens[row.length : row.length + length]
        first = self._first_image(row)
        skipped = self._image_tokens(row) - first * self.model.config.tokens_per_image
        visual = [row.visual[k] for k in range(first, len(row.stream.prompt.canvases))]
        return self.embedder.embed(tokens_T, visual, skipped)

    def _indices(self, rows: Sequence[CacheRow]) -> Tensor:
        return upload(torch.tensor([row.index for row in rows], dtype=torch.int64), self.model.device)

    def _read_launched(self) -> Events:
        """Wait for the tokens of the last launch and append them to their streams."""
        if self._launched is None:
            return []
        launched, self._launched = self._launched, None
        tokens = launched.choice.read([row.stream.sampler for row in launched.rows])
        eos, tokenizer = self.model.config.eos, self.processor.tokenizer
        return [
            (row.stream, row.stream.push(token, tokenizer, eos, self.slots, logprobs))
            for row, (token, logprobs) in zip(launched.rows, tokens, strict=True)
            if row.stream.finish_reason is None
        ]


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
