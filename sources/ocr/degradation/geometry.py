"""Shapes and positions of a sheet in front of the camera or scanner: warps and the shading that they cause."""

import random
from dataclasses import dataclass

import cv2
import numpy as np

from sources.ocr.arrays import Floats
from sources.ocr.warps import Curl, Folds, Homography, Warp

NUM_COLUMNS = 257  # of the profile of a curled page


@dataclass(frozen=True, slots=True)
class Bend:
    """A warp and the shading that it causes.

    Args:
        warp: map from the flat page to the picture.
        light: (H, 1) or (1, W) float32 brightness factors of the flat page, at most 1; None if even.
    """

    warp: Warp
    light: Floats | None = None


def rotation(width: int, height: int, amount: float, random: random.Random) -> Bend:
    """Rotate the sheet by up to 7 degrees."""
    return Bend(_affine(width, height, degrees=7 * amount * random.choice((-1, 1))))


def scan_skew(width: int, height: int, amount: float, random: random.Random) -> Bend:
    """Skew the sheet as in a document scanner: rotate it by up to 2 degrees and shear it slightly."""
    sign = random.choice((-1, 1))
    return Bend(_affine(width, height, degrees=2 * amount * sign, shear=0.012 * amount * random.uniform(-1, 1)))


def _affine(width: int, height: int, *, degrees: float, shear: float = 0.0) -> Homography:
    """Return a rotation and shear about the centre."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    turn = np.array([[cosine, shear * cosine - sine, 0], [sine, shear * sine + cosine, 0], [0, 0, 1]])
    return Homography(np.linalg.inv(to_middle) @ turn @ to_middle)


def perspective(width: int, height: int, amount: float, random: random.Random) -> Bend:
    """View the sheet at an angle: each corner moves inwards by up to an eighth of the sides."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    reach = np.array([[random.random(), random.random()] for _ in range(4)], np.float32)
    moved = corners + inwards * reach * amount * np.array([width, height], np.float32) / 8
    return Bend(Homography(cv2.getPerspectiveTransform(corners, moved.astype(np.float32)).astype(np.float64)))


def page_curl(width: int, height: int, amount: float, random: random.Random) -> Bend:
    """Bend the sheet like a page of an open book: it falls towards the spine and may rise in the middle."""
    x = np.linspace(0, 1, NUM_COLUMNS)
    if random.random() < 0.5:
        x = x[::-1]
    fall, swell = random.uniform(0.4, 1), random.uniform(-0.3, 0.5)
    steepness = random.uniform(5, 10)
    depth = fall * np.exp(-steepness * x) + swell * 0.3 * np.sin(np.pi * x)
    depth = 0.12 * amount * (depth - depth.min())
    slope = np.gradient(depth, width / (NUM_COLUMNS - 1)) * max(width, height)
    shade = 1 - 0.55 * amount * fall * np.exp(-1.6 * steepness * x) - 0.1 * amount * np.abs(slope) / (1 + np.abs(slope))
    light = cv2.resize(shade.astype(np.float32)[None], (width, 1), interpolation=cv2.INTER_LINEAR)
    return Bend(Curl(depth, slope, width, height * random.uniform(0.3, 0.7)), light)


def fold_lines(width: int, height: int, amount: float, random: random.Random) -> Bend:
    """Fold the sheet like a letter: panels lean and creases are darker."""
    num_panels = random.choice((2, 3, 3, 4))
    rows = np.linspace(0, height, num_panels + 1)
    rows[1:-1] += np.array([random.uniform(-0.02, 0.02) for _ in rows[1:-1]]) * height
    lengths = 1 - 0.06 * amount * np.array([random.random() for _ in range(num_panels)])
    shifts = 0.012 * amount * width * np.array([random.uniform(-1, 1) for _ in rows])
    light = np.ones(height, np.float32)
    y = np.arange(height) + 0.5
    for k in range(num_panels):
        panel = slice(int(rows[k]), int(rows[k + 1]))
        light[panel] -= 0.16 * amount * random.random()
    for fold in rows[1:-1]:
        light -= 0.3 * amount * random.uniform(0.3, 1) * np.exp(-(((y - fold) / 2.5) ** 2))
    return Bend(Folds(rows, lengths, shifts), light.astype(np.float32)[:, None].clip(0, 1))
