"""A loaded page to code that renders back: read, reduced, written, rendered, compared."""

import asyncio
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image
from playwright import async_api
from playwright.async_api import CDPSession

from sources.browser.browser import Browser
from sources.browser.isolated_world import DocumentGone, World
from sources.browser.viewports import View
from sources.web.code.document import document
from sources.web.code.pictures import colour_pictures
from sources.web.code.render import CodeRenderer, look_of
from sources.web.code.similarity import Look, Similarity, compare
from sources.web.code.simplify import simplify
from sources.web.code.snapshot import CodeRefused, SnapshotLimits, take_snapshot
from sources.web.code.stylesheet import stylesheet
from sources.web.code.tokens import estimate_tokens

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
    """`async with PageCoder(browser) as coder`: makes code of pages that are open in one browser.

    Args:
        max_tokens: longer code is refused before it is rendered.
    """

    def __init__(self, browser: Browser, *, max_tokens: int = MAX_TOKENS, limits: SnapshotLimits | None = None):
        self._max_tokens = max_tokens
        self._limits = limits or SnapshotLimits()
        self._renderer = CodeRenderer(browser, self._limits)
        self._defaults: Mapping[str, Any] | None = None

    async def __aenter__(self) -> "PageCoder":
        await self._renderer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._renderer.__aexit__(kind, error, trace)

    async def code(self, session: CDPSession, screenshot: Sequence[bytes], view: View) -> PageCode:
        """The code of what a page shows, scrolled to its top.

        Args:
            session: of the page, loaded and as it was when the screenshot was taken.
            screenshot: of its viewport, PNG or JPEG, in one piece or in tiles from top to bottom, `view.scale` pixels
                per CSS pixel.
            view: with the size that the viewport has.

        Raises:
            CodeRefused: the page is too large or hostile, or its code longer than `max_tokens`.
            BrowserDied: the browser in which the code is rendered.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._code(session, screenshot, view)
        except TimeoutError as error:
            raise CodeRefused("timeout", "the code is not made in time") from error
        except (async_api.Error, DocumentGone) as error:
            raise CodeRefused("page_lost", str(error).partition("\n")[0]) from error

    async def _code(self, session: CDPSession, screenshot: Sequence[bytes], view: View) -> PageCode:
        pixels = np.concatenate([np.asarray(Image.open(io.BytesIO(tile)).convert("RGB")) for tile in screenshot])
        if self._defaults is None:
            self._defaults = await self._renderer.bare_styles(view)
        seen = await take_snapshot(await World.of(session), self._defaults, self._limits)
        colour_pictures(seen.tree, pixels, view.scale)
        simplify(seen.tree)
        html = document(seen.tree, seen.title, stylesheet(seen.tree, seen.other_fonts))
        num_tokens = estimate_tokens(html)
        if num_tokens > self._max_tokens:
            raise CodeRefused(
                "code_too_long", f"the code has {num_tokens} tokens; at most {self._max_tokens} are wanted"
            )
        rendered = await self._renderer.render(html, view)
        before = look_of(pixels, seen, view.scale)
        similarity = compare(before, _without(rendered, seen.generated, before.words))
        return PageCode(html=html, similarity=similarity, num_tokens=num_tokens)


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
