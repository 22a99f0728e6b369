"""Access control: the Host header and the API key."""

import hmac

from starlette.datastructures import Headers

from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.settings import Settings


def check_host(headers: Headers, settings: Settings) -> None:
    """Reject a request whose Host header names another server. Raises ApiError."""
    if settings.host_names is None:
        return
    host = headers.get("host", "").lower()
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name not in settings.host_names:
        raise ApiError(403, f"this server does not answer for the host {host!r:.80}", code="wrong_host")


def check_key(headers: Headers, settings: Settings) -> None:
    """Check the key of a request, in constant time. Raises ApiError."""
    if settings.api_key is None:
        return
    scheme, _, given = headers.get("authorization", "").partition(" ")
    matches = hmac.compare_digest(given.strip().encode(), settings.api_key.encode())
    if scheme.lower() != "bearer" or not matches:
        message = "no valid API key; send it as the header Authorization: Bearer KEY"
        raise ApiError(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
