"""Views: a picture as it may come back, each with a hash, so that copies that were cropped, turned, stamped or
photographed in a window meet the hash of the original.

| view | of | finds |
|---|---|---|
| inset_5, inset_8 | the look without 5 or 7.5 % on each side | crops of 4 to 8 % |
| left, top, right, bottom | the look without 5.5 % on one side | crops of one side |
| turned_left, turned_right | the look turned by 2.2 degrees | rotations of 1 to 3.5 degrees |
| page | the brightest even region, a page in a window | windows, compared with whole pages |
| ink | dark marks of that region | watermarks lighter than the text, windows |
| content | that region from the first to the last mark | uneven crops, margins, windows without borders |

| figure_1 to figure_6 | the largest blocks of a page with pictures' density | pictures printed on pages |

Figures are compared with wholes, and only where one side is an evaluation item or the recipe asks for it. They are
looked for in the pixels, so that scans, screenshots and drawn pages have them as documents with objects do.

Views of the first three kinds and `page` are compared with the hash of the whole, `ink` and `content` with their own
kind (`pipelines/duplicates/search.py`).
"""

from typing import NamedTuple

import numpy as np
import scipy.fft
from PIL import Image
from scipy import ndimage

LOOK_PX = 64
HASH_SIDE = 16
AGAINST_WHOLE = (
    "inset_5", "inset_8", "turned_left", "turned_right", "left", "top", "right", "bottom", "page",
)  # fmt: skip
AGAINST_THEMSELVES = ("ink", "content")
FIGURES = tuple(f"figure_{number}" for number in range(1, 7))
VIEWS = (*AGAINST_WHOLE, *AGAINST_THEMSELVES, *FIGURES)
INSETS = {
    "inset_5": (0.05, 0.05, 0.05, 0.05),
    "inset_8": (0.075, 0.075, 0.075, 0.075),
    "left": (0.055, 0, 0, 0),
    "top": (0, 0.055, 0, 0),
    "right": (0, 0, 0.055, 0),
    "bottom": (0, 0, 0, 0.055),
}
TURN_DEGREES = 2.2  # matches 1.2 to 3.3; the whole itself matches up to 1.2
PAPER_SHARE = 0.06  # of all pixels that are within 4 levels of a page's paper
PAPER_LEVELS = 9  # how far paper may be from its most common level: JPEG, light stains
MIN_PAPER_LEVEL = 100  # darker regions are desktops and photographs
MIN_REGION, MIN_FILL = 0.1, 0.3  # of the picture that a page covers, of its box that is paper
MIN_REGION_SIDE = 0.25  # of the picture's width and height; less is a bar of a window, which other windows have too
INK = 0.6  # of the way from the paper to the darkest: marks beyond it are text, lighter ones a stamp
MIN_INK_PX = 30
CONTENT_SHARE = 0.015  # of the ink that may lie outside the content on each side: page numbers, specks
CONTENT_MARGIN = 0.03  # of the content's size that is added on each side
MIN_CONTENT_PX, MIN_REGION_PX = 16, 32
MIN_FIGURE = 0.1  # of the page's width and height
MIN_FIGURE_FILL = 0.05  # of a figure's box that differs from paper: charts have thin lines, and compete with paragraphs
MAX_FIGURE = 0.95  # of the page; a larger one is the page
LEVEL_PX, REGION_PX = 1024, 256  # longest side at which ink and regions are looked for


def view_hashes(view: Image.Image, look: Image.Image) -> np.ndarray:
    """(V, 32) uint8 hashes of `VIEWS`; all zero for a view that the picture does not have.

    Args:
        view: the picture in grey.
        look: the same at 64 × 64.
    """
    looks = {name: _inset(look, shares) for name, shares in INSETS.items()}
    looks["turned_left"] = _turned(look, view.size, TURN_DEGREES)
    looks["turned_right"] = _turned(look, view.size, -TURN_DEGREES)
    looks.update(_page_looks(view))
    if FIGURES[0] not in looks and max(view.size) <= REGION_PX:
        looks.update(_trimmed_look(view))
    hashes = np.zeros((len(VIEWS), HASH_SIDE * HASH_SIDE // 8), np.uint8)
    names = [name for name in VIEWS if name in looks]
    hashes[[VIEWS.index(name) for name in names]] = hashes_of([looks[name] for name in names])
    return hashes


def hashes_of(looks: list[Image.Image]) -> np.ndarray:
    """(N, 32) 256-bit pHashes of 64 × 64 pictures: which of the 16 × 16 lowest frequencies exceed their median."""
    pixels = np.stack([np.asarray(look) for look in looks]).astype(np.float64)
    lowest = dct_of(pixels)
    medians = np.median(lowest.reshape(len(looks), -1), axis=1)
    return np.packbits((lowest > medians[:, None, None]).reshape(len(looks), -1), axis=1)


def dct_of(pixels: np.ndarray) -> np.ndarray:
    """(N, 16, 16) lowest frequencies of (N, 64, 64) pixels."""
    rows = scipy.fft.dct(pixels, axis=1)[:, :HASH_SIDE]
    lowest: np.ndarray = scipy.fft.dct(rows, axis=2)[:, :, :HASH_SIDE]
    return lowest


class Region(NamedTuple):
    """A part of a picture: its box as shares of width and height, and the grey level of its paper."""

    level: int
    x0: float
    y0: float
    x1: float
    y1: float


def brightest_region(small: np.ndarray) -> Region | None:
    """The box of the largest connected region of the brightest common level, if it may be a page."""
    height, width = small.shape
    counts = np.convolve(np.bincount(small.ravel(), minlength=256), np.ones(9, np.int64), "same")
    while counts.max() >= PAPER_SHARE * small.size:
        common = np.flatnonzero(counts >= PAPER_SHARE * small.size)
        group = common[common > common[-1] - PAPER_LEVELS]
        level = int(group[counts[group].argmax()])
        if level < MIN_PAPER_LEVEL:
            return None
        labels, _ = ndimage.label(np.abs(small.astype(np.int16) - level) <= PAPER_LEVELS)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        largest = int(sizes.argmax())
        if sizes[largest]:
            y, x = ndimage.find_objects(labels)[largest - 1]
            area = (y.stop - y.start) * (x.stop - x.start)
            is_bar = min((y.stop - y.start) / height, (x.stop - x.start) / width) < MIN_REGION_SIDE
            if not is_bar and area >= MIN_REGION * small.size and sizes[largest] >= MIN_FILL * area:
                return Region(level, x.start / width, y.start / height, x.stop / width, y.stop / height)
        counts[max(0, level - PAPER_LEVELS) :] = 0
    return None


def _page_looks(view: Image.Image) -> dict[str, Image.Image]:
    """Looks of the views `page`, `ink` and `content`, as far as there are any."""
    picture = view.reduce(max(1, max(view.size) // LEVEL_PX))
    region = brightest_region(np.asarray(picture.reduce(max(1, max(picture.size) // REGION_PX))))
    if region is None:
        return {}
    width, height = picture.size
    box = round(region.x0 * width), round(region.y0 * height), round(region.x1 * width), round(region.y1 * height)
    if min(box[2] - box[0], box[3] - box[1]) < MIN_REGION_PX:
        return {}
    page = picture.crop(box)
    grey = np.asarray(page)
    darkest = float(np.percentile(grey[::4, ::4], 0.5))
    marks = grey < region.level - INK * (region.level - darkest)
    found = {"page": _look(page), "ink": _look(Image.fromarray(marks.view(np.uint8) * np.uint8(255)))}
    content = content_box(marks)
    if content is not None:
        found["content"] = _framed(page, content, region.level)
    boxes = figure_boxes(np.abs(grey.astype(np.int16) - region.level) > PAPER_LEVELS)
    for name, box in zip(FIGURES, boxes, strict=False):
        found[name] = _look(page.crop(box))
    return found


def _trimmed_look(view: Image.Image) -> dict[str, Image.Image]:
    """The look of a small picture without the even border around it, as a page's blocks are without their paper."""
    grey = np.asarray(view).astype(np.int16)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    marks = np.abs(grey - np.median(border)) > PAPER_LEVELS
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    if min(len(rows), len(columns)) < MIN_CONTENT_PX:
        return {}
    box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return {FIGURES[0]: _look(view.crop(box))}


def figure_boxes(marks: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Boxes (x0, y0, x1, y1) in pixels of the blocks that may be figures, the fullest first.

    Args:
        marks: (height, width) bool, whether a pixel differs from the paper.
    """
    step = max(1, max(marks.shape) // REGION_PX)
    height, width = (side // step for side in marks.shape)
    cells = marks[: height * step, : width * step].reshape(height, step, width, step).mean(axis=(1, 3))
    labels, _ = ndimage.label(ndimage.binary_dilation(cells > 0, iterations=1))
    found = []
    for y, x in ndimage.find_objects(labels):
        tall, wide = y.stop - y.start, x.stop - x.start
        if min(tall / height, wide / width) < MIN_FIGURE or tall * wide > MAX_FIGURE * height * width:
            continue
        inside = marks[y.start * step : y.stop * step, x.start * step : x.stop * step]
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            continue
        top, left = y.start * step + int(rows[0]), x.start * step + int(columns[0])
        bottom, right = y.start * step + int(rows[-1]) + 1, x.start * step + int(columns[-1]) + 1
        fill = float(marks[top:bottom, left:right].mean())
        if fill >= MIN_FIGURE_FILL and min(bottom - top, right - left) >= MIN_REGION_PX:
            found.append((-fill * (bottom - top) * (right - left), (left, top, right, bottom)))
    return [box for _, box in sorted(found)[: len(FIGURES)]]


def content_box(marks: np.ndarray) -> tuple[float, float, float, float] | None:
    """The box (x0, y0, x1, y1) of nearly all marks, in pixels, with a margin that may reach outside; None: too few."""
    columns, rows = (marks.sum(axis=axis, dtype=np.int64).cumsum() for axis in (0, 1))
    total = columns[-1]
    if total < MIN_INK_PX:
        return None
    cuts = [CONTENT_SHARE * total, (1 - CONTENT_SHARE) * total]
    (x0, x1), (y0, y1) = (np.searchsorted(sums, cuts).tolist() for sums in (columns, rows))
    width, height = x1 + 1 - x0, y1 + 1 - y0
    if min(width, height) < MIN_CONTENT_PX:
        return None
    x, y = CONTENT_MARGIN * width, CONTENT_MARGIN * height
    return x0 - x, y0 - y, x1 + 1 + x, y1 + 1 + y


def _look(picture: Image.Image) -> Image.Image:
    return picture.resize((LOOK_PX, LOOK_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _inset(look: Image.Image, shares: tuple[float, float, float, float]) -> Image.Image:
    left, top, right, bottom = (LOOK_PX * share for share in shares)
    return look.resize((LOOK_PX, LOOK_PX), Image.Resampling.LANCZOS, box=(left, top, LOOK_PX - right, LOOK_PX - bottom))


def _turned(look: Image.Image, size: tuple[int, int], degrees: float) -> Image.Image:
    """The look of the picture turned about its centre; the look is square where the picture is not."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    stretch, centre = size[0] / size[1], LOOK_PX / 2
    matrix = (cosine, -sine / stretch, centre * (1 - cosine + sine / stretch),
              sine * stretch, cosine, centre * (1 - cosine - sine * stretch))  # fmt: skip
    fill = int(np.median(np.asarray(look)))
    return look.transform(look.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=fill)


def _framed(page: Image.Image, box: tuple[float, float, float, float], paper: int) -> Image.Image:
    """The look of a box that may reach beyond the page, which then goes on as paper."""
    x0, y0, x1, y1 = box
    inside = max(0.0, x0), max(0.0, y0), min(float(page.width), x1), min(float(page.height), y1)
    place = [
        round(LOOK_PX * (at - start) / (end - start))
        for at, start, end in zip(inside, (x0, y0, x0, y0), (x1, y1, x1, y1), strict=True)
    ]
    part = page.resize(
        (place[2] - place[0], place[3] - place[1]), Image.Resampling.LANCZOS, box=inside, reducing_gap=2.0
    )
    if part.size == (LOOK_PX, LOOK_PX):
        return part
    look = Image.new("L", (LOOK_PX, LOOK_PX), paper)
    look.paste(part, (place[0], place[1]))
    return look
