"""The fingerprint of pictures: the documented rules, bit for bit, and its robustness."""

import imagehash
import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from sources.images.fingerprint import PICTURE, phash_of, picture_fingerprint

RADIUS = 32


def record(image: Image.Image) -> np.ndarray:
    records = np.frombuffer(picture_fingerprint(np.asarray(image.convert("L"))), PICTURE)
    first: np.ndarray = records[0]
    return first


def distance(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.bitwise_count(a ^ b).sum())


@pytest.fixture(scope="module")
def page() -> Image.Image:
    with pymupdf.open() as document:
        drawn = document.new_page()
        drawn.insert_textbox((60, 60, 540, 780), "A page is drawn once, and read many times. " * 60, fontsize=11)
        drawn.draw_rect((80, 600, 300, 700), fill=(0.3, 0.3, 0.6))
        pixmap = drawn.get_pixmap(dpi=90, alpha=False)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


@settings(max_examples=30)
@given(st.integers(16, 1100), st.integers(16, 1100), st.integers(0, 9))
def test_every_hash_equals_imagehash_on_the_documented_picture(width: int, height: int, seed: int) -> None:
    noise = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 16), np.uint8)).resize((width, height))
    reduced = noise.reduce(max(1, max(noise.size) // 256))
    look = reduced.resize((64, 64), Image.Resampling.LANCZOS)
    inset = look.resize((64, 64), Image.Resampling.LANCZOS, box=(1.92, 1.92, 62.08, 62.08))
    found = record(noise)
    assert phash_of(picture_fingerprint(np.asarray(noise))).hex() == str(imagehash.phash(reduced, hash_size=16))
    for suffix, picture in (("", look), ("_inset", inset)):
        assert found[f"phash{suffix}"].tobytes().hex() == str(imagehash.phash(picture, hash_size=16))
        assert found[f"dhash{suffix}"].tobytes().hex() == str(imagehash.dhash(picture, hash_size=16))
        assert found[f"phash_64{suffix}"].tobytes().hex() == str(imagehash.phash(picture))
        assert found[f"dhash_64{suffix}"].tobytes().hex() == str(imagehash.dhash(picture))


def test_copies_stay_within_the_radius(page: Image.Image) -> None:
    original = record(page)
    for copy in (page.resize((page.width // 4, page.height // 4)), page.filter(ImageFilter.GaussianBlur(1))):
        assert distance(original["phash"], record(copy)["phash"]) <= RADIUS


def test_the_inset_matches_cropped_and_bordered_copies(page: Image.Image) -> None:
    x, y = round(page.width * 0.03), round(page.height * 0.03)
    cropped = page.crop((x, y, page.width - x, page.height - y))
    assert distance(record(page)["phash"], record(cropped)["phash"]) > RADIUS  # the radius alone is not enough
    assert distance(record(page)["phash_inset"], record(cropped)["phash"]) <= RADIUS
    framed = Image.new("RGB", (page.width + 2 * x, page.height + 2 * y), "white")
    framed.paste(page, (x, y))
    assert distance(record(page)["phash"], record(framed)["phash_inset"]) <= RADIUS


def test_detail_distinguishes_blank_pages_from_text_pages(page: Image.Image) -> None:
    blank = Image.new("RGB", (800, 1100), "white")
    numbered = blank.copy()
    numbered.paste((0, 0, 0), (395, 1060, 405, 1075))
    gradient = Image.linear_gradient("L").point(lambda grey: 120 + grey // 16)
    assert record(blank)["detail"] == 0
    assert record(numbered)["detail"] < 8
    assert record(gradient)["detail"] < 8
    assert record(page)["detail"] > 24
