"""The images source: files of every format to upright pictures, and their text as PaddleOCR reads it."""

import struct
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, TiffImagePlugin

from filters.filter import Scores
from filters.ocr_agreement import OcrAgreement
from filters.ocr_confidence import MinOcrConfidence
from sources.base.sample import Sample, to_part
from sources.base.source import InputError, ItemError
from sources.paddle_ocr.reader import Line
from sources.paddle_ocr.turns import boxes_before
from sources.paddle_ocr.words import words_of
from sources.pdfs.source import Pdfs
from sources.pictures.picture_file import open_picture
from sources.pictures.source import Pictures

MAX_PIXELS = 1_000_000
LEFT = (
    "The keeper of the light walks up the stairs at dusk and counts every one of the steps as he climbs to the lamp. "
    "He cleans the glass, fills the bowl with oil and waits until the last of the sun has gone."
)
RIGHT = (
    "Below him the harbour grows dark, and the boats that are late look for his lamp across the grey water at night. "
    "Some of them have no clock on board and know the hour by how high it is in the sky."
)


def decode(path: Path, item: int = 0, max_pixels: int = MAX_PIXELS) -> Image.Image:
    with open_picture(path, max_pixels) as pages:
        return pages.page(item)


def halves(mode: str = "RGB") -> Image.Image:
    """A picture of 40 × 20 pixels, dark on the left."""
    picture = Image.new("L", (40, 20), 250)
    picture.paste(10, (0, 0, 20, 20))
    return picture.convert(mode)


def test_formats_and_modes_give_the_same_picture(tmp_path: Path) -> None:
    known = np.asarray(halves("L")).astype(int)
    deep = Image.fromarray(np.asarray(halves("L")).astype(np.uint16) * 257)
    real = Image.fromarray((np.asarray(halves("L")).astype(np.float32) - 10) / 240)
    palette = halves().quantize(4)
    bits = halves("L").convert("1", dither=Image.Dither.NONE)
    files = {
        "rgb.png": halves(), "grey.png": halves("L"), "deep.png": deep, "deep.tif": deep, "real.tif": real,
        "palette.gif": palette, "palette.bmp": palette, "cmyk.tif": halves("CMYK"), "colour.webp": halves(),
        "modern.avif": halves(), "cmyk.jpg": halves("CMYK"), "bits.tif": bits,
    }  # fmt: skip
    for name, picture in files.items():
        options = {"lossless": True} if name.endswith("webp") else {}
        picture.save(tmp_path / name, **options)
        found = decode(tmp_path / name)
        assert found.mode in ("L", "RGB"), name
        grey = np.asarray(found.convert("L")).astype(int)
        assert abs(grey - known)[:, [5, 35]].max() <= 12, name


def test_pictures_are_upright_and_on_white(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    halves().save(tmp_path / "turned.jpg", exif=exif)
    turned = decode(tmp_path / "turned.jpg").convert("L")
    assert turned.size == (20, 40)
    assert turned.getpixel((10, 5)) < 60 < 200 < turned.getpixel((10, 35))
    exif[0x0112] = 77  # there is no such turn
    halves().save(tmp_path / "lies.jpg", exif=exif)
    assert decode(tmp_path / "lies.jpg").size == (40, 20)
    clear = Image.new("P", (40, 20), 1)
    clear.putpalette([0, 0, 0, 200, 0, 0])
    clear.save(tmp_path / "clear.png", transparency=1)
    assert decode(tmp_path / "clear.png").convert("RGB").getpixel((3, 3)) == (255, 255, 255)


def test_pages_of_a_tiff_without_thumbnails_and_masks(tmp_path: Path) -> None:
    pages = [Image.new("L", (40, 20), shade) for shade in (10, 90, 170)]
    thumbnail = TiffImagePlugin.ImageFileDirectory_v2()
    thumbnail[254] = 1
    pages[1].encoderinfo = {"tiffinfo": thumbnail}
    path = tmp_path / "pages.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with open_picture(path, MAX_PIXELS) as found:
        assert len(found) == 2
        assert [found.page(item).getpixel((0, 0)) for item in (1, 0)] == [170, 10]


def broken_chain(path: Path, target: int) -> None:
    """Let the last directory of a TIFF lead to another place."""
    data = bytearray(path.read_bytes())
    offset = struct.unpack_from("<I", data, 4)[0]
    while True:
        end = offset + 2 + 12 * struct.unpack_from("<H", data, offset)[0]
        following = struct.unpack_from("<I", data, end)[0]
        if not following:
            break
        offset = following
    struct.pack_into("<I", data, end, target)
    path.write_bytes(data)


@pytest.mark.parametrize("target", [8, 10_000_000])
def test_pages_before_a_broken_directory_are_read(tmp_path: Path, target: int) -> None:
    pages = [Image.new("L", (40, 20), shade) for shade in (10, 90)]
    path = tmp_path / "pages.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    first = struct.unpack_from("<I", path.read_bytes(), 4)[0]
    broken_chain(path, first if target == 8 else target)
    with open_picture(path, MAX_PIXELS) as found:
        assert len(found) == 3
        assert [found.page(item).getpixel((0, 0)) for item in (0, 1)] == [10, 90]
        with pytest.raises(ItemError, match="other pages cannot be found") as caught:
            found.page(2)
        assert caught.value.cause == "damaged_directory"


def test_animations_are_their_first_frame(tmp_path: Path) -> None:
    halves().save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (40, 20), "red")])
    with open_picture(tmp_path / "moving.gif", MAX_PIXELS) as found:
        assert len(found) == 1
        assert found.flags == ("animated",)
        assert found.page(0).convert("L").getpixel((5, 5)) < 60


def test_bad_files_are_errors_with_a_cause(tmp_path: Path) -> None:
    halves().save(tmp_path / "good.jpg")
    good = (tmp_path / "good.jpg").read_bytes()
    heic = b"\0\0\0\x18ftypheic" + bytes(40)
    inputs = {
        "empty_file": b"", "not_an_image": b"<html>no picture</html>", "damaged": b"II*\0\xff\xff\xff\x7f",
        "no_decoder": heic,
    }  # fmt: skip
    for cause, data in inputs.items():
        path = tmp_path / "bad.jpg"
        path.write_bytes(data)
        with pytest.raises(InputError) as caught, open_picture(path, MAX_PIXELS):
            pass
        assert caught.value.cause == cause
    (tmp_path / "cut.jpg").write_bytes(good[:-30])
    with pytest.raises(ItemError) as damaged:
        decode(tmp_path / "cut.jpg")
    assert damaged.value.cause == "damaged_image"
    with pytest.raises(ItemError, match="40 × 20 pixels, more than 799") as large:
        decode(tmp_path / "good.jpg", max_pixels=799)
    assert large.value.cause == "image_too_large"


def test_settings_are_checked_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ocr_min_confidence must be between 0 and 1"):
        Pictures(ocr_min_confidence=2)
    with pytest.raises(ValueError, match=r"images\.ocr_models expects a folder with PaddleOCR's ONNX models"):
        Pictures(ocr_models=str(tmp_path))
    with pytest.raises(ValueError, match=r"pdfs\.ocr_models expects a folder"):
        Pdfs(ocr="paddle", ocr_models=str(tmp_path))
    with pytest.raises(ValueError, match="ocr must be none or paddle, got 'tesseract'"):
        Pdfs(ocr="tesseract")
    assert "ocr" not in Pdfs().fingerprint()  # parts that were made before it are used again


def test_words_are_cut_where_there_is_no_ink() -> None:
    grey = np.full((100, 300), 255, np.uint8)
    for x0, x1 in ((20, 60), (64, 100), (130, 140), (160, 280)):  # the first two are one word
        grey[26:34, x0:x1] = 0
    quad = np.array([[15, 15], [285, 15], [285, 45], [15, 45]], np.float32)
    words, boxes = words_of([Line("light a lamp", quad, 0.9, (0.36, 0.5))], grey)
    assert list(words.texts) == ["light", "a", "lamp"]
    np.testing.assert_allclose(boxes[:, [0, 2]], [[20, 100], [130, 140], [160, 280]], atol=1)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_boxes_of_a_turned_picture_lead_back(turns: int) -> None:
    picture = np.zeros((60, 100), bool)
    picture[10:20, 30:70] = True
    y, x = np.nonzero(np.rot90(picture, turns))
    box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]])
    assert boxes_before(box, turns, 100, 60).tolist() == [[30, 10, 70, 20]]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    """A page of two columns as a picture."""
    document = pymupdf.open()
    page = document.new_page(width=500, height=260)
    for left, text in ((20, LEFT), (260, RIGHT)):
        page.insert_htmlbox(pymupdf.Rect(left, 40, left + 220, 250), f"<p style='font-size:15px'>{text}</p>")
    pixmap = page.get_pixmap(dpi=144)
    return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def read(path: Path) -> Sample:
    with Pictures().open(path) as pages:
        return pages[0]


def plain(sample: Sample) -> str:
    return " ".join(sample.plain_text().split())


def test_a_skewed_scan_is_read_in_order_with_boxes(tmp_path: Path, scanned: Image.Image) -> None:
    scanned.rotate(1.5, Image.Resampling.BICUBIC, fillcolor="white").save(tmp_path / "skewed.png")
    sample = read(tmp_path / "skewed.png")
    assert plain(sample) == f"{LEFT} {RIGHT}"
    assert sample.flags == ["ocr_text"]
    assert sample.measures["ocr_confidence"] > 0.95
    assert sample.measures["needs_ocr"] == 0
    assert list(sample.words.texts) == [*LEFT.split(), *RIGHT.split()]
    grey = np.asarray(scanned.rotate(1.5, Image.Resampling.BICUBIC, fillcolor="white").convert("L"))
    scale = scanned.width / sample.images[0].width
    for x0, y0, x1, y1 in (sample.words.boxes * scale).astype(int).tolist():
        assert grey[y0:y1, x0:x1].min() < 128
    (agreement,) = OcrAgreement().scores([sample])  # the same engine read it
    assert agreement.values == {"ocr_agreement": None}


def test_pages_upside_down_are_read(tmp_path: Path, scanned: Image.Image) -> None:
    scanned.rotate(180).save(tmp_path / "down.png")
    sample = read(tmp_path / "down.png")
    assert plain(sample) == f"{LEFT} {RIGHT}"
    assert sample.flags == ["ocr_text", "turned"]
    first, last = sample.words.boxes[0], sample.words.boxes[-1]
    assert first[0] > sample.images[0].width / 2 > last[0]
    assert first[1] > last[1]


def test_pictures_without_text_have_a_reason(tmp_path: Path) -> None:
    picture = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(picture).polygon([(40, 200), (160, 30), (280, 200), (160, 160)], fill="teal")
    picture.save(tmp_path / "arrow.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    demanding = MinOcrConfidence()
    for name in ("arrow.png", "dot.png"):
        sample = read(tmp_path / name)
        assert not sample.flags
        assert demanding.rejects(demanding.scores([sample])[0]) == "no_ocr_text"
    assert demanding.rejects(Scores(values={"ocr_confidence": 0.85})) == "low_ocr_confidence"
    assert demanding.rejects(Scores(values={"ocr_confidence": None})) is None


def test_only_pages_of_pdfs_without_usable_text_are_read(tmp_path: Path, scanned: Image.Image) -> None:
    scanned.save(tmp_path / "page.png")
    document = pymupdf.open()
    document.new_page(width=500, height=260).insert_image(pymupdf.Rect(0, 0, 500, 260), filename=tmp_path / "page.png")
    document.new_page(width=500, height=260).insert_htmlbox(pymupdf.Rect(20, 40, 480, 200), LEFT)
    document.save(tmp_path / "mixed.pdf")
    with Pdfs(ocr="paddle").open(tmp_path / "mixed.pdf") as pages:
        read, known = pages[0], pages[1]
    assert plain(read) == f"{LEFT} {RIGHT}"
    assert read.flags == ["ocr_text", "scan"]
    assert read.measures["needs_ocr"] == 0
    assert read.use_case is None
    with Pdfs().open(tmp_path / "mixed.pdf") as pages:
        unread, same = pages[0], pages[1]
    assert unread.flags == ["scan", "needs_ocr_no_words"]
    assert unread.images == read.images
    assert to_part([known]).equals(to_part([same]))
