"""Every picture is seen one way: on white, turned as EXIF says, with 8 bits per channel, in RGB or grey."""

import io

import numpy as np
import PIL.Image
import pytest

from pipelines.workers.evaluation_items import sample_of
from sources.images.decoding import read_image, read_luma

SIDE = 96
GREY = np.add.outer(np.arange(SIDE), np.arange(SIDE) // 3).astype(np.uint8) + 40
GREY[20:50, 10:30] = 255


def _saved(image: PIL.Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _transparent(mode: str) -> PIL.Image.Image:
    """The picture, with alpha in place of white, over a hidden black."""
    alpha = np.where(GREY == 255, 0, 255).astype(np.uint8)
    grey = PIL.Image.fromarray(np.where(GREY == 255, 0, GREY).astype(np.uint8))
    grey.putalpha(PIL.Image.fromarray(alpha))
    return grey.convert(mode)


def _turned() -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    return _saved(PIL.Image.fromarray(GREY).rotate(90, expand=True), "JPEG", quality=98, exif=exif)


PICTURES = {
    "grey": lambda: _saved(PIL.Image.fromarray(GREY), "PNG"),
    "colour": lambda: _saved(PIL.Image.fromarray(GREY).convert("RGB"), "WEBP", lossless=True),
    "palette": lambda: _saved(PIL.Image.fromarray(GREY).convert("P"), "GIF"),
    "grey with alpha": lambda: _saved(_transparent("LA"), "PNG"),
    "colour with alpha": lambda: _saved(_transparent("RGBA"), "PNG"),
    "16 bits": lambda: _saved(PIL.Image.fromarray(GREY.astype(np.uint16) * 257), "PNG"),
    "16 bits of TIFF": lambda: _saved(PIL.Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"),
    "32 bits": lambda: _saved(PIL.Image.fromarray(GREY.astype(np.int32) * 257), "TIFF"),
    "fractions": lambda: _saved(PIL.Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "CMYK": lambda: _saved(PIL.Image.fromarray(GREY).convert("RGB").convert("CMYK"), "JPEG", quality=98),
    "turned": _turned,
    "AVIF": lambda: _saved(PIL.Image.fromarray(GREY).convert("RGB"), "AVIF", quality=95),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_same_picture_in_other_files_looks_the_same(kind: str) -> None:
    data = PICTURES[kind]()
    luma = read_luma(data, max_pixels=SIDE**2)
    assert (luma.shape, luma.dtype) == ((SIDE, SIDE), np.uint8)
    assert np.abs(luma.astype(int) - GREY).mean() < 2
    of_source = read_image(data, max_pixels=SIDE**2)
    assert np.abs(of_source.grey.astype(int) - luma).max() <= 2
    with PIL.Image.open(io.BytesIO(of_source.encoded.data)) as written:
        assert written.mode in ("L", "RGB", "P")
        assert np.abs(np.asarray(written.convert("L")).astype(int) - luma).mean() < 2
    ours, plain = (sample_of(each, "").phash for each in (data, PICTURES["grey"]()))
    assert ours is not None
    assert plain is not None
    assert (int.from_bytes(ours, "big") ^ int.from_bytes(plain, "big")).bit_count() <= 16


def test_levels_beyond_16_bits_are_scaled_by_the_largest() -> None:
    data = _saved(PIL.Image.fromarray(GREY.astype(np.int32) * 100_000), "TIFF")
    assert np.abs(read_luma(data, max_pixels=SIDE**2).astype(int) - GREY).max() <= 1
