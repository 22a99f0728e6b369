"""Views: the browser windows in which pages are shown."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A browser window.

    Args:
        width, height: size of the viewport in CSS pixels.
        scale: image pixels per CSS pixel.
        has_touch: True for a touch screen. Content that is too wide is cut off, not scaled down as on phones: their
            zoom is lost in screenshots over the debugging protocol, and boxes would not fit.
        is_dark: True if the page is told that the user prefers dark colours.
    """

    width: int
    height: int
    scale: int = 1
    has_touch: bool = False
    is_dark: bool = False


VIEWS = {
    "square": View(width=1024, height=1024),
    "desktop": View(width=1440, height=900),
    "tablet": View(width=820, height=1180, has_touch=True),
    "phone": View(width=412, height=915, scale=2, has_touch=True),
    "dark": View(width=1024, height=1024, is_dark=True),
}
