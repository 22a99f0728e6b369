"""Formulas: TeX drawn by matplotlib's mathtext, as insets that say their TeX."""

from functools import lru_cache

import numpy as np

from sources.ocr.blocks import Inset

FONT_SETS = ("cm", "stix", "dejavuserif", "dejavusans")
MARGIN_PX = 1


@lru_cache(maxsize=512)
def _ink(tex: str, size_px: int, font_set: str) -> tuple[np.ndarray, int]:
    """(H, W) uint8 coverage of a formula, and how far it hangs below the baseline."""
    # Reading text needs no matplotlib, which takes a third of a second to import.
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    properties = FontProperties(size=size_px, math_fontfamily=font_set)
    parsed = MathTextParser("agg").parse(f"${tex}$", dpi=72, prop=properties)
    ink = np.pad(np.asarray(parsed.image, np.uint8), MARGIN_PX)
    return ink, round(parsed.depth) + MARGIN_PX


def formula(tex: str, size_px: int, colour: tuple[int, int, int], font_set: str, *, display: bool) -> Inset:
    """A formula in the text, or with `display` in a line of its own.

    Its one word is its TeX, between the dollar signs that Markdown wants.
    """
    ink, depth = _ink(tex, size_px, font_set)
    pixels = np.empty((*ink.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = ink
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    said = f"$${tex}$$" if display else f"${tex}$"
    return Inset(
        pixels=pixels,
        drop=0 if display else min(depth, ink.shape[0] - 1),
        text=said,
        markdown=said,
        words=(said,),
        boxes=np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], float),
    )
