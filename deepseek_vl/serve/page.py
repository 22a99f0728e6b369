"""The web page and its content security policy."""

import base64
import hashlib
import re
from importlib import resources

from starlette.responses import Response


def page() -> Response:
    """Return the page at `/`, with a policy that allows only its inline script and style and this server."""
    html = resources.files("deepseek_vl.serve").joinpath("page.html").read_text(encoding="utf-8")
    policy = (
        "default-src 'none'",
        f"script-src {_hashes(html, 'script')}",
        f"style-src {_hashes(html, 'style')}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Response(html, media_type="text/html", headers=headers)


def _hashes(html: str, element: str) -> str:
    """Return the digests of all inline elements of a kind, in the syntax of the policy."""
    contents = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
    assert contents
    digests = (base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in contents)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
