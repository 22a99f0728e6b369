"""Captures: the results of visits to pages, as plain data and as rows of a segment (Arrow)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
        images: the rendered HTML in tiles, encoded like the screenshot's and as large; empty if it was not kept.
        texts, boxes: N words of the rendered HTML, and their (N, 4) boxes in pixels of the whole picture.
    """

    html: str = ""
    similarity: float = 0.0
    num_tokens: int = 0
    refusal: str = ""
    images: Sequence[bytes] = ()
    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))


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
        html: the document as the host sent it, as text; None if it was not kept.
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
    code: Code = field(default_factory=Code)
    html: str | None = None


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
        canonical: URL at which the page says it is (`rel=canonical`); empty if it does not say.
        archive: the web archive with the page and the id of its record there, as `FILE;record=ID`; empty if it was
            fetched.
        content: what the page shows; None if the visit failed.
        cause, message: reason of the failure; empty if there was none.
    """

    url: str
    view: str
    fetched_at: str
    final_url: str = ""
    status: int | None = None
    permission: str = PERMISSION_UNCHECKED
    links: Sequence[str] = ()
    canonical: str = ""
    archive: str = ""
    content: PageContent | None = None
    cause: str = ""
    message: str = ""


_PICTURES = ("images", "code_images")
_APART = (*_PICTURES, "html")  # hashed as they are, if they are there
_PLAIN = ("url", "view", "fetched_at", "final_url", "status", "permission", "canonical", "archive", "cause", "message")
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
        ("code_images", pa.list_(pa.binary())),
        ("code_texts", pa.list_(pa.string())),
        ("code_boxes", pa.list_(pa.float32())),
        ("html", pa.large_string()),
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
        ("canonical", pa.string()),
        ("archive", pa.string()),
        ("cause", pa.string()),
        ("message", pa.string()),
        ("content", _SEEN),
        ("digest", pa.string()),  # sha256 of everything that the sample depends on
    ]
)


def now() -> str:
    """Return the time of a capture: UTC, ISO 8601, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def to_rows(captures: Sequence[Capture]) -> pa.Table:
    """Convert captures to a table of `CAPTURE_SCHEMA`."""
    return pa.Table.from_pylist([_row(capture) for capture in captures], schema=CAPTURE_SCHEMA)


def _row(capture: Capture) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(capture, name) for name in _PLAIN}
    row |= {"links": list(capture.links), "content": None}
    if capture.content is not None:
        content = capture.content
        row["content"] = {
            "images": list(content.screenshot.images),
            "extension": content.screenshot.extension,
            "tops": list(content.screenshot.tops),
            "width": content.screenshot.width,
            "texts": list(content.texts),
            "boxes": np.asarray(content.boxes, np.float32).ravel().tolist(),
            "separators": list(content.separators),
            "elements": [
                {"role": e.role, "name": e.name, "box": np.asarray(e.box, np.float32).tolist()}
                for e in content.elements
            ],
            "title": content.title,
            "description": content.description,
            "language": content.language,
            "licences": list(content.licences),
            "facts": json.dumps(content.facts, sort_keys=True, ensure_ascii=False),
            "flags": list(content.flags),
            "code_html": content.code.html,
            "code_similarity": content.code.similarity,
            "code_tokens": content.code.num_tokens,
            "code_refusal": content.code.refusal,
            "code_images": list(content.code.images),
            "code_texts": list(content.code.texts),
            "code_boxes": np.asarray(content.code.boxes, np.float32).ravel().tolist(),
            "html": content.html,
        }
    return {**row, "digest": _digest(row)}


def _digest(row: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    content = row["content"]
    plain = {**row, "content": content and {name: value for name, value in content.items() if name not in _APART}}
    digest.update(json.dumps(plain, sort_keys=True).encode())
    for image in [image for name in _PICTURES for image in content[name]] if content else []:
        digest.update(hashlib.sha256(image).digest())
    if content and content["html"] is not None:
        digest.update(hashlib.sha256(content["html"].encode()).digest())
    return digest.hexdigest()


def from_row(row: dict[str, Any]) -> Capture:
    """Convert a row to a capture, the inverse of `to_rows`."""
    content = row["content"]
    fields = {name: value for name, value in row.items() if name not in ("content", "digest")}
    if content is None:
        return Capture(**fields)
    picture = {name: content[name] for name in ("images", "extension", "tops", "width")}
    texts = {name: content[name] for name in ("texts", "separators", "title", "description", "language", "licences")}
    return Capture(
        **fields,
        content=PageContent(
            screenshot=Screenshot(**picture),
            boxes=np.array(content["boxes"], np.float32).reshape(-1, 4),
            elements=[PageElement(role=e["role"], name=e["name"], box=tuple(e["box"])) for e in content["elements"]],
            facts=json.loads(content["facts"]),
            flags=content["flags"],
            code=Code(
                html=content["code_html"],
                similarity=content["code_similarity"],
                num_tokens=content["code_tokens"],
                refusal=content["code_refusal"],
                images=content["code_images"],
                texts=content["code_texts"],
                boxes=np.array(content["code_boxes"], np.float32).reshape(-1, 4),
            ),
            html=content.get("html"),
            **texts,
        ),
    )
