"""Material of the user's own: photographs as papers, as what lies below a sheet and as scenes, and fonts."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from random import Random

import cv2
import numpy as np

from sources.base.source import ItemError, file_digest
from sources.images.decoding import as_shown, opened
from sources.ocr.arrays import Floats, Ints, Pixels
from sources.ocr.layouts import Layout
from sources.ocr.markup.template import Template

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
MAX_FILES = 10_000
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 256
KEPT_SIDE_PX = 2048  # a larger picture is made smaller when it is read
NUM_DECODED = 300  # pictures that are decoded before a run; of more, the heads are read
DARKEST_PAPER = 140  # median grey level; ink on a darker sheet cannot be read
PATCH_GRID = (16, 12)  # cells in which the plain parts of a photograph are looked for
Draw = Callable[[int, int, Random], Pixels]


@dataclass(frozen=True)
class PictureFolder:
    """The pictures in a folder and those below it, by name.

    Args:
        setting: name of the setting, for messages.
        path: the folder.
    """

    setting: str
    path: str

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The pictures. Raises ValueError if there is no such folder, or too many or none in it."""
        folder = Path(self.path)
        if not folder.is_dir():
            raise ValueError(f"{self.setting}: there is no folder {self.path}")
        found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        if not found:
            raise ValueError(f"{self.setting}: {self.path} has no pictures ({', '.join(SUFFIXES)})")
        if len(found) > MAX_FILES:
            raise ValueError(f"{self.setting}: {self.path} has {len(found):,} pictures; the most are {MAX_FILES:,}")
        return tuple(found)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the names and contents of the pictures."""
        return digest_of_files(self.path, self.files)

    def check(self) -> None:
        """Raise ValueError with the first picture that cannot be used."""
        for number, file in enumerate(self.files):
            try:
                with opened(file.read_bytes(), MAX_PIXELS) as image:
                    size = image.size
                    if number < NUM_DECODED:
                        grey = np.asarray(as_shown(image).convert("L").resize((64, 64)))
            except (ItemError, OSError) as error:
                raise ValueError(f"{self.setting}: {file.name} cannot be used: {error}") from error
            if min(size) < MIN_SIDE_PX:
                sides = f"{size[0]} × {size[1]} pixels"
                raise ValueError(f"{self.setting}: {file.name} has {sides}; the least is {MIN_SIDE_PX} on each side")
            if self.setting == "papers" and number < NUM_DECODED and np.median(grey) < DARKEST_PAPER:
                level = f"its median grey level is {np.median(grey):.0f}, the least is {DARKEST_PAPER}"
                raise ValueError(f"papers: {file.name} is too dark to be printed on: {level}")

    def draw(self, width: int, height: int, random: Random) -> Pixels:
        """Return (height, width, 3) uint8: a part of a random picture, possibly mirrored. Raises ItemError."""
        pixels = _read(random.choice(self.files), self.setting)
        if random.random() < 0.5:
            pixels = pixels[:, ::-1]
        tall, wide = pixels.shape[:2]
        scale = min(wide / width, tall / height) * random.uniform(0.6, 1)
        cut = max(1, min(wide, round(width * scale))), max(1, min(tall, round(height * scale)))
        x, y = random.randint(0, wide - cut[0]), random.randint(0, tall - cut[1])
        part = np.ascontiguousarray(pixels[y : y + cut[1], x : x + cut[0]])
        return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)


@lru_cache(maxsize=32)
def _read(file: Path, setting: str) -> Pixels:
    try:
        with opened(file.read_bytes(), MAX_PIXELS) as image:
            image.draft("RGB", (KEPT_SIDE_PX, KEPT_SIDE_PX))
            shown = as_shown(image).convert("RGB")
            shown.thumbnail((KEPT_SIDE_PX, KEPT_SIDE_PX))
            return np.asarray(shown)
    except OSError as error:
        raise ItemError("material", f"{setting}: {file.name} cannot be read: {error}") from error


def digest_of_files(folder: str, files: tuple[Path, ...]) -> str:
    """Return the sha256 of the names below a folder and the contents of files."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(folder).as_posix()}/{file_digest(file)}\n".encode())
    return total.hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What a run takes from folders of the user.

    Args:
        paper: draws a sheet to print on.
        background: draws what lies below a sheet that is photographed.
        scene: draws a photograph to put words on.
        fonts: folder of the fonts of pages.
        layouts: forms.
        templates: pages with slots.
        handwritten: fraction of forms that are filled in by hand.
    """

    paper: Draw | None = None
    background: Draw | None = None
    scene: Draw | None = None
    fonts: str = ""
    layouts: Sequence[Layout] = ()
    templates: Sequence[Template] = ()
    handwritten: float = 0


NONE = Material()


def print_on(pixels: Pixels, paper: Pixels) -> Pixels:
    """Return a page as if it were printed on a sheet of the same size: both darken."""
    return cv2.multiply(pixels, paper, scale=1 / 255)


def plain_patches(pixels: Pixels, columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    """Return up to `columns` × `rows` places x0, y0, x1, y1 of a photograph, the plainest first, none above another.

    A place is plain if the grey levels in it vary little. Each is as large as a cell of the grid of columns and rows.
    """
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    means, squares = (cv2.resize(field, PATCH_GRID, interpolation=cv2.INTER_AREA) for field in (grey, grey * grey))
    wide, tall = PATCH_GRID[0] // columns, PATCH_GRID[1] // rows
    mean, square = (_window_means(field, wide, tall) for field in (means, squares))
    variance = square - mean * mean
    found: list[tuple[int, int, int, int]] = []
    order: Ints = np.argsort(variance, axis=None, kind="stable")
    taken = np.zeros(PATCH_GRID[::-1], bool)
    for place in order:
        y, x = divmod(int(place), variance.shape[1])
        if taken[y : y + tall, x : x + wide].any():
            continue
        taken[y : y + tall, x : x + wide] = True
        x0, y0 = width * x // PATCH_GRID[0], height * y // PATCH_GRID[1]
        x1, y1 = width * (x + wide) // PATCH_GRID[0], height * (y + tall) // PATCH_GRID[1]
        found.append((x0, y0, x1, y1))
        if len(found) == columns * rows:
            break
    return found


def _window_means(field: Pixels, wide: int, tall: int) -> Floats:
    """Return the means over all windows of `tall` × `wide` cells."""
    windows = np.lib.stride_tricks.sliding_window_view(field, (tall, wide))
    means: Floats = windows.mean(axis=(2, 3))
    return means
