"""Inputs from the web, which the settings of a source must allow."""

from pathlib import Path

from sources.base.source import InputError, Source
from sources.web import download as web
from sources.web.address_policy import AddressPolicy

MAX_BYTES = 4_000_000_000


def download(source: Source, uri: str, out: Path) -> None:
    """Write what is at an http(s) address to a file. Raises InputError."""
    if not source.http:
        raise InputError("http_not_allowed", "the input is on the web; allow such inputs with --set http=true")
    web.download(AddressPolicy(allow=source.http_allow), uri, out, max_bytes=MAX_BYTES)
