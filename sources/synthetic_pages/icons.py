"""Icons: outlines on a grid of 24 units, drawn with a stroke in the colour of the text around them."""

from markupsafe import Markup

STAR = "l3 6 6 1-4.5 4.5 1 6.5-5.5-3-5.5 3 1-6.5-4.5-4.5 6-1z"
ICONS = {
    "home": "M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6",
    "search": "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15 15l6 6",
    "heart": "M12 20C4 14 3 10 4 7c2-4 7-3 8 1 1-4 6-5 8-1 1 3 0 7-8 13",
    "star": f"M12 3{STAR}",
    "mail": "M3 6h18v12H3zM3 7l9 7 9-7",
    "bell": "M6 16V10a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
    "cart": "M2 4h3l3 11h10l3-8H6M9 20h.1M17 20h.1",
    "user": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c1-5 4-6 8-6s7 1 8 6",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l4 2",
    "check": "M4 12l6 6L20 6",
    "lock": "M5 11h14v10H5zM8 11V7a4 4 0 0 1 8 0v4",
    "chart": "M4 3v18h17M8 17v-5M12 17V7M16 17v-8",
    "calendar": "M4 5h16v16H4zM4 10h16M8 2v5M16 2v5",
    "folder": "M3 6h7l2 3h9v11H3z",
    "file": "M6 3h8l4 4v14H6zM14 3v5h4",
    "picture": "M3 5h18v14H3zM3 16l5-5 5 5 3-3 5 5M16 9h.1",
    "gear": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M5 19l3-3M16 8l3-3",
    "truck": "M2 6h12v10H2zM14 10h5l3 3v3h-8M6 19h.1M18 19h.1",
    "phone": "M7 2h10v20H7zM11 19h2",
    "pin": "M12 22c-4-6-7-9-7-12a7 7 0 0 1 14 0c0 3-3 6-7 12M12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
    "pencil": "M4 20l1-5L16 4l4 4L9 19zM13 7l4 4",
    "bolt": "M13 2L5 13h6l-1 9 9-12h-6z",
    "cloud": "M7 18a4 4 0 0 1 0-8 6 6 0 0 1 11 1 4 4 0 0 1 0 7z",
    "book": "M12 6c-3-2-6-2-9-1v14c3-1 6-1 9 1 3-2 6-2 9-1V5c-3-1-6-1-9 1v14",
}  # fmt: skip


def icon(name: str, size: int) -> Markup:
    """Return the icon as an SVG element of `size` pixels."""
    return Markup(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2"><path d="{1}"/></svg>'
    ).format(size, ICONS[name])


def stars(number: int, size: int) -> Markup:
    """Return `number` stars in a row, each of `size` pixels, as one SVG element."""
    shape = "".join(f"M{24 * k + 12} 3{STAR}" for k in range(number))
    return Markup(
        '<svg class="icon" width="{}" height="{}" viewBox="0 0 {} 24" fill="currentColor"><path d="{}"/></svg>'
    ).format(number * size, size, 24 * number, shape)
