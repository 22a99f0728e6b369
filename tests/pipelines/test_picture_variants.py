"""Copies of pictures: cropped, turned, stamped, in windows, printed on pages; the better one is kept."""

import io
import random
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.picture_variants import MIRRORED, VARIANTS, Variant
from pipelines.duplicates.fingerprint import fingerprints
from pipelines.duplicates.groups import nearest_kept
from pipelines.duplicates.index import EVALUATION, NEW, Index, rows_of
from pipelines.duplicates.pictures import show_other_pages
from pipelines.duplicates.search import find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.workers.evaluation_items import sample_of
from sources.images.views import VIEWS, brightest_region
from tests.corpus import prose

NUM_PAGES = 4
WANTED = (
    "crop 5 %", "crop left 8 %", "crop top 6 %", "rotation 2°", "rotation −3°", "stamp, grey", "stamps, tiled",
    "window, viewer", "window, light", "window, browser",
)  # fmt: skip


class Rows(Index):
    """Rows in memory."""

    def __init__(self, rows: np.ndarray):
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> np.ndarray:
        return np.ascontiguousarray(self._rows[name])

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        taken: np.ndarray = self._rows[name][places]
        return taken


def png(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rows_of_files(files: Sequence[bytes], settings: Dedupe, kinds: Sequence[int] = ()) -> Rows:
    records = fingerprints([sample_of(data, "") for data in files])
    rows = rows_of(records, [f"{k:032x}" for k in range(len(files))], np.arange(len(files)), settings)
    rows["kind"] = kinds if len(kinds) else NEW
    return Rows(rows)


def pairs(rows: Rows, settings: Dedupe) -> set[tuple[int, int]]:
    edges = find_edges(rows, settings)
    return {(min(a, b), max(a, b)) for a, b in zip(edges["winner"].tolist(), edges["loser"].tolist(), strict=True)}


@pytest.fixture(scope="module")
def pages() -> list[Image.Image]:
    found = []
    for number in range(NUM_PAGES):
        chance = random.Random(number)
        with pymupdf.open() as document:
            page = document.new_page()
            y = 70.0
            for block in range(chance.randint(3, 6)):
                text = " ".join(prose(f"{number} {block}", chance.randint(3, 9)))
                left, right = 72 + 20 * (block % 2), 525 - chance.randint(0, 120)
                page.insert_textbox((left, y, right, 790), text, fontsize=chance.choice((10, 11, 14)))
                y += chance.randint(90, 160)
            page.draw_rect((90 + 40 * number, 640, 200 + 50 * number, 700), fill=(0.2, 0.3, 0.6))
            drawn = page.get_pixmap(matrix=pymupdf.Matrix(1.2, 1.2), alpha=False)
            found.append(Image.frombytes("RGB", (drawn.width, drawn.height), bytes(drawn.samples)))
    return found


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Coloured noise with the spectrum of photographs."""
    found = []
    for number in range(4):
        chance = np.random.default_rng(number)
        layers = [
            Image.fromarray(chance.integers(0, 256, (n, n, 3), np.uint8)).resize((480, 360), 3) for n in (4, 9, 30)
        ]
        found.append(Image.blend(Image.blend(layers[0], layers[1], 0.4), layers[2], 0.2))
    return found


@pytest.mark.slow
def test_changed_copies_of_pages_are_found_and_no_others(pages: list[Image.Image]) -> None:
    variants: dict[str, Variant] = {"": lambda image: image, **{name: VARIANTS[name] for name in WANTED}}
    files = [png(make(page)) for page in pages for make in variants.values()]
    found = pairs(rows_of_files(files, Dedupe()), Dedupe())
    assert all(a // len(variants) == b // len(variants) for a, b in found)
    names = list(variants)
    hits = [names[b % len(variants)] for a, b in found if a % len(variants) == 0]
    missed = {name: NUM_PAGES - hits.count(name) for name in WANTED if hits.count(name) < NUM_PAGES}
    assert sum(missed.values()) <= 0.05 * NUM_PAGES * len(WANTED), missed
    plain = pairs(rows_of_files(files, Dedupe(views=False)), Dedupe(views=False))
    assert sum(a % len(variants) == 0 for a, _ in plain) < 0.6 * len(hits)


def test_a_window_around_a_dark_page_is_no_copy_of_the_same_window() -> None:
    chance = np.random.default_rng(1)
    hashes = np.repeat(chance.integers(0, 256, (1, 32), np.uint8), 2, axis=0)
    hashes[1, :3] ^= 255  # 24 bits
    pages = np.stack([chance.integers(0, 256, 32, np.uint8), np.zeros(32, np.uint8)])  # no page is found in the second
    ends = np.array([0]), np.array([1])

    def apart(has_regions: bool, is_photograph: bool, distance: int) -> bool:
        found = show_other_pages(
            hashes, pages, np.array([True, has_regions]), np.full(2, is_photograph), *ends, np.array([distance]), 32
        )
        return bool(found[0])

    assert apart(True, False, 24)
    assert not apart(False, False, 24)  # the second may be a photograph, whose regions are not looked at
    assert not apart(True, False, 10)  # a view is nearer: the second is cropped or turned
    assert apart(True, False, 17)
    assert not apart(True, True, 15)


def test_the_bar_of_a_window_is_no_page() -> None:
    window = np.full((180, 256), 60, np.uint8)
    window[:24] = 222
    assert brightest_region(window) is None
    window[30:170, 80:180] = 240
    page = brightest_region(window)
    assert page is not None
    assert (round(page.x0 * 256), round(page.y1 * 180)) == (80, 170)


@pytest.mark.parametrize("kind", ["phash", "dhash"])
def test_mirror_images_are_copies_by_a_setting(photographs: list[Image.Image], kind: Literal["phash", "dhash"]) -> None:
    files = [png(image) for image in photographs] + [png(MIRRORED["mirrored"](image)) for image in photographs]
    files += [png(MIRRORED["upside down"](image)) for image in photographs]
    num = len(photographs)
    for flips, expected in (
        (True, {(k, k + num) for k in range(num)} | {(k, k + 2 * num) for k in range(num)}),
        (False, set()),
    ):
        settings = Dedupe(hash=kind, flips=flips)
        found = pairs(rows_of_files(files, settings), settings)
        assert {(a, b) for a, b in found if a < num} == expected


def test_smooth_pictures_survive_strong_compression() -> None:
    y, x = np.mgrid[0:300, 0:400] / 100
    waves = (np.sin(0.4 * x + y), np.cos(1.1 * x) * np.sin(0.7 * y), np.exp(-((x - 1) ** 2) - (y - 2) ** 2))
    skies = [Image.fromarray((120 + 90 * wave).astype(np.uint8)).convert("RGB") for wave in waves]
    copies = [png(sky, "JPEG", quality=20) for sky in skies] + [
        png(sky.filter(ImageFilter.GaussianBlur(3))) for sky in skies
    ]
    found = pairs(rows_of_files([*map(png, skies), *copies], Dedupe()), Dedupe())
    assert {(a, b) for a, b in found if a < 3} == {(k, k + 3) for k in range(3)} | {(k, k + 6) for k in range(3)}


def test_the_better_encoded_copy_is_kept(photographs: list[Image.Image]) -> None:
    picture = photographs[0]
    few = picture.quantize(200, dither=Image.Dither.NONE)
    files = [png(picture, "JPEG", quality=20), png(picture), png(few, "GIF"), png(picture.convert("L"))]
    rows = rows_of_files(files, Dedupe())
    chosen = nearest_kept(find_edges(rows, Dedupe()), rows)
    assert {(a, b) for a, b in zip(chosen["winner"].tolist(), chosen["loser"].tolist(), strict=True)} == {
        (1, 0),
        (1, 2),
        (1, 3),
    }
    rows = rows_of_files([files[2], png(picture, "JPEG", quality=85)], Dedupe())
    assert nearest_kept(find_edges(rows, Dedupe()), rows)["winner"].tolist() == [1]


def test_a_picture_printed_on_a_page_is_found(pages: list[Image.Image], photographs: list[Image.Image]) -> None:
    drawing = Image.new("RGB", (300, 300), "white")
    draw = ImageDraw.Draw(drawing)
    draw.rectangle((30, 40, 260, 252), outline="black", width=2)
    for k in range(9):
        draw.rectangle((40 + 23 * k, 250 - (k * 37) % 170, 55 + 23 * k, 250), fill=(20 * k, 60, 200))
    items = [*photographs[:3], drawing]
    printed = [page.copy() for page in pages[: len(items)]]
    for page, item, (width, x, y) in zip(
        printed, items, ((300, 100, 400), (420, 90, 90), (260, 380, 600), (330, 150, 350)), strict=True
    ):
        smaller = item.resize((width, round(item.height * width / item.width)), Image.Resampling.LANCZOS)
        page.paste(Image.new("RGB", (page.width, smaller.height + 40), "white"), (0, y - 20))
        page.paste(smaller, (x, y))
    files = [*map(png, items), *map(png, printed)]
    num = len(items)
    kinds = [EVALUATION] * num + [NEW] * num
    assert pairs(rows_of_files(files, Dedupe(), kinds), Dedupe()) == {(k, k + num) for k in range(num)}
    assert pairs(rows_of_files(files, Dedupe()), Dedupe()) == set()
    settings = Dedupe(figures=True)
    edges = find_edges(rows_of_files(files, settings), settings)
    pages_and_pictures = set(zip(edges["winner"].tolist(), edges["loser"].tolist(), strict=True))
    assert pages_and_pictures == {(k + num, k) for k in range(3)}  # a white border counts where sets may leak only


def test_a_small_icon_is_a_block_without_its_border() -> None:
    icon = Image.new("RGB", (48, 48), "white")
    ImageDraw.Draw(icon).ellipse((10, 12, 36, 38), fill="black")
    record = fingerprints([sample_of(png(icon), "")])[0]
    assert record["views"][VIEWS.index("figure_1")].any()
