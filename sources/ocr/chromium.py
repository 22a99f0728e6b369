"""Pages laid out by Chromium: the same blocks and style sheets set by a real browser, ten times as slow as MuPDF.

The browser says where each character begins, on which baseline and in which face; its ink is the outline of the glyph
there, as with MuPDF.
"""

import asyncio
import atexit
import io
import re
from collections.abc import Coroutine, Mapping, Sequence
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
from sources.ocr.alignment import Alignment, Characters, Cut, Mismatch, match
from sources.ocr.blocks import INSET, INSET_FILE, SOFT_HYPHEN, Block
from sources.ocr.page import Flow, Page, PageLayout
from sources.ocr.story import assembled, characters_at
from sources.ocr.style import hex_of
from sources.ocr.typefaces import GlyphBox, css_name, glyphs
from sources.text.fonts import Font, missing

EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
FACE = re.compile(
    r"@font-face\{font-family:(?P<family>\w+);(?P<bold>font-weight:bold;)?(?P<italic>font-style:italic;)?"
    r"src:url\((?P<file>[^)]+)\)\}"
)
FULL_NAME, POSTSCRIPT_NAME = 4, 6  # entries of a font's table of names
Result = TypeVar("Result")


class _Session:
    """A browser that lives as long as the process, and the event loop that it is driven by."""

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
def _session() -> _Session:
    return _Session()


@lru_cache(maxsize=1)
def _script() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def lay_out(page: Page) -> PageLayout:
    """Lay out and draw a page, as `sources.ocr.story.lay_out` does. Raises Illegible, and BrowserDied."""
    session = _session()
    return session.run(_drawn(page, session.browser))


async def _drawn(page: Page, browser: Browser) -> PageLayout:
    by_file = {css_name(font): font for font in page.fonts}
    faces = {
        f"{found['family']}/{str(bool(found['bold'])).lower()}/{str(bool(found['italic'])).lower()}": by_file[
            found["file"]
        ]
        for found in FACE.finditer(page.css)
    }
    matched: list[Alignment] = []
    async with browser.page(View(width=page.width, height=page.height)) as window:
        await window.set_content(_document(page, by_file))
        await window.evaluate("Promise.all([...document.fonts].map((face) => face.load()))")
        for flow in page.flows:
            top = None if flow.gap is None else float(matched[-1].boxes[:, 3].max()) + flow.gap
            matched.append(await _set(flow, top, window, faces))
        picture = Image.open(io.BytesIO(await window.screenshot(animations="disabled"))).convert("RGB")
    return assembled(page, np.array(picture), matched)


def _document(page: Page, by_file: Mapping[str, Font]) -> str:
    css = page.css
    for file, font in by_file.items():
        css = css.replace(f"url({file})", ",".join(f'local("{name}")' for name in _names(font)))
    areas = "".join(
        f'<div style="position:absolute;left:{x0:.0f}px;top:{y0:.0f}px;width:{x1 - x0:.0f}px;height:{y1 - y0:.0f}px;'
        f'background:{hex_of(area.colour)}"></div>'
        for area in page.areas
        for x0, y0, x1, y1 in [area.box]
    )
    paper = f"html{{background:{hex_of(page.paper)}}}body{{overflow:hidden;font-variant-ligatures:none}}"
    return f"<!DOCTYPE html><meta charset=utf-8><style>{css}{paper}</style><body>{areas}</body>"


@lru_cache(maxsize=256)
def _names(font: Font) -> tuple[str, ...]:
    """The names by which a browser finds an installed face."""
    with TTFont(font.path, fontNumber=font.index if font.path.suffix.lower() == ".ttc" else -1, lazy=True) as file:
        found = (file["name"].getDebugName(number) for number in (FULL_NAME, POSTSCRIPT_NAME))
        return tuple(dict.fromkeys(name for name in found if name))


async def _set(flow: Flow, top: float | None, window: async_api.Page, faces: Mapping[str, Font]) -> Alignment:
    """A flow's words. What would be cut and must not be is left out."""
    blocks = list(flow.blocks)
    while blocks:
        characters, is_whole = await _compose(flow, blocks, top, window, faces)
        if flow.must_fit and not is_whole:
            raise Illegible("overflow", f"{len(blocks)} blocks do not fit into {flow.boxes}")
        try:
            return match(characters, blocks)
        except Cut as cut:
            blocks = blocks[: cut.num_blocks]
            await window.evaluate("document.body.lastElementChild.remove()")
        except Mismatch as error:
            raise Illegible("mismatch", str(error)) from error
    raise Illegible("overflow", f"not a block fits into {flow.boxes}")


async def _compose(
    flow: Flow, blocks: Sequence[Block], top: float | None, window: async_api.Page, faces: Mapping[str, Font]
) -> tuple[Characters, bool]:
    x0, y0, x1, y1 = flow.boxes[0]
    start = y0 if top is None else top
    html = "".join(block.html for block in blocks).replace(INSET_FILE, EMPTY_PICTURE).replace(SOFT_HYPHEN, "")
    seen = await window.evaluate(
        _script(),
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
    for sign, x, baseline, size, width, face in seen["characters"]:
        text.append(sign)
        origins.append((x, baseline))
        sizes.append(size)
        if sign == INSET:
            inks.append((0.0, -1.0, width / size, 0.0))
            continue
        font = faces.get(face)
        if font is None or missing(sign, font):
            raise Illegible("missing_glyph", f"no chosen font draws {sign!r} (U+{ord(sign):04X})")
        inks.append(glyphs(font)[sign])
    return characters_at("".join(text), origins, sizes, inks), bool(seen["isWhole"])
