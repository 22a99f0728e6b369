"""Takes screenshots of a window over the DevTools protocol."""

import base64
from typing import Any

from playwright.async_api import CDPSession

from sources.browser.viewports import View


async def take_screenshot(
    session: CDPSession, view: View, rows: tuple[int, int] | None = None, *, lossless: bool = True
) -> bytes:
    """Return an encoded screenshot, PNG or JPEG at quality 90.

    Args:
        rows: first and last row in pixels, which may be below the window; None for the whole window.

    Raises:
        playwright's Error.
    """
    settings: dict[str, Any] = {"optimizeForSpeed": True, "format": "png"}
    if not lossless:
        settings |= {"format": "jpeg", "quality": 90}
    if rows is not None or view.scale != 1:
        # Playwright's session has set the device scale; in other sessions a pixel is a CSS pixel unless a clip is
        # given. A clip makes the browser render the page again, so a whole window at scale 1 is taken without one.
        top, bottom = (row / view.scale for row in rows or (0, view.height * view.scale))
        settings["clip"] = {"x": 0, "y": top, "width": view.width, "height": bottom - top, "scale": view.scale}
        # The window keeps its size, on which parts of the page may depend (`100vh`).
        settings["captureBeyondViewport"] = bottom > view.height
    answer = await session.send("Page.captureScreenshot", settings)
    return base64.b64decode(answer["data"])
