"""Settings of the server."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Limits and identity of a server.

    Args:
        model: the model's name in requests.
        api_key: the key that clients must send; None for no key.
        host_names: names and addresses allowed in the Host header; None allows any. A server without a key needs them,
            because a web page could otherwise point its domain at the server and read the answers (DNS rebinding).
        max_requests: maximum answers being written or waiting; more are rejected.
        max_answers: maximum answers per request.
        context_tokens: maximum tokens of a prompt and its answer together.
        max_body_bytes: maximum size of a request's body, images included.
        bodies_bytes: maximum size of all bodies that are in memory; beyond it the slowest upload is ended.
        body_timeout_s: time within which a body must arrive.
        max_images: maximum images per request.
        max_image_pixels: maximum width times height of an image.
        max_tokens: maximum length of an answer.
        max_questions, max_choices: maximum questions and choices per scoring request, or per item of one.
        max_items: maximum items per scoring request, each with up to `max_images`.
        cors_origins: origins of web pages that may send requests from a browser; `*` for all.
        allow_remote_images: fetch images from http and https URLs at public addresses.
    """

    model: str
    api_key: str | None = None
    host_names: frozenset[str] | None = None
    max_requests: int = 72
    max_answers: int = 16
    context_tokens: int = 8192
    max_body_bytes: int = 64_000_000
    bodies_bytes: int = 512_000_000
    body_timeout_s: float = 60.0
    max_images: int = 8
    max_image_pixels: int = 50_000_000
    max_tokens: int = 2048
    max_questions: int = 64
    max_choices: int = 256
    max_items: int = 64
    cors_origins: tuple[str, ...] = ()
    allow_remote_images: bool = False

    def __post_init__(self) -> None:
        if self.api_key is not None and not (
            self.api_key.isascii() and self.api_key.isprintable() and self.api_key.strip()
        ):
            raise ValueError("the API key must be printable ASCII characters, at least one")
        for name in (
            "max_requests",
            "max_answers",
            "context_tokens",
            "max_body_bytes",
            "bodies_bytes",
            "max_images",
            "max_image_pixels",
            "max_tokens",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for origin in self.cors_origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(f"an origin is a scheme and a host such as https://example.org, or *; got {origin!r}")
