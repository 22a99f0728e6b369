"""Warps: exact, invertible maps of the plane, composed so that pixels are resampled once.

Points are (x, y) in pixels with the origin at the top left corner of the top left pixel, whose centre is (0.5, 0.5).
"""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from sources.ocr.arrays import Floats, Pixels

NODE_PX = 8  # distance of the nodes at which a warp is computed; it is linear between them
BAND_NODES = 8  # rows of nodes that are processed together
NUM_EDGE_POINTS = 9  # points per side of a word's box at which the bend of a warp is measured


class Warp(Protocol):
    """A map of the plane and its inverse; both take and return (N, 2) float64 points."""

    @property
    def keeps_lines(self) -> bool:
        """True if straight lines stay straight."""

    def forward(self, points: Floats) -> Floats:
        """Map points of the flat picture to the warped one."""

    def backward(self, points: Floats) -> Floats:
        """Map points of the warped picture to the flat one."""


class Homography:
    """Rotation, shear, scale and perspective: a 3 × 3 matrix on homogeneous coordinates."""

    keeps_lines = True

    def __init__(self, matrix: Floats):
        self._matrix = matrix
        self._inverse = np.linalg.inv(matrix)

    def forward(self, points: Floats) -> Floats:
        return _project(self._matrix, points)

    def backward(self, points: Floats) -> Floats:
        return _project(self._inverse, points)


def _project(matrix: Floats, points: Floats) -> Floats:
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped[:, :2] / mapped[:, 2:]


class Curl:
    """A page bent about a vertical axis, like a page of an open book seen from above.

    Columns stay vertical. Columns further from the eye are shorter, and columns on a slope are closer together.

    Args:
        depth: (K,) distance from the eye of K evenly spaced columns, relative to the mean distance; small.
        slope: (K,) slope of the page at these columns; 0 is flat.
        width: width of the picture in pixels.
        eye_y: y in pixels at which rows stay straight.
    """

    keeps_lines = False

    def __init__(self, depth: Floats, slope: Floats, width: float, eye_y: float):
        self._columns = np.linspace(0, width, len(depth))
        self._scale = 1 / (1 + depth)
        spacing = 1 / np.sqrt(1 + slope**2)
        steps = (spacing[1:] + spacing[:-1]) / 2 * np.diff(self._columns)
        self._moved = np.concatenate([[0], np.cumsum(steps)])
        self._moved *= width / self._moved[-1]
        self._eye_y = eye_y

    def forward(self, points: Floats) -> Floats:
        x, y = points.T
        scale = np.interp(x, self._columns, self._scale)
        return np.stack([_interpolate(x, self._columns, self._moved), self._eye_y + (y - self._eye_y) * scale], 1)

    def backward(self, points: Floats) -> Floats:
        x, y = points.T
        flat_x = _interpolate(x, self._moved, self._columns)
        scale = np.interp(flat_x, self._columns, self._scale)
        return np.stack([flat_x, self._eye_y + (y - self._eye_y) / scale], 1)


class Folds:
    """A sheet that was folded along rows: its panels lean, so they appear shorter and shifted sideways.

    Args:
        rows: (K + 1,) increasing y in pixels of the top, K - 1 folds and the bottom.
        lengths: (K,) visible fraction of the length of each panel.
        shifts: (K + 1,) horizontal shifts in pixels at the top, the folds and the bottom.
    """

    keeps_lines = False

    def __init__(self, rows: Floats, lengths: Floats, shifts: Floats):
        self._rows = rows
        moved = np.concatenate([[0], np.cumsum(np.diff(rows) * lengths)])
        self._moved = moved + (rows[-1] - moved[-1]) / 2
        self._shifts = shifts

    def forward(self, points: Floats) -> Floats:
        x, y = points.T
        return np.stack([x + np.interp(y, self._rows, self._shifts), _interpolate(y, self._rows, self._moved)], 1)

    def backward(self, points: Floats) -> Floats:
        x, y = points.T
        flat_y = _interpolate(y, self._moved, self._rows)
        return np.stack([x - np.interp(flat_y, self._rows, self._shifts), flat_y], 1)


class Arc:
    """A straight strip bent along a circle, like the text of a round sign.

    Args:
        middle: x at which it stays upright, and y of the line that keeps its length, in pixels.
        radius: radius in pixels; positive bends the ends down, negative up.
    """

    keeps_lines = False

    def __init__(self, middle: tuple[float, float], radius: float):
        self._middle, self._radius = middle, radius

    def forward(self, points: Floats) -> Floats:
        x, y = (points - self._middle).T
        angle, distance = x / self._radius, self._radius - y
        return np.stack([distance * np.sin(angle), self._radius - distance * np.cos(angle)], 1) + self._middle

    def backward(self, points: Floats) -> Floats:
        x, y = (points - self._middle).T
        sign = np.sign(self._radius)
        distance = sign * np.hypot(x, self._radius - y)
        angle = np.arctan2(sign * x, sign * (self._radius - y))
        return np.stack([angle * self._radius, self._radius - distance], 1) + self._middle


def _interpolate(x: Floats, from_: Floats, to: Floats) -> Floats:
    """Interpolate linearly between increasing knots; outside of them the slope is 1, so the map is invertible."""
    mapped: Floats = np.interp(x, from_, to) + np.minimum(x - from_[0], 0) + np.maximum(x - from_[-1], 0)
    return mapped


class Chain:
    """Warps in sequence."""

    def __init__(self, warps: Sequence[Warp]):
        self._warps = tuple(warps)
        self.keeps_lines = all(warp.keeps_lines for warp in warps)

    def forward(self, points: Floats) -> Floats:
        for warp in self._warps:
            points = warp.forward(points)
        return points

    def backward(self, points: Floats) -> Floats:
        for warp in reversed(self._warps):
            points = warp.backward(points)
        return points


def pixel_maps(warp: Warp, width: int, height: int, origin: tuple[int, int] = (0, 0)) -> tuple[Pixels, Pixels]:
    """Return maps for `cv2.remap`: the source in the flat picture of every pixel of the warped one, or of a part of it.

    Args:
        width, height: size of the part.
        origin: x and y of its top left corner.
    """
    columns, rows = -(-width // NODE_PX) + 2, -(-height // NODE_PX) + 2  # one more node on every side
    x = (np.arange(columns) - 0.5) * NODE_PX + origin[0]
    y = (np.arange(rows) - 0.5) * NODE_PX + origin[1]
    nodes = warp.backward(np.stack(np.meshgrid(x, y), 2).reshape(-1, 2)) - 0.5
    coarse = nodes.reshape(rows, columns, 2).astype(np.float32)
    whole, parts = np.empty((height, width, 2), np.int16), np.empty((height, width), np.uint16)
    for top in range(
        0, height, BAND_NODES * NODE_PX
    ):  # float maps of the whole picture would not fit into the cache of a core
        band = coarse[top // NODE_PX : top // NODE_PX + BAND_NODES + 2]
        fine = cv2.resize(band, (columns * NODE_PX, len(band) * NODE_PX), interpolation=cv2.INTER_LINEAR)
        here = slice(top, min(top + BAND_NODES * NODE_PX, height))
        fine = fine[NODE_PX : NODE_PX + here.stop - top, NODE_PX : NODE_PX + width]
        cv2.convertMaps(fine, np.zeros(0, np.float32), cv2.CV_16SC2, whole[here], parts[here])
    return whole, parts


def warp_quads(quads: Floats, warp: Warp) -> Floats:
    """Return (N, 4, 2) float32 straight quads that cover the warped quads, whose sides may be bent.

    Each side is moved outwards by the bulge of the warped side, so a quad is as tight as possible without rotation.
    """
    if not len(quads):
        return np.zeros((0, 4, 2), np.float32)
    if warp.keeps_lines:
        return warp.forward(quads.reshape(-1, 2).astype(np.float64)).reshape(-1, 4, 2).astype(np.float32)
    t = np.linspace(0, 1, NUM_EDGE_POINTS)[:, None]
    starts, ends = quads[:, :, None].astype(np.float64), np.roll(quads, -1, axis=1)[:, :, None].astype(np.float64)
    sides: Floats = starts + (ends - starts) * t  # (N, 4, K, 2)
    sides = warp.forward(sides.reshape(-1, 2)).reshape(sides.shape)
    corners = sides[:, :, 0]
    along = np.roll(corners, -1, axis=1) - corners
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    outwards = np.stack([along[..., 1], -along[..., 0]], 2)  # normals of the sides
    bulge = np.einsum("nskc,nsc->nsk", sides - corners[:, :, None], outwards).max(axis=2)
    offset = np.einsum("nsc,nsc->ns", corners, outwards) + bulge  # offset of the line along each side
    before, before_offset = np.roll(outwards, 1, axis=1), np.roll(offset, 1, axis=1)
    determinant = before[..., 0] * outwards[..., 1] - before[..., 1] * outwards[..., 0]
    is_thin = np.abs(determinant) < 1e-6
    determinant = np.where(is_thin, 1, determinant)
    crossing = np.stack(
        [
            (before_offset * outwards[..., 1] - offset * before[..., 1]) / determinant,
            (before[..., 0] * offset - outwards[..., 0] * before_offset) / determinant,
        ],
        2,
    )
    return np.where(is_thin[..., None], corners, crossing).astype(np.float32)
