"""The pictures of README and docs show what the code draws now; `make pictures` makes them again."""

import functools

import numpy as np
import pytest
from markdown_pages import ROOT, pages
from PIL import Image

from examples.pictures.__main__ import SHEETS
from examples.pictures.sheet import FOLDER

pytestmark = pytest.mark.slow

CELLS = 5  # of each picture that are drawn again, unless `--full`
TILE_PX = 32
# Compression changes a tile by up to 8 grey levels on average; another drawing changes some tile by 40 or more.
TOLERANCE = 16


@functools.cache
def committed(file: str) -> Image.Image:
    return Image.open(FOLDER / file).convert("RGB")


def worst_tile(a: Image.Image, b: Image.Image) -> float:
    """Mean difference of the tile in which two images of one size differ most, in grey levels."""
    assert a.size == b.size
    pixels = [np.asarray(image.reduce(2), np.float32) for image in (a, b)]
    difference = np.abs(pixels[0] - pixels[1]).mean(2)
    side = TILE_PX // 2
    rows, columns = (length // side for length in difference.shape)
    tiles = difference[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return float(tiles.mean((1, 3)).max())


@pytest.mark.parametrize("file", SHEETS)
def test_a_picture_shows_what_its_code_draws(file: str, full: bool):
    sheet = SHEETS[file]
    number = len(sheet.drawings)
    for k in range(0, number, 1 if full else -(-number // CELLS)):
        drawn, caption = sheet.cell(k)
        difference = worst_tile(drawn, committed(file).crop(sheet.place(k)))
        assert difference <= TOLERANCE, f"{file} is stale at {caption or k}: run `make pictures`"


@pytest.mark.parametrize("file", [file for file, sheet in SHEETS.items() if len(sheet.drawings) > 1])
def test_another_drawing_is_noticed(file: str):
    sheet = SHEETS[file]
    first, *others = (committed(file).crop(sheet.place(k)) for k in range(sheet.columns))
    assert min(worst_tile(first, other) for other in others) > 2 * TOLERANCE


def test_every_picture_is_made_by_the_command_and_shown_on_a_page():
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert files == set(SHEETS)
    text = "".join(page.read_text() for page in pages())
    assert not [file for file in files if not file.startswith("thumbnails/") and f"pictures/{file}" not in text]
    assert all((ROOT / "sources" / path.stem).is_dir() for path in (FOLDER / "thumbnails").iterdir())
