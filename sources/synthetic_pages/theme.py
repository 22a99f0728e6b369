"""The theme of a page: colours with readable contrast, fonts, sizes, corners, shadows."""

import colorsys
import random as random_module
from dataclasses import dataclass
from functools import lru_cache

from sources.charts.fonts import Face, faces_for, font_file
from sources.text.fonts import FontError

MIN_CONTRAST = 4.5  # WCAG 2.2, level AA, text of normal size


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """Values for the style sheets of all components. Lengths in CSS pixels, colours as #rrggbb.

    Args:
        background, surface: background of the page, and of cards on it.
        text, muted: text colours on both of these.
        accent, on_accent: background of buttons and colour of links, and text on it.
        soft, on_soft: a pale tint of the accent, and text on it.
        band, on_band: background of headers and footers, and text on it.
        fonts, heading_fonts: CSS font lists of text and headings.
        unit: step of spacing.
    """

    is_dark: bool
    background: str
    surface: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    soft: str
    on_soft: str
    band: str
    on_band: str
    tints: tuple[str, ...]
    fonts: str
    heading_fonts: str
    faces: tuple[Face, ...]
    size: int
    heading: float
    line_height: float
    weight: int
    unit: int
    radius: int
    shadow: str
    outline: str
    width: int


def sample_theme(random: random_module.Random, language: str) -> Theme:
    """Sample a theme for pages in a language. Raises FontError if no font for it is installed."""
    faces = browser_faces(language)
    face = random.choice(faces)
    heading_face = random.choice(faces) if random.random() < 0.3 else face
    is_dark = random.random() < 0.25
    hue = random.random()
    grey_hue, grey = hue, random.choice((0.0, 0.08, 0.2))
    if is_dark:
        background, surface = (
            _hls(grey_hue, random.uniform(0.06, 0.10), grey),
            _hls(grey_hue, random.uniform(0.13, 0.17), grey),
        )
        border, text, muted = _hls(grey_hue, 0.27, grey), _hls(grey_hue, 0.94, grey), _hls(grey_hue, 0.72, grey)
    else:
        background = random.choice(
            ("#ffffff", _hls(grey_hue, 0.97, max(grey, 0.1)), _hls(random.random(), 0.965, 0.35))
        )
        surface = (
            "#ffffff" if background != "#ffffff" else random.choice(("#ffffff", _hls(grey_hue, 0.975, max(grey, 0.1))))
        )
        border, text, muted = (
            _hls(grey_hue, 0.86, grey),
            _hls(grey_hue, random.uniform(0.08, 0.16), grey),
            _hls(grey_hue, 0.36, grey),
        )
    on_both = (background, surface)
    accent = _readable_colour(hue, random.uniform(0.4, 0.9), 0.62 if is_dark else 0.42, on_both)
    soft = _hls(hue, 0.20 if is_dark else 0.92, 0.45)
    band = random.choice((surface, background, soft, accent, _hls(hue, 0.14, 0.3)))
    spread = random.uniform(0.08, 0.3)
    border_px = random.choice((1, 1, 1, 2))
    outline = random.choice((f"{border_px}px solid {border}", f"{border_px}px solid {border}", "none"))
    shadow = random.choice(("none", "0 1px 3px #0000001f", "0 4px 14px #0000001a"))
    if outline == "none" and shadow == "none" and background == surface:
        outline = f"1px solid {border}"
    return Theme(
        is_dark=is_dark,
        background=background,
        surface=surface,
        border=border,
        text=text,
        muted=_make_readable(muted, on_both),
        accent=accent,
        on_accent=_text_colour(accent),
        soft=soft,
        on_soft=_readable_colour(hue, 0.6, 0.75 if is_dark else 0.3, (soft,)),
        band=band,
        on_band=_text_colour(band) if band not in on_both else text,
        tints=tuple(_hls(hue + spread * k, 0.35 if is_dark else 0.75, 0.45) for k in range(6)),
        fonts=_font_stack(face),
        heading_fonts=_font_stack(heading_face),
        faces=tuple(dict.fromkeys((face, heading_face))),
        size=random.choice((14, 15, 15, 16)),
        heading=random.choice((1.25, 1.4, 1.5)),
        line_height=random.choice((1.4, 1.5, 1.6)),
        weight=random.choice((600, 700)),
        unit=random.choice((7, 8, 8, 9)),
        radius=random.choice((0, 3, 6, 10, 16)),
        shadow=shadow,
        outline=outline,
        width=random.choice((860, 920, 960, 1000)),
    )


@lru_cache(maxsize=2)
def browser_faces(language: str) -> tuple[Face, ...]:
    """Return the fonts that a browser finds too, as they are in the system. Raises FontError if there is none."""
    faces = tuple(face for face in faces_for(language) if "mpl-data" not in font_file(face).parts)
    if not faces:
        raise FontError(
            f"no font for pages in {language!r} is installed on the system (Debian: fonts-liberation, fonts-noto-cjk)"
        )
    return faces


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21, by the definition of WCAG."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hls(hue: float, lightness: float, saturation: float) -> str:
    channels = colorsys.hls_to_rgb(hue % 1, min(1, max(0, lightness)), saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def _readable_colour(hue: float, saturation: float, lightness: float, on: tuple[str, ...]) -> str:
    """Return a colour of this hue, dark or light enough to be readable on all of `on`."""
    step = -0.02 if sum(map(_luminance, on)) / len(on) > 0.4 else 0.02
    while 0 < lightness < 1:
        colour = _hls(hue, lightness, saturation)
        if all(contrast(colour, other) >= MIN_CONTRAST for other in on):
            return colour
        lightness += step
    return _text_colour(on[0])


def _make_readable(colour: str, on: tuple[str, ...]) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)))
    return _readable_colour(hue, saturation, lightness, on)


def _text_colour(colour: str) -> str:
    return "#ffffff" if contrast(colour, "#ffffff") >= MIN_CONTRAST else "#111111"


def _font_stack(face: Face) -> str:
    generic = "serif" if "Serif" in face.family else "sans-serif"
    return f"{face.family}, {generic}"
