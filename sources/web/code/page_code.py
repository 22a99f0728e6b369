"""A loaded page to code that renders back: read, reduced, written, rendered, compared."""

import asyncio
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image
from playwright import async_api
from playwright.async_api import Page

from sources.web.browser import Browser
from sources.web.code.document import document
from sources.web.code.pictures import colour_pictures
from sources.web.code.render import look_of, render_back
from sources.web.code.similarity import Look, Similarity, compare
from sources.web.code.simplify import simplify
from sources.web.code.snapshot import CodeRefused, SnapshotLimits, read_defaults, take_snapshot
from sources.web.code.stylesheet import stylesheet
from sources.web.code.tokens import estimate_tokens
from sources.web.views import View

CODE_VERSION = 2  # raise it when the same page gives other code
MAX_TOKENS = 8000  # a manual's page of dense links has as many; training on longer answers is for few
TIMEOUT_S = 40  # of everything; its parts have limits of their own


@dataclass(frozen=True, kw_only=True, slots=True)
class PageCode:
    """The code of one screenshot.

    Args:
        html: a whole document without scripts and without anything to load.
        similarity: of what it renders to with the screenshot.
        num_tokens: of the code, estimated.
    """

    html: str
    similarity: Similarity
    num_tokens: int


class PageCoder:
    """Makes code of pages that are open in one browser.

    Args:
        max_tokens: longer code is refused before it is rendered.
    """

    def __init__(self, browser: Browser, *, max_tokens: int = MAX_TOKENS, limits: SnapshotLimits | None = None):
        self._browser = browser
        self._max_tokens = max_tokens
        self._limits = limits or SnapshotLimits()
        self._defaults: Mapping[str, Any] | None = None

    async def code(self, page: Page, screenshot: Sequence[bytes], view: View) -> PageCode:
        """The code of what `page` shows, scrolled to its top.

        Args:
            page: loaded, and as it was when the screenshot was taken.
            screenshot: of its viewport, PNG or JPEG, in one piece or in tiles from top to bottom, `view.scale` pixels
                per CSS pixel.
            view: with the size that the viewport has.

        Raises:
            CodeRefused: the page is too large or hostile, or its code longer than `max_tokens`.
            BrowserDied: the browser in which the code is rendered.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._code(page, screenshot, view)
        except TimeoutError as error:
            raise CodeRefused("timeout", "the code is not made in time") from error
        except async_api.Error as error:
            raise CodeRefused("page_lost", str(error).partition("\n")[0]) from error

    async def _code(self, page: Page, screenshot: Sequence[bytes], view: View) -> PageCode:
        pixels = np.concatenate([np.asarray(Image.open(io.BytesIO(tile)).convert("RGB")) for tile in screenshot])
        defaults = await self.bare_styles(view)
        seen = await take_snapshot(page, defaults, self._limits)
        colour_pictures(seen.tree, pixels, view.scale)
        simplify(seen.tree)
        html = document(seen.tree, seen.title, stylesheet(seen.tree, seen.other_fonts))
        num_tokens = estimate_tokens(html)
        if num_tokens > self._max_tokens:
            raise CodeRefused(
                "code_too_long", f"the code has {num_tokens} tokens; at most {self._max_tokens} are wanted"
            )
        rendered = await render_back(self._browser, html, view, defaults, self._limits)
        before = look_of(pixels, seen, view.scale)
        similarity = compare(before, _without(rendered, seen.generated, before.words))
        return PageCode(html=html, similarity=similarity, num_tokens=num_tokens)

    async def bare_styles(self, view: View) -> Mapping[str, Any]:
        """How this browser shows elements that nobody styled; read once."""
        if self._defaults is None:
            async with self._browser.page(view, offline=True, javascript=False) as page:
                await page.set_content("<!DOCTYPE html><html><head></head><body></body></html>", wait_until="commit")
                self._defaults = await read_defaults(page)
        return self._defaults


def _without(look: Look, generated: Sequence[str], known: Sequence[str]) -> Look:
    """A look without the words that are text only in the code: the page's style sheets had put them in."""
    surplus = Counter(generated) & (Counter(look.words) - Counter(known))
    kept = []
    for k in range(len(look.words) - 1, -1, -1):
        if surplus[look.words[k]] > 0:
            surplus[look.words[k]] -= 1
        else:
            kept.append(k)
    kept.reverse()
    return replace(look, words=[look.words[k] for k in kept], boxes=look.boxes[kept])
