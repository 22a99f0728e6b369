"""Ways to capture a sheet as a picture, each with its effects and their probabilities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from sources.ocr.arrays import Pixels
from sources.ocr.degradation import geometry, light, optics, paper

Geometric = Callable[[int, int, float, Random], geometry.Bend]
OnPaper = Callable[[Pixels, float, Random], Pixels]
Lighting = Callable[[float, Random], Pixels]
Optical = Callable[[Pixels, float, float, Random], Pixels]

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
LOSSY_EFFECTS = frozenset(("fading", "shadow", *OPTICAL))  # reduce contrast and detail
COLOUR_EFFECTS = frozenset(("stains", *LIGHTING))  # the other effects leave a grey page grey
EFFECTS = (*ON_PAPER, *GEOMETRIC, *LIGHTING, *OPTICAL)  # in the order of application


@dataclass(frozen=True, slots=True)
class Capture:
    """One way to capture a sheet.

    Args:
        weight: sampling weight among the captures that are allowed.
        on_surface: the sheet lies on a textured surface that is visible around it; otherwise it is surrounded by
            white or black.
        effects: probability of each effect.
    """

    weight: float
    on_surface: bool
    effects: Mapping[str, float]


PAGES = ("scan", "photograph", "photocopy")  # for sheets of paper
SCENES = ("camera",)  # for scenes, which already have perspective and are not warped again
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
