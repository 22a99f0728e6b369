"""Ways a sheet becomes a picture, and what may happen on each: name, and the share of pictures it happens to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np

from sources.ocr.degradation import geometry, light, optics, paper

Geometric = Callable[[int, int, float, Random], geometry.Bend]
OnPaper = Callable[[np.ndarray, float, Random], np.ndarray]
Lighting = Callable[[float, Random], np.ndarray]
Optical = Callable[[np.ndarray, float, float, Random], np.ndarray]

GEOMETRIC: Mapping[str, Geometric] = {
    "page_curl": geometry.page_curl,
    "fold_lines": geometry.fold_lines,
    "scan_skew": geometry.scan_skew,
    "rotation": geometry.rotation,
    "perspective": geometry.perspective,
}
ON_PAPER: Mapping[str, OnPaper] = {
    "fading": paper.fading,
    "bleed_through": paper.bleed_through,
    "stains": paper.stains,
}
LIGHTING: Mapping[str, Lighting] = {"uneven_light": light.uneven_light, "shadow": light.shadow}
OPTICAL: Mapping[str, Optical] = {
    "photocopy": optics.photocopy,
    "blur": optics.blur,
    "low_resolution": optics.low_resolution,
    "noise": optics.noise,
    "jpeg": optics.jpeg,
}
WEARING = frozenset(("fading", "shadow", *OPTICAL))  # take contrast and detail away
COLOURED = frozenset(("stains", *LIGHTING))  # the others leave a grey page grey
EFFECTS = (*ON_PAPER, *GEOMETRIC, *LIGHTING, *OPTICAL)  # in the order they happen


@dataclass(frozen=True, slots=True)
class Capture:
    """One way.

    Args:
        weight: how often this way is drawn, of those that are allowed.
        on_surface: the sheet lies on something that shows around it; else that is white or black.
        effects: by name, the share of pictures.
    """

    weight: float
    on_surface: bool
    effects: Mapping[str, float]


PAGES = ("scan", "photograph", "photocopy")  # of sheets of paper
SCENES = ("camera",)  # of what has depth already: it is not warped again
CAPTURES: Mapping[str, Capture] = {
    "scan": Capture(
        0.4,
        False,
        {
            "fading": 0.3,
            "bleed_through": 0.35,
            "stains": 0.2,
            "fold_lines": 0.15,
            "scan_skew": 0.8,
            "blur": 0.4,
            "low_resolution": 0.35,
            "noise": 0.4,
            "jpeg": 0.35,
        },
    ),
    "photograph": Capture(
        0.42,
        True,
        {
            "fading": 0.2,
            "bleed_through": 0.1,
            "stains": 0.2,
            "page_curl": 0.35,
            "fold_lines": 0.25,
            "rotation": 0.5,
            "perspective": 0.8,
            "uneven_light": 0.7,
            "shadow": 0.5,
            "blur": 0.5,
            "low_resolution": 0.15,
            "noise": 0.6,
            "jpeg": 0.4,
        },
    ),
    "photocopy": Capture(
        0.18,
        False,
        {
            "fading": 0.4,
            "page_curl": 0.15,
            "scan_skew": 0.8,
            "photocopy": 1.0,
            "blur": 0.5,
            "low_resolution": 0.5,
        },
    ),
    "camera": Capture(
        1.0,
        False,
        {"uneven_light": 0.5, "shadow": 0.4, "blur": 0.5, "low_resolution": 0.35, "noise": 0.6, "jpeg": 0.5},
    ),
}
