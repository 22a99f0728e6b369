"""Captures: the results of visits to pages, as plain data and as rows of a segment (Arrow)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

PERMISSION_UNCHECKED = "not checked"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageElement:
    """An interactive or semantic part of a page: its role, its accessible name and its box in pixels of the image."""

    role: str
    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A picture of a page, in one or more tiles from top to bottom.

    Args:
        images: encoded tiles, each directly below the previous one.
        extension: `png` or `jpg`.
        tops: first row of each tile in the whole picture, in pixels; the last entry is the picture's height.
        width: width in pixels.
    """

    images: Sequence[bytes]
    extension: str
    tops: Sequence[int]
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """HTML that renders to a picture similar to the screenshot, or the reason why there is none.

    Args:
        html: empty if there is no code.
        similarity: similarity of the rendered HTML and the screenshot, 0 to 1.
        num_tokens: estimated number of tokens of the HTML.
        refusal: cause why the page gave no code; empty if it did, or if none was wanted.
    """

    html: str = ""
    similarity: float = 0.0
    num_tokens: int = 0
    refusal: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageContent:
    """The content of a page that was visited successfully.

    Args:
        texts: N words in reading order.
        boxes: (N, 4) float32 x0, y0, x1, y1 in pixels of the whole picture.
        separators: N strings before the words: empty, a space, a tab, one or two newlines.
        language: the language that the page declares.
        licences: URLs that the page declares as its licence (`rel=license`).
        facts: numbers and texts from which obstacles are detected (`obstacles.py`).
        code: HTML for the whole picture.
    """

    screenshot: Screenshot
    texts: Sequence[str]
    boxes: np.ndarray
    separators: Sequence[str]
    elements: Sequence[PageElement]
    title: str
    description: str
    language: str
    licences: Sequence[str]
    facts: dict[str, Any]
    flags: Sequence[str] = ()
    code: Code = Code()


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """The result of one visit to a URL in one view.

    Args:
        url: canonical URL, as planned.
        view: name of the view, or `sitemap`.
        final_url: URL after redirects.
        status: HTTP status; None without a response.
        fetched_at: UTC, ISO 8601.
        permission: what was checked before fetching.
        links: canonical URLs that the page links to, or that the sitemap lists, in order.
        seen: the page's content; None if the visit failed.
        cause, message: reason of the failure; empty if there was none.
    """

    url: str
    view: str
    fetched_at: str
    final_url: str = ""
    status: int | None = None
    permission: str = PERMISSION_UNCHECKED
    links: Sequence[str] = ()
    seen: PageContent | None = None
    cause: str = ""
    message: str = ""


_SEEN = pa.struct(
    [
        ("images", pa.list_(pa.binary())),
        ("extension", pa.string()),
        ("tops", pa.list_(pa.int32())),
        ("width", pa.int32()),
        ("texts", pa.list_(pa.string())),
        ("boxes", pa.list_(pa.float32())),
        ("separators", pa.list_(pa.string())),
        (
            "elements",
            pa.list_(pa.struct([("role", pa.string()), ("name", pa.string()), ("box", pa.list_(pa.float32(), 4))])),
        ),
        ("title", pa.string()),
        ("description", pa.string()),
        ("language", pa.string()),
        ("licences", pa.list_(pa.string())),
        ("facts", pa.string()),  # JSON
        ("flags", pa.list_(pa.string())),
        ("code_html", pa.large_string()),
        ("code_similarity", pa.float64()),
        ("code_tokens", pa.int32()),
        ("code_refusal", pa.string()),
    ]
)
CAPTURE_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("view", pa.string()),
        ("fetched_at", pa.string()),
        ("final_url", pa.string()),
        ("status", pa.int32()),
        ("permission", pa.string()),
        ("links", pa.list_(pa.string())),
        ("cause", pa.string()),
        ("message", pa.string()),
        ("seen", _SEEN),
        ("digest", pa.string()),  # sha256 of everything that the sample depends on
    ]
)


def to_rows(captures: Sequence[Capture]) -> pa.Table:
    """Convert captures to a table of `CAPTURE_SCHEMA`."""
    return pa.Table.from_pylist([_row(capture) for capture in captures], schema=CAPTURE_SCHEMA)


def _row(capture: Capture) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: getattr(capture, name)
        for name in ("url", "view", "fetched_at", "final_url", "status", "permission", "cause", "message")
    }
    row |= {"links": list(capture.links), "seen": None}
    if capture.seen is not None:
        seen = capture.seen
        row["seen"] = {
            "images": list(seen.screenshot.images),
            "extension": seen.screenshot.extension,
            "tops": list(seen.screenshot.tops),
            "width": seen.screenshot.width,
            "texts": list(seen.texts),
            "boxes": np.asarray(seen.boxes, np.float32).ravel().tolist(),
            "separators": list(seen.separators),
            "elements": [
                {"role": e.role, "name": e.name, "box": np.asarray(e.box, np.float32).tolist()} for e in seen.elements
            ],
            "title": seen.title,
            "description": seen.description,
            "language": seen.language,
            "licences": list(seen.licences),
            "facts": json.dumps(seen.facts, sort_keys=True, ensure_ascii=False),
            "flags": list(seen.flags),
            "code_html": seen.code.html,
            "code_similarity": seen.code.similarity,
            "code_tokens": seen.code.num_tokens,
            "code_refusal": seen.code.refusal,
        }
    return {**row, "digest": _digest(row)}


def _digest(row: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    images = row["seen"]["images"] if row["seen"] else []
    plain = {**row, "seen": row["seen"] and {k: v for k, v in row["seen"].items() if k != "images"}}
    digest.update(json.dumps(plain, sort_keys=True).encode())
    for image in images:
        digest.update(hashlib.sha256(image).digest())
    return digest.hexdigest()


def from_row(row: dict[str, Any]) -> Capture:
    """Convert a row to a capture, the inverse of `to_rows`."""
    seen = row["seen"]
    fields = {name: value for name, value in row.items() if name not in ("seen", "digest")}
    if seen is None:
        return Capture(**fields)
    picture = {name: seen[name] for name in ("images", "extension", "tops", "width")}
    content = {name: seen[name] for name in ("texts", "separators", "title", "description", "language", "licences")}
    return Capture(
        **fields,
        seen=PageContent(
            screenshot=Screenshot(**picture),
            boxes=np.array(seen["boxes"], np.float32).reshape(-1, 4),
            elements=[PageElement(role=e["role"], name=e["name"], box=tuple(e["box"])) for e in seen["elements"]],
            facts=json.loads(seen["facts"]),
            flags=seen["flags"],
            code=Code(
                html=seen["code_html"],
                similarity=seen["code_similarity"],
                num_tokens=seen["code_tokens"],
                refusal=seen["code_refusal"],
            ),
            **content,
        ),
    )
