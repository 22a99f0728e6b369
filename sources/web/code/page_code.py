"""Converts a loaded page to code: reads, reduces, writes, renders and compares it."""

import asyncio
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

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
from sources.web.code.similarity import Look, Similarity, compare, only_inked
from sources.web.code.simplify import simplify
from sources.web.code.snapshot import CodeRefusedError, SnapshotLimits, take_snapshot
from sources.web.code.stylesheet import stylesheet
from sources.web.code.tokens import estimate_tokens
from sources.web.code.unseen import remove_unseen

CODE_VERSION = 5  # increase it when the same page gives other code
MAX_TOKENS = 8000  # as many as a manual's page of dense links; few train on longer answers
TIMEOUT_S = 40  # in total; the parts have separate limits


@dataclass(frozen=True, kw_only=True, slots=True)
class PageCode:
    """The code of one screenshot.

    Args:
        html: a complete document without scripts and external resources.
        similarity: similarity of the rendered code and the screenshot.
        num_tokens: estimated number of tokens.
        render: what the code renders to, with all words that are in it.
    """

    html: str
    similarity: Similarity
    num_tokens: int
    render: Look = field(compare=False, repr=False)


class PageCoder:
    """Converts pages that are open in a browser to code; use it as `async with PageCoder(browser) as coder`.

    Args:
        max_tokens: longer code is rejected before it is rendered.
    """

    def __init__(self, browser: Browser, *, max_tokens: int = MAX_TOKENS, limits: SnapshotLimits | None = None):
        self._max_tokens = max_tokens
        self._limits = limits or SnapshotLimits()
        self._renderer = CodeRenderer(browser, self._limits)
        self._defaults: Mapping[str, Any] | None = None

    async def __aenter__(self) -> Self:
        await self._renderer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._renderer.__aexit__(kind, error, trace)

    async def code(
        self, session: CDPSession, screenshot: Sequence[bytes], view: View, height: int | None = None
    ) -> PageCode:
        """Convert what a page shows, scrolled to its top, to code.

        Args:
            session: CDP session of the page, unchanged since the screenshot.
            screenshot: PNG or JPEG of the page, in one piece or in tiles from top to bottom, with `view.scale` pixels
                per CSS pixel.
            view: view with the size of the viewport.
            height: height of the screenshot in CSS pixels, by default the viewport's; a larger one goes on below it.

        Raises:
            CodeRefused: the page is too large or hostile, or its code longer than `max_tokens`.
            BrowserDied: the browser that renders the code died.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._code(session, screenshot, view, height or view.height)
        except TimeoutError as error:
            raise CodeRefusedError("timeout", "the code is not made in time") from error
        except (async_api.Error, DocumentGone) as error:
            raise CodeRefusedError("page_lost", str(error).partition("\n")[0]) from error

    async def _code(self, session: CDPSession, screenshot: Sequence[bytes], view: View, height: int) -> PageCode:
        pixels = np.concatenate([np.asarray(Image.open(io.BytesIO(tile)).convert("RGB")) for tile in screenshot])
        if self._defaults is None:
            self._defaults = await self._renderer.bare_styles(view)
        seen = await take_snapshot(await World.of(session), self._defaults, self._limits, height)
        before = look_of(pixels, seen, view.scale)
        remove_unseen(seen.tree, before, view.scale)
        colour_pictures(seen.tree, pixels, view.scale)
        simplify(seen.tree)
        absent = await self._renderer.absent_fonts(seen.fonts, view)
        html = document(seen.tree, seen.title, stylesheet(seen.tree, absent))
        num_tokens = estimate_tokens(html)
        if num_tokens > self._max_tokens:
            raise CodeRefusedError(
                "code_too_long", f"the code has {num_tokens} tokens; at most {self._max_tokens} are wanted"
            )
        rendered = await self._renderer.render(html, view, height, seen.tree.shape())
        similarity = compare(only_inked(before), only_inked(_without(rendered, seen.generated, before.words)))
        return PageCode(html=html, similarity=similarity, num_tokens=num_tokens, render=rendered)


def _without(look: Look, generated: Sequence[str], known: Sequence[str]) -> Look:
    """Remove the words that are text in the code but generated by style sheets in the page."""
    surplus = Counter(generated) & (Counter(look.words) - Counter(known))
    kept = []
    for k in range(len(look.words) - 1, -1, -1):
        if surplus[look.words[k]] > 0:
            surplus[look.words[k]] -= 1
        else:
            kept.append(k)
    kept.reverse()
    return replace(look, words=[look.words[k] for k in kept], boxes=look.boxes[kept])
