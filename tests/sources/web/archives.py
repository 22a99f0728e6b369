"""Web archives for tests, written by warcio, the library of the Webrecorder project."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HTML = "text/html; charset=utf-8"
DATE = "2021-03-04T05:06:07Z"


def warc(
    responses: Sequence[tuple[str, str | bytes, str]],
    *,
    compressed: bool = True,
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
    date: str = DATE,
    fields: Mapping[str, str] | None = None,
) -> bytes:
    """Return a WARC file with a response for each (URL, body, content type)."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed)
    writer.write_record(writer.create_warcinfo_record("test.warc", {"software": "warcio"}))
    for url, body, kind in responses:
        data = body.encode() if isinstance(body, str) else body
        head = StatusAndHeaders(status, [("Content-Type", kind), *(headers or {}).items()], protocol="HTTP/1.1")
        named = {"WARC-Date": date, "WARC-Record-ID": f"<urn:uuid:{len(out.getvalue()):032}>", **(fields or {})}
        record = writer.create_warc_record(
            url, "response", payload=io.BytesIO(data), http_headers=head, warc_headers_dict=named
        )
        writer.write_record(record)
    return out.getvalue()


def wacz(
    path: Path, archives: Mapping[str, bytes], pages: Sequence[str] = (), method: int = zipfile.ZIP_STORED
) -> Path:
    """Write a WACZ file without an index."""
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, data in archives.items():
            packed.writestr(name, data)
        if pages:
            lines = [{"format": "json-pages-1.0", "id": "pages"}, *({"url": url} for url in pages)]
            packed.writestr("pages/pages.jsonl", "\n".join(map(json.dumps, lines)))
    return path
