"""Responses in the form of OpenAI's chat API, as one object or as a stream of chunks."""

import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.worker import Piece


@dataclass(frozen=True, slots=True)
class Completion:
    """The fields that all chunks of one answer share."""

    model: str
    num_prompt_tokens: int
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def usage(self, num_tokens: int) -> dict[str, int]:
        """Return the token counts; visual tokens count towards the prompt."""
        return {
            "prompt_tokens": self.num_prompt_tokens,
            "completion_tokens": num_tokens,
            "total_tokens": self.num_prompt_tokens + num_tokens,
        }

    async def completion_object(self, pieces: AsyncGenerator[Piece]) -> dict[str, Any]:
        """Return the completion object, after the answer has ended."""
        texts: list[str] = []
        async with aclosing(pieces):
            async for piece in pieces:
                texts.append(piece.text)
        message = {"role": "assistant", "content": "".join(texts), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": piece.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage(piece.num_tokens)}

    async def events(self, pieces: AsyncGenerator[Piece], include_usage: bool) -> AsyncIterator[bytes]:
        """Yield server-sent events: one chunk per piece, the token counts if wanted, then `[DONE]`."""
        usage: dict[str, Any] = {"usage": None} if include_usage else {}
        yield self._chunk({"role": "assistant", "content": ""}, None, usage)
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece.text:
                        yield self._chunk({"content": piece.text}, None, usage)
                    if piece.finish_reason is not None:
                        yield self._chunk({}, piece.finish_reason, usage)
        except ApiError as error:
            yield event(error.body())
            return
        if include_usage:
            yield event({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage(piece.num_tokens)})
        yield b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, str], finish_reason: str | None, usage: dict[str, Any]) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **usage})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "system_fingerprint": None}


def event(content: dict[str, Any]) -> bytes:
    """Encode one server-sent event."""
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
