"""Error responses of the server, in the form that OpenAI's clients understand."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from deepseek_vl.device import is_memory
from deepseek_vl.scoring import NotFiniteError

TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiError(Exception):
    """A rejected or failed request: an HTTP status and one sentence.

    Args:
        param: the wrong field of the request, if there is one.
        code: a stable code for programs.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the error object."""
        kind = TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """Return the HTTP response."""
        return JSONResponse(self.body(), self.status, self.headers)


def not_ready(state: str) -> ApiError:
    """Return the error while the model is loading or the server is stopping."""
    sentence = "the model is being loaded" if state == "loading" else "the server is stopping"
    return ApiError(503, f"{sentence}; try again later", code=state, headers={"Retry-After": "5"})


def model_failed(error: Exception) -> ApiError:
    """Return the error for a request that the model failed on."""
    code = (
        "not_finite" if isinstance(error, NotFiniteError) else "out_of_memory" if is_memory(error) else "model_failed"
    )
    return ApiError(500, f"the model failed: {first_line(error)}", code=code)


def first_line(error: Exception) -> str:
    """Return the first line of an error message, without the details that some libraries append."""
    return str(error).partition("\n")[0] or type(error).__name__
