"""Encoding of images: lossless where documented; and the measures taken before encoding."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from sources.base.sample import EncodedImage
from sources.images.encoding import encode, grey_of
from sources.images.ink import ink

SIDES = st.integers(1, 70)


def decoded(image: EncodedImage) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image.data)))


@given(st.data())
def test_png_gives_back_every_pixel(data: st.DataObject) -> None:
    shape = data.draw(st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES, st.just(3))))
    pixels = data.draw(hnp.arrays(np.uint8, shape))
    image = encode(pixels, "png")
    assert (decoded(image) == pixels).all()
    assert (image.height, image.width, image.extension) == (*shape[:2], "png")


def test_png_is_valid_for_strict_readers() -> None:
    image = Image.open(io.BytesIO(encode(np.zeros((5, 9, 3), np.uint8), "png").data))
    assert (image.format, image.size) == ("PNG", (9, 5))
    image.verify()  # raises if a chunk's checksum is wrong


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_lossy_formats_stay_close(image_format: str) -> None:
    rows, columns = np.mgrid[:200, :300]
    pixels = np.stack([rows, columns * 0.8, 255 - rows], axis=-1).astype(np.uint8)
    image = encode(pixels, image_format, 90)
    assert np.abs(decoded(image).astype(int) - pixels).mean() < 3
    assert len(encode(pixels, image_format, 20).data) < len(image.data)


def test_the_same_pixels_give_the_same_bytes_as_array_and_as_image() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    for image_format in ("png", "jpeg", "webp"):
        assert encode(pixels, image_format).data == encode(Image.fromarray(pixels), image_format).data


def test_other_formats_are_rejected() -> None:
    with pytest.raises(ValueError, match="gif"):
        encode(np.zeros((4, 4), np.uint8), "gif")


@given(hnp.arrays(np.uint8, st.tuples(SIDES, SIDES)), st.data())
def test_grey_is_found_and_one_coloured_pixel_is_not_missed(grey: np.ndarray, data: st.DataObject) -> None:
    rgb = np.repeat(grey[..., None], 3, axis=2)
    found = grey_of(rgb)
    assert found is not None
    assert (found == grey).all()
    row, column = data.draw(st.integers(0, len(grey) - 1)), data.draw(st.integers(0, grey.shape[1] - 1))
    rgb[row, column, data.draw(st.integers(0, 2))] ^= 1
    assert grey_of(rgb) is None


def test_the_last_pixel_of_a_large_image_counts() -> None:
    rgb = np.full((3000, 1001, 3), 255, np.uint8)
    assert grey_of(rgb) is not None
    rgb[-1, -1, 2] = 254
    assert grey_of(rgb) is None


@pytest.mark.parametrize("background", [0, 20, 128, 255])
def test_ink_differs_from_the_most_common_grey(background: int) -> None:
    page = np.full((100, 100), background, np.uint8)
    assert ink(page) == 0
    page[:20] = 80
    assert ink(page) == pytest.approx(0.2)
    page[:20] = min(255, background + 32) if background < 255 else 223
    assert ink(page) == 0  # 32 levels are paper, 33 are ink
    page[:20] = background + 33 if background < 200 else 222
    assert ink(page) == pytest.approx(0.2)


def test_ink_does_not_depend_on_the_memory_layout() -> None:
    page = np.random.default_rng(1).integers(0, 255, (50, 80), np.uint8)
    assert ink(np.asfortranarray(page)) == ink(page)
