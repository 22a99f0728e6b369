"""The canvas: the authors' preprocessing for every shape and kind of image."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import AutoImageProcessor

from deepseek_vl.config import preset
from deepseek_vl.images import canvas, read_rgb, resized_size
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair

pytestmark = pytest.mark.slow


def test_sizes_are_truncated_not_rounded() -> None:
    """On 1,000 random sizes the short side is the exact quotient truncated, except for floating-point ties."""
    numbers = np.random.default_rng(5)
    truncated = 0
    for width, height in numbers.integers(1, 5000, (1000, 2)).tolist():
        side, longest = 1024, max(width, height)
        for got, length in zip(resized_size(width, height, side), (width, height), strict=True):
            whole, rest = divmod(length * side, longest)
            truncated += 2 * rest >= longest
            assert got == max(whole, 14) or (rest == 0 and got == whole - 1)
    assert truncated > 400  # rounding would differ on these


def test_canvas_equals_the_port_where_both_rules_agree(pair: Pair) -> None:
    port = AutoImageProcessor.from_pretrained(pair.folder, backend="pil")
    numbers = np.random.default_rng(1)
    side = pair.config.image_px
    tower, compared = pair.config.tower, 0
    for width, height in numbers.integers(20, 300, (60, 2)).tolist():
        if any(
            round(n * side / max(width, height)) != s
            for n, s in zip((width, height), resized_size(width, height, side), strict=True)
        ):
            continue
        image = Image.fromarray(numbers.integers(0, 256, (height, width, 3), dtype=np.uint8))
        theirs = port(image, return_tensors="np")
        theirs = theirs["pixel_values" if pair.config.high is None else "high_res_pixel_values"][0]
        theirs = theirs * np.array(tower.std)[:, None, None] + np.array(tower.mean)[:, None, None]
        assert np.abs(theirs * 255 - canvas(image, pair.config)).max() < 0.01
        compared += 1
    assert compared > 15


def test_background_is_the_mean_and_the_picture_is_centred() -> None:
    for name, background in (("7b", (122, 116, 104)), ("1.3b", (127, 127, 127))):
        config = preset(name)
        placed = canvas(Image.new("RGB", (200, 100), (255, 0, 0)), config)
        side = config.image_px
        assert placed.shape == (3, side, side)
        assert tuple(placed[:, 0, 0]) == tuple(placed[:, -1, -1]) == background
        assert tuple(placed[:, side // 2, 0]) == (255, 0, 0)
        assert tuple(placed[:, side // 4, 0]) == (255, 0, 0)
        assert tuple(placed[:, side // 4 - 1, 0]) == background


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_any_shape_fits(width: int, height: int) -> None:
    resized = resized_size(width, height, 384)
    assert max(resized) == 384
    assert min(resized) >= 14


def test_a_line_of_20000_pixels_has_a_canvas() -> None:
    placed = canvas(Image.new("RGB", (20_000, 1), (0, 255, 0)), tiny.HYBRID)
    green = (placed == np.array([0, 255, 0])[:, None, None]).all(axis=0)
    assert green.sum() == 80 * 14


def red_of(mode: str) -> Image.Image:
    return Image.new("RGB", (40, 20), (200, 30, 30)).convert(mode, palette=Image.Palette.ADAPTIVE)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV"])
def test_colours_of_every_mode_are_read_the_same(mode: str) -> None:
    assert np.abs(np.asarray(read_rgb(red_of(mode))).astype(int) - [200, 30, 30]).max() < 8


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16", "I", "F"])
def test_grey_of_every_depth_is_read_the_same(mode: str) -> None:
    colours: dict[str, tuple[Any, Any]] = {"I;16": (65535, 0), "I": (65535, 0), "LA": ((255, 255), (0, 255))}
    white, black = colours.get(mode, (255, 0))
    assert set(np.asarray(read_rgb(Image.new(mode, (4, 4), white))).ravel()) == {255}
    assert set(np.asarray(read_rgb(Image.new(mode, (4, 4), black))).ravel()) == {0}


def test_transparency_is_white() -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    palette = Image.new("P", (4, 4), 0)
    palette.info["transparency"] = 0
    for image in (clear, palette, Image.new("LA", (4, 4), (0, 0))):
        assert set(np.asarray(read_rgb(image)).ravel()) == {255}


def test_a_picture_is_turned_upright_by_its_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (64, 32), (0, 0, 255))
    image.paste((255, 255, 0), (0, 0, 32, 32))
    upright = read_rgb(encoded(image, "JPEG", exif=exif, quality=95))
    assert upright.size == (32, 64)
    red = np.asarray(upright)[:, :, 0]
    assert red[10, 16] > 200
    assert red[54, 16] < 60


def test_bytes_paths_and_pictures_are_the_same(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8))
    (tmp_path / "a.png").write_bytes(encoded(picture, "PNG"))
    expected = canvas(picture, tiny.HYBRID)
    for image in (encoded(picture, "PNG"), tmp_path / "a.png"):
        assert np.array_equal(canvas(image, tiny.HYBRID), expected)


WHOLE_JPEG = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)), "JPEG")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"", "not an image in a known format"),
        (b"GIF89a", "cannot be decoded|not an image"),
        (WHOLE_JPEG[: len(WHOLE_JPEG) // 2], "cannot be decoded: .*truncated"),
        (Path("absent.png"), "cannot be decoded: .*No such file"),
        (encoded(Image.new("1", (11_000, 11_000)), "PNG"), "11000x11000 pixels; expected at most 100000000"),
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), "cannot be decoded: .*exceeds limit"),
        (Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32)), "not finite"),
        (Image.fromarray(np.full((4, 4), np.inf, dtype=np.float32)), "not finite"),
        (Image.fromarray(np.full((4, 4), 1e6, dtype=np.float32)), "holds values from 1000000.0 to 1000000.0"),
        (Image.fromarray(np.full((4, 4), -5, dtype=np.int32)), "holds values from -5 to -5"),
    ],
)
def test_invalid_images_are_rejected(image: bytes | Path | Image.Image, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        canvas(image, tiny.HYBRID)
