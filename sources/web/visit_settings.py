"""The settings of a visit: its time limits, what is waited for, and what of the page is kept."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

MAX_TILES = 16
KEPT_HTML_MB = 1.0  # the limit that Common Crawl had for most of its crawls


@dataclass(frozen=True, kw_only=True)
class VisitSettings:
    """How a page is visited, and what of it a capture holds. All captures of a folder have the same.

    Args:
        max_tiles: maximum number of tiles, each as high as the window; more than 1 captures the page below the window.
        load_s, settle_s, page_s: maximum seconds for loading the document, for settling, and for a page in total.
        quiet_ms: milliseconds without a change after which a page counts as settled.
        wait_ms: milliseconds to wait after loading, whatever the page does; a part of settle_s.
        wait_for: CSS selector of an element that is waited for, at most settle_s.
        lossless_captures: True stores captures as PNG, False as JPEG at quality 90 (a third of the space).
        keep_html: also keep the document that the host sent, in the column `html` beside each sample.
        max_html_mb: maximum megabytes of such a document in UTF-8; a longer one is not kept (flag `long_html`).
    """

    max_tiles: int = 1
    load_s: float = 20
    settle_s: float = 6
    quiet_ms: int = 150
    wait_ms: int = 0
    wait_for: str = ""
    page_s: float = 60
    lossless_captures: bool = True
    keep_html: bool = False
    max_html_mb: float = KEPT_HTML_MB

    @property
    def max_html_bytes(self) -> int | None:
        """Maximum bytes of a document that is kept; None keeps none."""
        return round(self.max_html_mb * 1e6) if self.keep_html else None

    def visit_settings(self) -> "VisitSettings":
        """Return these settings alone, where they are a part of others."""
        return VisitSettings(**self.by_name())

    def by_name(self) -> dict[str, Any]:
        """Return the settings of visits by their names."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(VisitSettings)}

    def check_visit(self) -> None:
        """Raise ValueError if a setting of visits is out of its range."""
        for name in ("load_s", "settle_s", "page_s", "max_html_mb"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)}")
        if self.quiet_ms < 1 or not 0 <= self.wait_ms <= 1000 * self.settle_s:
            raise ValueError("quiet_ms must be at least 1, and wait_ms between 0 and settle_s")
        if not 1 <= self.max_tiles <= MAX_TILES:
            raise ValueError(f"max_tiles must be between 1 and {MAX_TILES}, got {self.max_tiles}")
