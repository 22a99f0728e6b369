"""Timeouts: the time limits of a visit, and how much of a page is photographed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Time limits of a visit, and how much of the page its picture covers.

    Args:
        load_s: seconds until the document must have loaded.
        settle_s: seconds for resources and changes after that.
        quiet_ms: milliseconds without a change after which a page with scripts counts as settled.
        wait_ms: milliseconds after loading before the page is looked at.
        wait_for: CSS selector of an element that must be there before the page is looked at.
        page_s: seconds for the whole visit, after which the browser must close the page.
        max_tiles: maximum number of tiles, each as high as the window; 1 is the window only.
        lossless: PNG, else JPEG at quality 90.
    """

    load_s: float = 20
    settle_s: float = 6
    quiet_ms: int = 150
    wait_ms: int = 0
    wait_for: str = ""
    page_s: float = 60
    max_tiles: int = 1
    lossless: bool = True
