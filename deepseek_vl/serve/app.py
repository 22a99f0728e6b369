"""The ASGI application: routes, and the way of a request from its first byte to the response."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, TextIO, TypeVar

import numpy as np
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.scoring import Row
from deepseek_vl.serve.access import check_host, check_key
from deepseek_vl.serve.body import Bodies, check_headers, client_left
from deepseek_vl.serve.errors import ApiError, not_ready
from deepseek_vl.serve.fields import Fields, parse_json
from deepseek_vl.serve.images import bad_image, is_remote
from deepseek_vl.serve.markdown import to_html
from deepseek_vl.serve.observe import Metrics, Observed, measured
from deepseek_vl.serve.page import assets
from deepseek_vl.serve.prompts import Prompts
from deepseek_vl.serve.remote import fetch
from deepseek_vl.serve.requests import AnswerRequest, parse_chat, parse_completion, parse_score
from deepseek_vl.serve.responses import ChatResponse, CompletionResponse
from deepseek_vl.serve.responses import Response as OpenAIResponse
from deepseek_vl.serve.score_items import ScoreItem, body_of, row_of
from deepseek_vl.serve.settings import Settings
from deepseek_vl.serve.structured import JsonMask
from deepseek_vl.serve.worker import Worker

THREADS = min(4, os.cpu_count() or 1)  # for parsing JSON, decoding images and rendering Markdown
MAX_RENDER_BYTES = 1_000_000
MODEL_PATHS = frozenset({"/v1/chat/completions", "/v1/completions", "/v1/score"})
PATHS = MODEL_PATHS | {"/", "/health", "/metrics", "/v1/models", "/render"}
T = TypeVar("T")


class App:
    """An ASGI application around a worker. JSON and images are decoded in threads, not in the event loop.

    Args:
        access_log: takes one line per request; None for no log.

    `identity` is added to the description of the model and to scores: the checkpoint's digest, dtype, quantization.
    """

    def __init__(self, worker: Worker, processor: Processor, settings: Settings, access_log: TextIO | None = None):
        self.worker, self.processor, self.settings = worker, processor, settings
        self.num_requests = 0
        self.identity: dict[str, str | None] = {}
        self.created = int(time.time())
        self.metrics = Metrics()
        self.metrics.gauge("vellum_answers_running_or_waiting", "Answers in the queue.", lambda: self.num_requests)
        self.metrics.gauge("vellum_ready", "1 while the model answers.", lambda: float(worker.state == "ready"))
        self._assets = assets()
        self._prompts = Prompts(processor, settings)
        self._bodies = Bodies(settings.max_body_bytes, settings.body_timeout_s, settings.bodies_bytes)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/assets/{name}", self._asset, methods=["GET"]),
            Route("/render", self._render, methods=["POST"]),
            Route("/health", self._health, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/v1/models/{name:path}", self._model, methods=["GET"]),
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/completions", self._complete, methods=["POST"]),
            Route("/v1/score", self._score, methods=["POST"]),
        ]
        self._router = Router(routes, redirect_slashes=False, lifespan=self._lifespan)
        app: ASGIApp = self._checked
        if settings.cors_origins:
            app = CORSMiddleware(
                app,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],  # OpenAI's client sends several
                expose_headers=["x-request-id"],
            )
        self._observed = Observed(app, self.metrics, PATHS, access_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with an error object if it is rejected."""
        await self._observed(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["app"] = self  # makes the router raise if it has no route
        try:
            check_host(headers, self.settings)
            if scope["path"].startswith("/v1/") or scope["path"] in ("/metrics", "/render"):
                check_key(headers, self.settings)
            with ExitStack() as places:
                scope["places"] = places
                if scope["method"] == "POST" and scope["path"] in MODEL_PATHS:
                    self._check_places(1)  # before the body is read
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

    def _check_places(self, number: int) -> None:
        """Raise ApiError if the model is not ready, or has no place for `number` more answers."""
        if self.worker.state != "ready":
            raise not_ready(self.worker.state)
        if self.num_requests + number > self.settings.max_requests:
            message = f"{self.num_requests} answers are being written or wait already; try again later"
            raise ApiError(429, message, code="queue_full", headers={"Retry-After": "2"})

    def _take_places(self, request: Request, number: int) -> None:
        """Reserve places for answers until the response is sent; called when the body is read. Raises ApiError."""
        self._check_places(number)
        self.num_requests += number

        def leave() -> None:
            self.num_requests -= number

        request.scope["places"].callback(leave)

    async def _page(self, request: Request) -> Response:
        return self._assets["index.html"]

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            raise ApiError(404, "there is nothing at this address")
        return self._assets[name]

    async def _render(self, request: Request) -> Response:
        check_headers(request.headers, MAX_RENDER_BYTES)
        async with self._bodies.read(request.receive, MAX_RENDER_BYTES) as body:
            html = await self._in_thread(_rendered, body)
        return JSONResponse({"html": html})

    async def _metrics(self, request: Request) -> Response:
        return self.metrics.response()

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
        settings = self.settings
        return {
            "id": settings.model,
            "object": "model",
            "created": self.created,
            "owned_by": "vellum",
            "max_model_len": settings.context_tokens,
            "max_images": settings.max_images,
            "max_tokens": settings.max_tokens,
            "image_px": self.processor.config.image_px,
            "tokens_per_image": self.processor.config.tokens_per_image,
            **self.identity,
        }

    async def _chat(self, request: Request) -> Response:
        async with self._body(request) as body:
            parsed = await self._in_thread(parse_chat, body, self.settings)
            self._take_places(request, parsed.n)
            images = await self._fetch_images(parsed.images, "messages")
            prompt, strip = await self._in_thread(self._prompts.chat, parsed, images)
        self.metrics.images.inc(len(images))
        return await self._answer(request, parsed, ChatResponse, [prompt], strip)

    async def _complete(self, request: Request) -> Response:
        async with self._body(request) as body:
            parsed = await self._in_thread(parse_completion, body, self.settings)
            self._take_places(request, len(parsed.prompts) * parsed.n)
            prompts = await self._in_thread(self._prompts.completion, parsed)
        return await self._answer(request, parsed, CompletionResponse, prompts, strip=False)

    async def _answer(
        self,
        request: Request,
        parsed: AnswerRequest,
        form: type[OpenAIResponse],
        prompts: Sequence[Prompt],
        strip: bool,
    ) -> Response:
        """Answer each prompt `n` times, with consecutive seeds."""
        number = len(prompts) * parsed.n
        masks: Sequence[JsonMask | None] = [None] * number
        if parsed.json_schema is not None:
            masks = await self._in_thread(self._prompts.masks, parsed.json_schema, number)
        answers = []
        for k, mask in enumerate(masks):
            sampling = replace(parsed.sampling, seed=parsed.sampling.seed + k % parsed.n)
            pieces = self.worker.generate(prompts[k // parsed.n], sampling, mask, strip=strip)
            answers.append(measured(pieces, self.metrics))
        num_prompt_tokens = sum(map(len, prompts))
        self.metrics.prompt_tokens.inc(num_prompt_tokens)
        response = form(
            model=self.settings.model,
            tokenizer=self.processor.tokenizer,
            num_prompt_tokens=num_prompt_tokens,
            wants_logprobs=parsed.sampling.logprobs is not None,
        )
        if parsed.stream:
            events = response.events(answers, parsed.include_usage)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        return JSONResponse(await _unless_left(request.receive, response.whole(answers)))

    async def _score(self, request: Request) -> Response:
        async with self._body(request) as body:
            parsed = await self._in_thread(parse_score, body, self.settings)
            self._take_places(request, 1)
            if isinstance(parsed, tuple):
                prepared = await self._item_rows(parsed)
            else:
                images = await self._fetch_images(parsed.images, "images")
                prepared = await asyncio.gather(
                    *(
                        self._in_thread(self._prompts.row, self.worker.scorer, parsed, image, k)
                        for k, image in enumerate(images)
                    )
                )
        rows = [row for row in prepared if isinstance(row, Row)]
        self.metrics.images.inc(sum(len(row.canvases) for row in rows))
        answer: dict[str, Any] = {
            "object": "score",
            "model": self.settings.model,
            **self.identity,
            "usage": {"prompt_tokens": sum(row.tree.length for row in rows)},
        }
        if isinstance(parsed, tuple):
            scored = iter(await _unless_left(request.receive, self.worker.score_alone(rows)))
            outcomes = [next(scored) if isinstance(row, Row) else row for row in prepared]
            return JSONResponse({**answer, "results": body_of(outcomes)})
        scores = await _unless_left(request.receive, self.worker.score(rows))
        log_probabilities = np.stack([np.stack(of_image) for of_image in scores])
        return JSONResponse(
            {
                **answer,
                "choices": parsed.choices,
                "log_probabilities": log_probabilities.tolist(),
                "probabilities": np.exp(log_probabilities).tolist(),
            }
        )

    async def _item_rows(self, items: Sequence[ScoreItem]) -> list[Row | ApiError]:
        """Return the row of each item, or why it has none."""
        rows: list[Row | ApiError] = []
        for item in items:
            try:
                images = await self._fetch_images(item.images, "items")
            except ApiError as error:
                rows.append(error)
                continue
            work = (row_of, self.worker.scorer, item, images, self.settings.max_image_pixels)
            rows.append(await self._in_thread(*work))
        return rows

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def _body(self, request: Request) -> AbstractAsyncContextManager[bytes]:
        check_headers(request.headers, self.settings.max_body_bytes)
        return self._bodies.read(request.receive)

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


def _rendered(body: bytes) -> str:
    fields = Fields(parse_json(body))
    text = fields.text("text")
    fields.end()
    return to_html(text)


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
