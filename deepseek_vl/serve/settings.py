"""What a server allows."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Limits and identity of a server.

    Args:
        model: the name clients ask for.
        api_key: what clients must send; None asks for none.
        host_names: names and addresses that a request's Host header may have; None allows any. A server without a key
            needs them: a web page could otherwise give its own name the server's address and read the answers.
        max_requests: requests answered or waiting at once; more are refused.
        max_body_bytes: largest body of a request, images included.
        body_timeout_s: a body must have arrived after that time.
        max_images: images of one request.
        max_image_pixels: width times height of an image.
        max_tokens: longest answer.
        max_questions, max_choices: of one scoring request.
        allow_remote_images: fetch images from http and https URLs at public addresses.
    """

    model: str
    api_key: str | None = None
    host_names: frozenset[str] | None = None
    max_requests: int = 72
    max_body_bytes: int = 32_000_000
    body_timeout_s: float = 60.0
    max_images: int = 8
    max_image_pixels: int = 50_000_000
    max_tokens: int = 2048
    max_questions: int = 64
    max_choices: int = 256
    allow_remote_images: bool = False

    def __post_init__(self) -> None:
        if self.api_key is not None and not (
            self.api_key.isascii() and self.api_key.isprintable() and self.api_key.strip()
        ):
            raise ValueError("the API key must be printable ASCII characters, at least one")
        for name in ("max_requests", "max_body_bytes", "max_images", "max_image_pixels", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
