"""Request ids, metrics in the format of Prometheus, and the access log."""

import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.worker import Piece

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"})
SECONDS = (0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30, 100, 300)
PER_TOKEN = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)


class Metrics:
    """Counters of a server."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._registry = registry
        self.requests = Counter(
            "vellum_requests", "Requests answered.", ["method", "path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "vellum_request_seconds", "From a request's head to the end of its answer.", ["path"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.first_token_seconds = Histogram(
            "vellum_first_token_seconds", "From a whole request to its first text.", buckets=SECONDS, registry=registry
        )
        self.token_seconds = Histogram(
            "vellum_token_seconds", "Mean time between the tokens of an answer.", buckets=PER_TOKEN, registry=registry
        )
        self.prompt_tokens = Counter("vellum_prompt_tokens", "Tokens of prompts, images included.", registry=registry)
        self.answer_tokens = Counter("vellum_answer_tokens", "Tokens of answers.", registry=registry)
        self.images = Counter("vellum_images", "Images of prompts and scores.", registry=registry)
        self.finished = Counter("vellum_answers", "Answers that ended.", ["reason"], registry=registry)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a value that is read when the metrics are."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def response(self) -> Response:
        """Return all metrics."""
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Observed:
    """An ASGI application whose requests get an id and are counted and logged.

    Args:
        paths: addresses that the metrics name; others are "other".
        log: takes one JSON object per line and request; None for no log.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str], log: TextIO | None = None):
        self.app, self.metrics, self.paths, self.log = app, metrics, paths, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. The id is the client's own `x-request-id`, or a new one; the answer has it, too."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"
        started = time.monotonic()
        status, num_bytes = 0, 0

        async def send_with_id(message: Message) -> None:
            nonlocal status, num_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            else:
                num_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            seconds = time.monotonic() - started
            path = scope["path"] if scope["path"] in self.paths else "other"
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.requests.labels(method, path, status or "left").inc()
            self.metrics.seconds.labels(path).observe(seconds)
            if self.log is not None:
                self._write(
                    scope, {"status": status, "seconds": round(seconds, 4), "bytes": num_bytes, "id": request_id}
                )

    def _write(self, scope: Scope, outcome: Mapping[str, Any]) -> None:
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": (scope.get("client") or ("",))[0],
            "method": scope["method"][:20],
            "path": scope["path"][:200],
            **outcome,
        }
        assert self.log is not None
        with suppress(OSError):  # a full disk; requests go on
            print(json.dumps(entry), file=self.log, flush=True)


async def measured(pieces: AsyncGenerator[Piece], metrics: Metrics) -> AsyncGenerator[Piece]:
    """Pass the pieces of an answer on, and count its tokens and times."""
    started = first = time.monotonic()
    num_tokens, reason = 0, "cancelled"
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if not num_tokens:
                    first = time.monotonic()
                    metrics.first_token_seconds.observe(first - started)
                num_tokens, reason = piece.num_tokens, piece.finish_reason or reason
                yield piece
    except ApiError:
        reason = "failed"
        raise
    finally:
        metrics.answer_tokens.inc(num_tokens)
        metrics.finished.labels(reason).inc()
        if num_tokens > 1:
            metrics.token_seconds.observe((time.monotonic() - first) / (num_tokens - 1))
