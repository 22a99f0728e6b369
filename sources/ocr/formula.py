"""Formulas rendered by matplotlib's mathtext, as insets whose text is their TeX."""

from functools import lru_cache

import numpy as np
from PIL import Image

from sources.ocr.arrays import Pixels
from sources.ocr.blocks import Inset

FONT_SETS = ("cm", "stix", "dejavuserif", "dejavusans")
MARGIN_PX = 1
FAINT = 24  # of 255: less coverage does not count as ink


RENDER_PX = 72  # rendered once at this font size, then scaled: to parse the TeX takes longer than a page of text


@lru_cache(maxsize=1024)
def _render_ink(tex: str, font_set: str) -> tuple[Pixels, float]:
    """Return the (H, W) uint8 coverage of a formula at `RENDER_PX` and its depth below the baseline in pixels."""
    # matplotlib takes a third of a second to import and only formulas need it.
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a chart drawn before, or a user's matplotlibrc, would change the pixels
        properties = FontProperties(size=RENDER_PX, math_fontfamily=font_set)
        parsed = MathTextParser("agg").parse(f"${tex}$", dpi=72, prop=properties)
    return np.asarray(parsed.image, np.uint8), float(parsed.depth)


def _scale_ink(tex: str, font_set: str, size_px: float) -> tuple[Pixels, int]:
    """Return the (H, W) uint8 coverage of a formula at a font size and its depth below the baseline in pixels."""
    rendered, depth = _render_ink(tex, font_set)
    scale = size_px / RENDER_PX
    size = (max(1, round(rendered.shape[1] * scale)), max(1, round(rendered.shape[0] * scale)))
    ink = np.asarray(
        Image.fromarray(rendered).resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.LANCZOS)
    )
    return np.pad(ink, MARGIN_PX), round(depth * scale) + MARGIN_PX


def draw_formula(tex: str, size_px: float, colour: tuple[int, int, int], font_set: str, *, display: bool) -> Inset:
    """Draw a formula for a line of text, or with `display` for a line by itself.

    It is one word: its TeX between the dollar signs of Markdown.
    """
    ink, depth = _scale_ink(tex, font_set, size_px)
    pixels = np.empty((*ink.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = ink
    inked = ink > FAINT
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    markup = f"$${tex}$$" if display else f"${tex}$"
    return Inset(
        pixels=pixels,
        drop=0 if display else min(depth, ink.shape[0] - 1),
        text=markup,
        markdown=markup,
        words=(markup,),
        boxes=np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], float),
    )
