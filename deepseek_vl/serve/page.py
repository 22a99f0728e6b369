"""The files of the web page, and its content security policy."""

from importlib import resources

from starlette.responses import Response

MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src data: blob:",  # blob: pictures while they are scaled down
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types answers",  # the one place where HTML of the server becomes part of the page
)
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def assets() -> dict[str, Response]:
    """Return the page's files by name; they load only each other, and only from this server."""
    files = resources.files("deepseek_vl.serve").joinpath("page_assets")
    return {
        file.name: Response(
            file.read_text(encoding="utf-8"), media_type=MEDIA_TYPES[file.name.rpartition(".")[2]], headers=HEADERS
        )
        for file in files.iterdir()
    }
