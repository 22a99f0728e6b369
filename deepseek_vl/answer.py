"""An answer while it is generated: its tokens, its text, and what ended it."""

from dataclasses import dataclass, field

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import Sampler, Sampling


@dataclass(eq=False, slots=True)
class TokenStream:
    """One sequence in generation.

    Args:
        finish_reason: None while it runs; then `stop` (end token or stop text), `length` (max_tokens, or no room),
            `cancelled`, or `not_finite` (the model's logits are no numbers: broken weights).
    """

    prompt: Prompt
    sampling: Sampling
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    finish_reason: str | None = None
    sampler: Sampler = field(init=False)
    _stream: DecodeStream = field(init=False)
    _held: str = ""

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.sampling)
        self._stream = DecodeStream(skip_special_tokens=True)

    @property
    def position(self) -> int:
        """Place of the latest token in the sequence."""
        return len(self.prompt) + len(self.tokens) - 1

    def push(self, token: int, tokenizer: Tokenizer, eos: int, max_positions: int) -> str:
        """Take the next token; return the text that became certain with it and set `finish_reason` where it ends."""
        if token < 0:
            self.finish_reason = "not_finite"
            return ""
        self.tokens.append(token)
        if token == eos:
            return self._end("stop")
        certain = self._release(self._stream.step(tokenizer, token) or "")
        full = len(self.tokens) == self.sampling.max_tokens or self.position + 1 == max_positions
        if full and self.finish_reason is None:
            certain += self._end("length")
        return certain

    def _release(self, text: str) -> str:
        """Hold back what could be the start of a stop text."""
        self._held += text
        found = [place for stop in self.sampling.stop if (place := self._held.find(stop)) >= 0]
        if found:
            self._held = self._held[: min(found)]
            return self._end("stop")
        waiting = max((_overlap(self._held, stop) for stop in self.sampling.stop), default=0)
        certain = self._held[: len(self._held) - waiting]
        self._held = self._held[len(certain) :]
        self.text += certain
        return certain

    def _end(self, reason: str) -> str:
        self.finish_reason = reason
        certain, self._held = self._held, ""
        self.text += certain
        return certain


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
