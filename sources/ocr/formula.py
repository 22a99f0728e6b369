"""Formulas: TeX drawn by matplotlib's mathtext, as insets that say their TeX."""

from functools import lru_cache

import numpy as np
from PIL import Image

from sources.ocr.blocks import Inset

FONT_SETS = ("cm", "stix", "dejavuserif", "dejavusans")
MARGIN_PX = 1
FAINT = 24  # of 255: coverage below this is no ink


DRAWN_PX = 72  # font size at which a formula is drawn, once: parsing its TeX takes ten times as long as a page's words


@lru_cache(maxsize=1024)
def _ink(tex: str, font_set: str) -> tuple[np.ndarray, float]:
    """(H, W) uint8 coverage of a formula at `DRAWN_PX`, and how far it hangs below the baseline."""
    # Reading text needs no matplotlib, which takes a third of a second to import.
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    properties = FontProperties(size=DRAWN_PX, math_fontfamily=font_set)
    parsed = MathTextParser("agg").parse(f"${tex}$", dpi=72, prop=properties)
    return np.asarray(parsed.image, np.uint8), float(parsed.depth)


def _at_size(tex: str, font_set: str, size_px: float) -> tuple[np.ndarray, int]:
    """(H, W) uint8 coverage of a formula at a font size, and how far it hangs below the baseline in pixels."""
    drawn, depth = _ink(tex, font_set)
    scale = size_px / DRAWN_PX
    size = (max(1, round(drawn.shape[1] * scale)), max(1, round(drawn.shape[0] * scale)))
    ink = np.asarray(
        Image.fromarray(drawn).resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.LANCZOS)
    )
    return np.pad(ink, MARGIN_PX), round(depth * scale) + MARGIN_PX


def formula(tex: str, size_px: float, colour: tuple[int, int, int], font_set: str, *, display: bool) -> Inset:
    """A formula in the text, or with `display` in a line of its own.

    Its one word is its TeX, between the dollar signs that Markdown wants.
    """
    ink, depth = _at_size(tex, font_set, size_px)
    pixels = np.empty((*ink.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = ink
    inked = ink > FAINT
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    said = f"$${tex}$$" if display else f"${tex}$"
    return Inset(
        pixels=pixels,
        drop=0 if display else min(depth, ink.shape[0] - 1),
        text=said,
        markdown=said,
        words=(said,),
        boxes=np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], float),
    )
