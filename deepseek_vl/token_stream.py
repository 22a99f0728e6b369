"""An answer during generation: its tokens, its text, and the reason why it ended."""

from dataclasses import dataclass, field

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import Logprobs, Sampler, SamplingSettings, TokenMask


@dataclass(eq=False, slots=True)
class TokenStream:
    """One sequence during generation.

    Args:
        finish_reason: None while it runs; then `stop` (end token or stop text), `length` (max_tokens or the end of the
            cache), `cancelled`, or `not_finite` (NaN or infinite logits, from broken weights).
        logprobs: one per token, if the settings ask for them.
        starts: the place in the text where each of those tokens begins.
        num_reused: number of the prompt's tokens that were not read, because an earlier sequence began with them.
        digests: SHA-256 of the prompt's images, once they are needed.
    """

    prompt: Prompt
    sampling: SamplingSettings
    mask: TokenMask | None = None
    tokens: list[int] = field(default_factory=list)
    logprobs: list[Logprobs] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    num_reused: int = 0
    digests: list[bytes] | None = None
    text: str = ""
    finish_reason: str | None = None
    sampler: Sampler = field(init=False)
    _stream: DecodeStream = field(init=False)
    _pending: str = ""

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.sampling, self.prompt.tokens, self.mask)
        self._stream = DecodeStream(skip_special_tokens=True)

    @property
    def position(self) -> int:
        """Position of the latest token in the sequence."""
        return len(self.prompt) + len(self.tokens) - 1

    def push(
        self, token: int, tokenizer: Tokenizer, eos: int, max_positions: int, logprobs: Logprobs | None = None
    ) -> str:
        """Append the next token, set `finish_reason` if it ends the answer, and return the text that is now final."""
        if token < 0:
            self.finish_reason = "not_finite"
            return ""
        self.tokens.append(token)
        if logprobs is not None:
            self.logprobs.append(logprobs)
            self.starts.append(len(self.text) + len(self._pending))
        if self.mask is not None:
            self.mask.push(token)
        if token == eos:
            return self._end("stop")
        certain = self._release(self._stream.step(tokenizer, token) or "")
        is_full = len(self.tokens) == self.sampling.max_tokens or self.position + 1 == max_positions
        if is_full and self.finish_reason is None:
            certain += self._end("length")
        return certain

    def _release(self, text: str) -> str:
        """Append text and return what is final: the end is held back if it could begin a stop text."""
        self._pending += text
        found = [place for stop in self.sampling.stop if (place := self._pending.find(stop)) >= 0]
        if found:
            self._pending = self._pending[: min(found)]
            return self._end("stop")
        waiting = max((_overlap(self._pending, stop) for stop in self.sampling.stop), default=0)
        certain = self._pending[: len(self._pending) - waiting]
        self._pending = self._pending[len(certain) :]
        self.text += certain
        return certain

    def _end(self, reason: str) -> str:
        self.finish_reason = reason
        certain, self._pending = self._pending, ""
        self.text += certain
        return certain


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
