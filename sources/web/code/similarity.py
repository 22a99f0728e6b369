"""The visual similarity of two pictures of pages: arrangement of boxes, their colours, texts and their positions.

It is close to the visual score of Design2Code (matched text blocks, their positions and colours, and the overall look),
but without a neural network: instead of CLIP's embedding it uses the structural similarity of small pictures, without
photographs and drawings. The worst regions count separately, because a missing header is a small part of a page, but
not a small mistake.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

BLOCK_PX = 8  # pixels of the screenshot per pixel of the compared pictures, in which lines of text are grey stripes
WINDOW = 7  # side of the window in which structure is compared, in pixels of the compared pictures
NEAR_SHARE = 0.03  # of the diagonal; a word at this distance from its position counts 1/e
COLOUR_RANGE = 30.0  # CIELAB distance at which a colour counts as completely wrong; 2.3 is just noticeable
EMPTY_WEIGHT = 0.05  # weight of blocks in which both pictures show only their background
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al. 2004
WEIGHTS = {"layout": 0.30, "colour": 0.21, "text": 0.34, "regions": 0.15}
REGION = 8  # small pixels, the side of a region
WORST_SHARE = 0.03  # share of the content that the worst regions make up: as much as a heading or a card
WORD_CONTRAST = 24  # least difference in a channel between two pixels of a word's box
MAX_PAIRS = 250_000  # of positions of one word; if there are more, they are matched in order


@dataclass(frozen=True, slots=True)
class Look:
    """A picture of a page with its words and pictures.

    Args:
        pixels: (H, W, 3) uint8.
        words: N texts.
        boxes: (N, 4) float32 x0, y0, x1, y1 in pixels.
        pictures: (M, 4) float32 boxes of images and drawings.
    """

    pixels: np.ndarray
    words: Sequence[str]
    boxes: np.ndarray
    pictures: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Similarity:
    """The parts of the similarity and the total score, each from 0 (different) to 1 (equal).

    Args:
        layout: structural similarity of the luminance.
        colour: similarity of the blocks' colours.
        text: share of matched words, each weighted by its nearness; 1 if neither picture has words.
        regions: similarity of structure and words in the worst regions.
    """

    layout: float
    colour: float
    text: float
    regions: float

    @property
    def score(self) -> float:
        """The weighted geometric mean, in which the other parts do not compensate for one that is completely wrong."""
        return float(np.prod([getattr(self, name) ** weight for name, weight in WEIGHTS.items()]))


def only_inked(look: Look) -> Look:
    """Return a look without the words under which its picture is of one colour: nobody sees those."""
    shown = inked(look)
    return Look(look.pixels, [look.words[k] for k in shown], look.boxes[shown], look.pictures)


def inked(look: Look) -> list[int]:
    """Return the numbers of the words under which the picture is not of one colour."""
    height, width = look.pixels.shape[:2]
    found = []
    for k, (x0, y0, x1, y1) in enumerate(look.boxes):
        rows = slice(min(max(0, int(y0)), height), max(0, int(np.ceil(y1))))
        region = look.pixels[rows, min(max(0, int(x0)), width) : max(0, int(np.ceil(x1)))]
        if region.size and int((region.max(axis=(0, 1)) - region.min(axis=(0, 1))).max()) >= WORD_CONTRAST:
            found.append(k)
    return found


def compare(first: Look, second: Look) -> Similarity:
    """Compare two looks of the same size; the pictures of the first are ignored in both."""
    if first.pixels.shape != second.pixels.shape:
        raise ValueError(f"expected pictures of one size, got {first.pixels.shape} and {second.pixels.shape}")
    lab_a, lab_b = _small(first.pixels), _small(second.pixels)
    height, width = lab_a.shape[:2]
    shown = np.ones((height, width), bool)
    for x0, y0, x1, y1 in first.pictures / BLOCK_PX:
        shown[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = False
    filled = (_distance(lab_a, _background(lab_a)) > 2) | (_distance(lab_b, _background(lab_b)) > 2)
    weight = np.where(filled, 1.0, EMPTY_WEIGHT) * np.where(shown, 1.0, 0.01)
    colour = 1 - np.clip(_distance(_blurred(lab_a), _blurred(lab_b)) / COLOUR_RANGE, 0, 1)
    structure = np.clip(_structure(lab_a[..., 0] * 2.55, lab_b[..., 0] * 2.55), 0, 1)
    looks, near = (first, second), _nearness(first, second)
    num_px = _summed(filled & shown, REGION)
    found, wanted = _words_by_region(looks, near, num_px.shape)
    num_small = _summed(np.ones((height, width)), 2)  # of a coarse pixel, in which a shift by one or two is not visible
    coarse = [_summed(lab[..., 0] * 2.55, 2) / num_small for lab in (lab_a, lab_b)]
    alike = np.kron(np.clip(_structure(*coarse), 0, 1), np.ones((2, 2)))[:height, :width]
    agreement = _summed(alike * (filled & shown), REGION) / np.maximum(num_px, 1)
    agreement = np.where(wanted > 0, (agreement + found / np.maximum(wanted, 1)) / 2, agreement)
    return Similarity(
        layout=float((structure * weight).sum() / weight.sum()),
        colour=float((colour * weight).sum() / weight.sum()),
        text=float(found.sum() / wanted.sum()) if wanted.any() else 1.0,
        regions=_mean_of_worst(agreement.ravel(), num_px.ravel()),
    )


def _mean_of_worst(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the mean of the lowest values that make up WORST_SHARE of the weight; 1 if there are none."""
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    limit = WORST_SHARE * weights.sum()
    taken = np.clip(limit - (weights.cumsum() - weights), 0, weights)
    return float((taken * values).sum() / limit) if limit else 1.0


def _words_by_region(
    looks: Sequence[Look], near: Sequence[np.ndarray], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the widths of both looks' words by the region of their centre: weighted by nearness, and unweighted."""
    found, wanted = np.zeros(shape), np.zeros(shape)
    for look, nearness in zip(looks, near, strict=True):
        width = np.maximum(look.boxes[:, 2] - look.boxes[:, 0], 1)
        columns, rows = ((look.boxes[:, :2] + look.boxes[:, 2:]) / 2 // (BLOCK_PX * REGION)).astype(int).T
        place = (np.clip(rows, 0, shape[0] - 1), np.clip(columns, 0, shape[1] - 1))
        np.add.at(found, place, width * nearness)
        np.add.at(wanted, place, width)
    return found, wanted


def _nearness(first: Look, second: Look) -> tuple[np.ndarray, np.ndarray]:
    """Return for each word of both how near the same word of the other is: 1 at the same position, 0 if missing."""
    reach = NEAR_SHARE * float(np.hypot(*first.pixels.shape[:2]))
    places = defaultdict(lambda: ([], []))  # type: defaultdict[str, tuple[list[int], list[int]]]
    for k, word in enumerate(first.words):
        places[word][0].append(k)
    for k, word in enumerate(second.words):
        places[word][1].append(k)
    centres = [(look.boxes[:, :2] + look.boxes[:, 2:]) / 2 for look in (first, second)]
    near = np.zeros(len(first.words)), np.zeros(len(second.words))
    for ours, theirs in places.values():
        if ours and theirs:
            distances = np.linalg.norm(centres[0][ours][:, None] - centres[1][theirs][None], axis=2)
            for i, j in _pairs(distances):
                near[0][ours[i]] = near[1][theirs[j]] = np.exp(-((distances[i, j] / reach) ** 2))
    return near


def _pairs(distances: np.ndarray) -> list[tuple[int, int]]:
    """Match rows with columns, the nearest first, each at most once."""
    rows, columns = distances.shape
    if rows * columns > MAX_PAIRS:
        return [(k, k) for k in range(min(rows, columns))]
    pairs: list[tuple[int, int]] = []
    free_rows, free_columns = set(range(rows)), set(range(columns))
    for place in np.argsort(distances, axis=None, kind="stable"):
        row, column = divmod(int(place), columns)
        if row in free_rows and column in free_columns:
            pairs.append((row, column))
            free_rows.remove(row)
            free_columns.remove(column)
            if not free_rows or not free_columns:
                break
    return pairs


def _small(pixels: np.ndarray) -> np.ndarray:
    """Return (h, w, 3) float CIELAB, with one pixel per BLOCK_PX × BLOCK_PX."""
    image = Image.fromarray(pixels)
    size = (max(WINDOW, image.width // BLOCK_PX), max(WINDOW, image.height // BLOCK_PX))
    rgb = np.asarray(image.resize(size, Image.Resampling.BOX), np.float64) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])  # D65
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=2)


def _summed(values: np.ndarray, side: int) -> np.ndarray:
    """Return the sums over squares of `side` pixels, with zeros beyond the edges."""
    height, width = values.shape
    padded = np.pad(values.astype(np.float64), ((0, -height % side), (0, -width % side)))
    sums: np.ndarray = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side).sum(axis=(1, 3))
    return sums


def _distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    distances: np.ndarray = np.sqrt(((first - second) ** 2).sum(axis=-1))
    return distances


def _background(lab: np.ndarray) -> np.ndarray:
    """Return the most common colour of a picture."""
    colours = np.rint(lab.reshape(-1, 3))
    keys = (colours.astype(np.int64) + 256) @ (1 << 18, 1 << 9, 1)  # one number sorts 20 times as fast as three
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    background: np.ndarray = colours[first[counts.argmax()]]
    return background


def _structure(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the (h, w) structural similarity of two grey pictures with values from 0 to 255."""
    mean_a, mean_b = _windowed(first), _windowed(second)
    var_a = _windowed(first * first) - mean_a**2
    var_b = _windowed(second * second) - mean_b**2
    both = _windowed(first * second) - mean_a * mean_b
    similarity: np.ndarray = ((2 * mean_a * mean_b + SSIM_C1) * (2 * both + SSIM_C2)) / (
        (mean_a**2 + mean_b**2 + SSIM_C1) * (var_a + var_b + SSIM_C2)
    )
    return similarity


def _windowed(values: np.ndarray) -> np.ndarray:
    """Return the means over WINDOW × WINDOW, with repeated edges."""
    half = WINDOW // 2
    padded = np.pad(values, half, mode="edge")
    sums = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    total = sums[WINDOW:, WINDOW:] - sums[:-WINDOW, WINDOW:] - sums[WINDOW:, :-WINDOW] + sums[:-WINDOW, :-WINDOW]
    means: np.ndarray = total / WINDOW**2
    return means


def _blurred(lab: np.ndarray) -> np.ndarray:
    return np.stack([_windowed(lab[..., k]) for k in range(3)], axis=2)
