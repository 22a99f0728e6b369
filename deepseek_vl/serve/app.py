"""The ASGI application: routes, and the way of a request from its first byte to the response."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, TypeVar

import numpy as np
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from deepseek_vl.conversation import render
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.scoring import Item, Question, Row
from deepseek_vl.serve.access import check_host, check_key
from deepseek_vl.serve.body import check_headers, client_left, read_body
from deepseek_vl.serve.errors import ApiError, not_ready
from deepseek_vl.serve.images import bad_image, is_remote, to_canvas, to_rgb
from deepseek_vl.serve.page import page
from deepseek_vl.serve.remote import fetch
from deepseek_vl.serve.requests import ChatRequest, ScoreRequest, parse_chat, parse_score
from deepseek_vl.serve.responses import Completion
from deepseek_vl.serve.settings import Settings
from deepseek_vl.serve.worker import Worker

THREADS = min(4, os.cpu_count() or 1)  # for parsing JSON and decoding images
T = TypeVar("T")


class App:
    """An ASGI application around a worker. JSON and images are decoded in threads, not in the event loop."""

    def __init__(self, worker: Worker, processor: Processor, settings: Settings):
        self.worker, self.processor, self.settings = worker, processor, settings
        self.num_requests = 0
        self.created = int(time.time())
        self._page = page()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        routes = [
            Route("/", self._show_page, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/v1/models/{name:path}", self._model, methods=["GET"]),
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/score", self._score, methods=["POST"]),
        ]
        self._router = Router(routes, redirect_slashes=False, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with an error object if it is rejected."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["app"] = self  # makes the router raise if it has no route
        try:
            check_host(headers, self.settings)
            if scope["path"].startswith("/v1/"):
                check_key(headers, self.settings)
            with self._request_slot() if scope["method"] == "POST" else nullcontext():
                await self._router(scope, receive, send)
        except ConnectionError:  # the client disconnected
            return
        except (ApiError, HTTPException) as error:
            await _error_response(error)(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.worker.start()
        yield
        await asyncio.to_thread(self.worker.stop)
        self._pool.shutdown(cancel_futures=True)

    @contextmanager
    def _request_slot(self) -> Iterator[None]:
        """Reserve a slot for a request, from before its body is read until its response is sent. Raises ApiError."""
        if self.worker.state != "ready":
            raise not_ready(self.worker.state)
        if self.num_requests >= self.settings.max_requests:
            message = f"{self.num_requests} requests are being answered or wait already; try again later"
            raise ApiError(429, message, code="queue_full", headers={"Retry-After": "2"})
        self.num_requests += 1
        try:
            yield
        finally:
            self.num_requests -= 1

    async def _show_page(self, request: Request) -> Response:
        return self._page

    async def _health(self, request: Request) -> Response:
        state = self.worker.state
        content = {
            "status": "ok" if state == "ready" else state,
            "model": self.settings.model,
            "requests": self.num_requests,
        }
        return JSONResponse(content, 200 if state == "ready" else 503)

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._model_object()]})

    async def _model(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name != self.settings.model:
            raise ApiError(404, f"the model {name!r:.80} is not here", param="model", code="model_not_found")
        return JSONResponse(self._model_object())

    def _model_object(self) -> dict[str, Any]:
        return {"id": self.settings.model, "object": "model", "created": self.created, "owned_by": "vellum"}

    async def _chat(self, request: Request) -> Response:
        parsed = await self._in_thread(parse_chat, await self._body(request), self.settings)
        images = await self._fetch_images(parsed.images, "messages")
        prompt = await self._in_thread(self._prompt, parsed, images)
        completion = Completion(self.settings.model, len(prompt))
        pieces = self.worker.generate(prompt, parsed.sampling)
        if parsed.stream:
            events = completion.events(pieces, parsed.include_usage)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        return JSONResponse(await _unless_left(request.receive, completion.completion_object(pieces)))

    async def _score(self, request: Request) -> Response:
        parsed = await self._in_thread(parse_score, await self._body(request), self.settings)
        images = await self._fetch_images(parsed.images, "images")
        rows = await asyncio.gather(*(self._in_thread(self._row, parsed, image, k) for k, image in enumerate(images)))
        scores = await _unless_left(request.receive, self.worker.score(rows))
        log_probabilities = np.stack([np.stack(of_image) for of_image in scores])
        return JSONResponse(
            {
                "object": "score",
                "model": self.settings.model,
                "choices": parsed.choices,
                "log_probabilities": log_probabilities.tolist(),
                "probabilities": np.exp(log_probabilities).tolist(),
                "usage": {"prompt_tokens": sum(row.tree.length for row in rows)},
            }
        )

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def _body(self, request: Request) -> bytes:
        check_headers(request.headers, self.settings.max_body_bytes)
        return await read_body(request.receive, self.settings.max_body_bytes, self.settings.body_timeout_s)

    async def _fetch_images(self, urls: Sequence[str], param: str) -> list[str | bytes]:
        """Replace http and https URLs by the bytes fetched from them; keep data URLs. Raises ApiError."""
        remaining_bytes = self.settings.max_body_bytes
        images: list[str | bytes] = []
        for k, url in enumerate(urls):
            if not is_remote(url):
                images.append(url)
                continue
            if not self.settings.allow_remote_images:
                message = "this server does not fetch images; send them as data URLs (data:image/png;base64,…)"
                raise ApiError(400, f"image {k}: {message}", param=param, code="remote_image")
            try:
                images.append(await fetch(url, remaining_bytes))
            except ValueError as error:
                raise bad_image(k, error, param) from error
            remaining_bytes -= len(images[-1])
        return images

    def _prompt(self, parsed: ChatRequest, images: Sequence[str | bytes]) -> Prompt:
        try:
            tokens = self.processor.encode(render(parsed.messages), len(images))
        except ValueError as error:
            raise ApiError(400, str(error), param="messages") from error
        if len(tokens) >= self.worker.engine.slots:
            message = f"the prompt has {len(tokens)} tokens; expected fewer than {self.worker.engine.slots}"
            raise ApiError(400, message, param="messages", code="context_length_exceeded")
        config, max_pixels = self.processor.config, self.settings.max_image_pixels
        return Prompt(tokens, tuple(to_canvas(image, config, max_pixels, k) for k, image in enumerate(images)))

    def _row(self, parsed: ScoreRequest, image: str | bytes, index: int) -> Row:
        picture = to_rgb(image, self.settings.max_image_pixels, index)
        try:
            questions = tuple(Question(text, parsed.choices) for text in parsed.questions)
            row = self.worker.scorer.prepare(Item((picture,), questions))
        except ValueError as error:
            raise ApiError(400, str(error)) from error
        if row.tree.length > self.worker.scorer.batch_tokens:
            message = f"an image with all questions and choices takes {row.tree.length} tokens; expected at most"
            raise ApiError(400, f"{message} {self.worker.scorer.batch_tokens}", code="context_length_exceeded")
        return row


async def _unless_left(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; if the client disconnects first, cancel it and raise ConnectionError."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(client_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ConnectionError("the client left before its answer was complete")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def _error_response(error: ApiError | HTTPException) -> Response:
    if isinstance(error, ApiError):
        return error.response()
    message = {404: "there is nothing at this address", 405: "this address does not know this method"}
    return ApiError(error.status_code, message.get(error.status_code, error.detail), headers=error.headers).response()
