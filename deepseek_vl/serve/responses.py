"""Responses in the form of OpenAI's API, as one object or as a stream of chunks."""

import asyncio
import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tokenizers import Tokenizer

from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.token_text import token_bytes, token_text
from deepseek_vl.serve.worker import Piece, TokenLogprobs

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Response(ABC):
    """The answers to one request, one choice for each; the subclasses are the forms of OpenAI's interfaces.

    Args:
        num_prompt_tokens: tokens of all prompts, visual tokens included.
        wants_logprobs: choices have log probabilities.
    """

    model: str
    tokenizer: Tokenizer
    num_prompt_tokens: int
    wants_logprobs: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))
    prefix: ClassVar[str]
    kind: ClassVar[str]
    chunk_kind: ClassVar[str]

    @abstractmethod
    def choice(self, text: str, logprobs: Any) -> Json:
        """Return the content of a whole choice."""

    @abstractmethod
    def chunk(self, text: str) -> Json:
        """Return the content of a choice in a chunk; empty for none."""

    @abstractmethod
    def first_chunk(self) -> Json | None:
        """Return the content of the chunk before a choice's text, if there is one."""

    @abstractmethod
    def logprobs(self, tokens: Sequence[TokenLogprobs]) -> Json:
        """Return the log probabilities of tokens."""

    def usage(self, num_tokens: int) -> dict[str, int]:
        """Return the token counts; visual tokens count towards the prompt."""
        return {
            "prompt_tokens": self.num_prompt_tokens,
            "completion_tokens": num_tokens,
            "total_tokens": self.num_prompt_tokens + num_tokens,
        }

    async def whole(self, answers: Sequence[AsyncGenerator[Piece]]) -> Json:
        """Return one object, after all answers have ended."""
        texts: list[list[str]] = [[] for _ in answers]
        tokens: list[list[TokenLogprobs]] = [[] for _ in answers]
        last: dict[int, Piece] = {}
        async with aclosing(merged(answers)) as pieces:
            async for index, piece in pieces:
                texts[index].append(piece.text)
                tokens[index] += piece.logprobs
                last[index] = piece
        choices = [
            {
                "index": index,
                **self.choice("".join(texts[index]), self._logprobs_or_none(tokens[index])),
                "finish_reason": last[index].finish_reason,
            }
            for index in range(len(answers))
        ]
        num_tokens = sum(piece.num_tokens for piece in last.values())
        return {**self._head(self.kind), "choices": choices, "usage": self.usage(num_tokens)}

    async def events(self, answers: Sequence[AsyncGenerator[Piece]], include_usage: bool) -> AsyncIterator[bytes]:
        """Yield server-sent events: one chunk per piece, the token counts if wanted, then `[DONE]`."""
        usage: Json = {"usage": None} if include_usage else {}
        num_tokens = [0] * len(answers)

        def chunk(index: int, content: Json, logprobs: Json | None, reason: str | None) -> bytes:
            choice = {"index": index, **content, "logprobs": logprobs, "finish_reason": reason}
            return event({**self._head(self.chunk_kind), "choices": [choice], **usage})

        first = self.first_chunk()
        if first is not None:
            for index in range(len(answers)):
                yield chunk(index, first, None, None)
        try:
            async with aclosing(merged(answers)) as pieces:
                async for index, piece in pieces:
                    num_tokens[index] = piece.num_tokens
                    if piece.text or piece.logprobs:
                        yield chunk(index, self.chunk(piece.text), self._logprobs_or_none(piece.logprobs), None)
                    if piece.finish_reason is not None:
                        yield chunk(index, self.chunk(""), None, piece.finish_reason)
        except ApiError as error:
            yield event(error.body())
            return
        if include_usage:
            yield event({**self._head(self.chunk_kind), "choices": [], "usage": self.usage(sum(num_tokens))})
        yield b"data: [DONE]\n\n"

    def _logprobs_or_none(self, tokens: Sequence[TokenLogprobs]) -> Json | None:
        return self.logprobs(tokens) if self.wants_logprobs else None

    def _head(self, kind: str) -> Json:
        return {
            "id": f"{self.prefix}-{self.id}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
        }


class ChatResponse(Response):
    """The form of `/v1/chat/completions`."""

    prefix = "chatcmpl"
    kind = "chat.completion"
    chunk_kind = "chat.completion.chunk"

    def choice(self, text: str, logprobs: Any) -> Json:
        """Return a message."""
        return {"message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": logprobs}

    def chunk(self, text: str) -> Json:
        """Return a part of a message."""
        return {"delta": {"content": text} if text else {}}

    def first_chunk(self) -> Json:
        """Return the role."""
        return {"delta": {"role": "assistant", "content": ""}}

    def logprobs(self, tokens: Sequence[TokenLogprobs]) -> Json:
        """Return one object per token, with the most likely ones at its place."""
        content = [
            {
                **self._token(entry.token, entry.logprobs.chosen),
                "top_logprobs": [self._token(token, logprob) for token, logprob in entry.logprobs.top],
            }
            for entry in tokens
        ]
        return {"content": content, "refusal": None}

    def _token(self, token: int, logprob: float) -> Json:
        raw = token_bytes(self.tokenizer, token)
        return {"token": token_text(raw), "logprob": logprob, "bytes": list(raw)}


class CompletionResponse(Response):
    """The form of `/v1/completions`."""

    prefix = "cmpl"
    kind = "text_completion"
    chunk_kind = "text_completion"

    def choice(self, text: str, logprobs: Any) -> Json:
        """Return a text."""
        return {"text": text, "logprobs": logprobs}

    def chunk(self, text: str) -> Json:
        """Return a part of a text."""
        return {"text": text}

    def first_chunk(self) -> None:
        """There is none."""

    def logprobs(self, tokens: Sequence[TokenLogprobs]) -> Json:
        """Return lists with one entry per token."""
        return {
            "tokens": [self._text(entry.token) for entry in tokens],
            "token_logprobs": [entry.logprobs.chosen for entry in tokens],
            "top_logprobs": [{self._text(token): logprob for token, logprob in entry.logprobs.top} for entry in tokens],
            "text_offset": [entry.start for entry in tokens],
        }

    def _text(self, token: int) -> str:
        return token_text(token_bytes(self.tokenizer, token))


async def merged(answers: Sequence[AsyncGenerator[Piece]]) -> AsyncGenerator[tuple[int, Piece]]:
    """Yield the pieces of all answers as they come, with the answer's index. The first error ends all of them."""
    queue: asyncio.Queue[tuple[int, Piece] | Exception] = asyncio.Queue()

    async def forward(index: int, pieces: AsyncGenerator[Piece]) -> None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    queue.put_nowait((index, piece))
        except ApiError as error:
            queue.put_nowait(error)

    tasks = [asyncio.create_task(forward(index, pieces)) for index, pieces in enumerate(answers)]
    try:
        running = len(answers)
        while running:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            yield item
            running -= item[1].finish_reason is not None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def event(content: Json) -> bytes:
    """Encode one server-sent event."""
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
