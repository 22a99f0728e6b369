"""Pages laid out by Chromium from the same blocks and style sheets. It is ten times as slow as MuPDF.

The browser reports the origin, baseline and font face of each character. As with MuPDF, the ink of a character is the
outline of its glyph at that origin.
"""

import asyncio
import atexit
import io
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image
from playwright import async_api

from sources.base.illegible import Illegible
from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import View
from sources.ocr.alignment import Alignment, AlignmentError, Characters, CutBlockError, align
from sources.ocr.blocks import INSET, INSET_FILE, SOFT_HYPHEN, Block
from sources.ocr.page import Flow, Page, PageLayout
from sources.ocr.story import assemble_page, place_characters
from sources.ocr.style import to_hex
from sources.ocr.typefaces import GlyphBox, css_name, load_glyphs
from sources.text.fonts import Font, missing

EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
FACE = re.compile(
    r"@font-face\{font-family:(?P<family>\w+);(?P<bold>font-weight:bold;)?(?P<italic>font-style:italic;)?"
    r"src:url\((?P<file>[^)]+)\)\}"
)
FULL_NAME, POSTSCRIPT_NAME = 4, 6  # name IDs of the OpenType `name` table
Result = TypeVar("Result")


class _Session:
    """A browser that lives as long as the process, with the event loop that drives it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.browser = self.run(Browser(BrowserSettings()).__aenter__())
        atexit.register(self._close)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(work)

    def _close(self) -> None:
        self.run(self.browser.__aexit__(None, None, None))
        self._loop.close()


@lru_cache(maxsize=1)
def _shared_session() -> _Session:
    return _Session()


@lru_cache(maxsize=1)
def _load_script() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def lay_out(page: Page) -> PageLayout:
    """Lay out and render a page as `sources.ocr.story.lay_out` does. Raises Illegible and BrowserDied."""
    session = _shared_session()
    return session.run(_lay_out(page, session.browser))


async def _lay_out(page: Page, browser: Browser) -> PageLayout:
    by_file = {css_name(font): font for font in page.fonts}
    faces = {
        f"{found['family']}/{str(bool(found['bold'])).lower()}/{str(bool(found['italic'])).lower()}": by_file[
            found["file"]
        ]
        for found in FACE.finditer(page.css)
    }
    alignments: list[Alignment] = []
    async with browser.page(View(width=page.width, height=page.height)) as window:
        await window.set_content(_page_html(page, by_file))
        await window.evaluate("Promise.all([...document.fonts].map((face) => face.load()))")
        for flow in page.flows:
            top = None if flow.gap is None else float(alignments[-1].boxes[:, 3].max()) + flow.gap
            alignments.append(await _set_flow(flow, top, window, faces))
        picture = Image.open(io.BytesIO(await window.screenshot(animations="disabled"))).convert("RGB")
    return assemble_page(page, np.array(picture), alignments)


def _page_html(page: Page, by_file: Mapping[str, Font]) -> str:
    css = page.css
    for file, font in by_file.items():
        css = css.replace(f"url({file})", ",".join(f'local("{name}")' for name in _local_names(font)))
    areas = "".join(
        f'<div style="position:absolute;left:{x0:.0f}px;top:{y0:.0f}px;width:{x1 - x0:.0f}px;height:{y1 - y0:.0f}px;'
        f'background:{to_hex(area.colour)}"></div>'
        for area in page.areas
        for x0, y0, x1, y1 in [area.box]
    )
    paper = f"html{{background:{to_hex(page.paper)}}}body{{overflow:hidden;font-variant-ligatures:none}}"
    return f"<!DOCTYPE html><meta charset=utf-8><style>{css}{paper}</style><body>{areas}</body>"


@lru_cache(maxsize=256)
def _local_names(font: Font) -> tuple[str, ...]:
    """Return the names by which a browser finds an installed font face."""
    with TTFont(font.path, fontNumber=font.index if font.path.suffix.lower() == ".ttc" else -1, lazy=True) as file:
        found = (file["name"].getDebugName(number) for number in (FULL_NAME, POSTSCRIPT_NAME))
        return tuple(dict.fromkeys(name for name in found if name))


async def _set_flow(flow: Flow, top: float | None, window: async_api.Page, faces: Mapping[str, Font]) -> Alignment:
    """Lay out a flow and return its words. A block that would be cut and is not divisible is left out."""
    blocks = list(flow.blocks)
    while blocks:
        characters, is_whole = await _place_blocks(flow, blocks, top, window, faces)
        if flow.must_fit and not is_whole:
            raise Illegible("overflow", f"{len(blocks)} blocks do not fit into {flow.boxes}")
        try:
            found = align(characters, blocks)
            return replace(found, rest=(*found.rest, *flow.blocks[len(blocks) :]))
        except CutBlockError as cut:
            blocks = blocks[: cut.num_blocks]
            await window.evaluate("document.body.lastElementChild.remove()")
        except AlignmentError as error:
            raise Illegible("mismatch", str(error)) from error
    raise Illegible("overflow", f"not a block fits into {flow.boxes}")


async def _place_blocks(
    flow: Flow, blocks: Sequence[Block], top: float | None, window: async_api.Page, faces: Mapping[str, Font]
) -> tuple[Characters, bool]:
    x0, y0, x1, y1 = flow.boxes[0]
    start = y0 if top is None else top
    html = "".join(block.html for block in blocks).replace(INSET_FILE, EMPTY_PICTURE).replace(SOFT_HYPHEN, "")
    layout = await window.evaluate(
        _load_script(),
        {
            "html": html,
            "cssClass": flow.css_class,
            "left": x0,
            "top": start,
            "width": flow.boxes[-1][2] - x0,
            "height": y1 - start,
            "columns": len(flow.boxes),
            "gap": flow.boxes[1][0] - x1 if len(flow.boxes) > 1 else 0,
        },
    )
    text: list[str] = []
    origins: list[tuple[float, float]] = []
    sizes: list[float] = []
    inks: list[GlyphBox] = []
    for sign, x, baseline, size, width, face in layout["characters"]:
        text.append(sign)
        origins.append((x, baseline))
        sizes.append(size)
        if sign == INSET:
            inks.append((0.0, -1.0, width / size, 0.0))
            continue
        font = faces.get(face)
        if font is None or missing(sign, font):
            raise Illegible("missing_glyph", f"no chosen font draws {sign!r} (U+{ord(sign):04X})")
        inks.append(load_glyphs(font)[sign])
    return place_characters("".join(text), origins, sizes, inks), bool(layout["isWhole"])
