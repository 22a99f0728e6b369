"""Code back to a picture, in a fresh context that reaches no network and runs no script."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from playwright import async_api

from sources.web.browser import Browser
from sources.web.code.similarity import Look
from sources.web.code.snapshot import CodeRefused, Snapshot, SnapshotLimits, take_snapshot
from sources.web.views import View

TIMEOUT_S = 20


async def render_back(
    browser: Browser, html: str, view: View, defaults: Mapping[str, Any], limits: SnapshotLimits
) -> Look:
    """What `html` looks like in a window like that of the screenshot. Raises CodeRefused, BrowserDied."""
    async with browser.page(view, offline=True, javascript=False) as page:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await page.route("**/*", lambda route: route.abort())
                await page.set_content(html, wait_until="commit")
                data = await page.screenshot(animations="disabled")
        except TimeoutError as error:
            raise CodeRefused("timeout", "the code does not render in time") from error
        except async_api.Error as error:
            raise CodeRefused("page_lost", str(error).partition("\n")[0]) from error
        snapshot = await take_snapshot(page, defaults, limits)
    return look_of(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), snapshot, view.scale)


def look_of(pixels: np.ndarray, snapshot: Snapshot, scale: float) -> Look:
    """A picture with the words and pictures in it, in image pixels."""

    def scaled(boxes: Any) -> np.ndarray:
        return np.array(list(boxes), np.float32).reshape(-1, 4) * scale

    return Look(pixels, tuple(snapshot.words), scaled(snapshot.boxes), scaled(snapshot.pictures))
