"""Words of PDF pages: those that are not seen are dropped, text layers of scans are kept."""

from pathlib import Path

import numpy as np
import pytest

from sources.pdfs.coverage import covered_share
from sources.pdfs.visibility import seen_words
from tests.pdf_pages import HIDDEN, VISIBLE, image_object, layer_text, scan_page, scan_pixels, text_at, visible_text
from tests.pdf_pages import write_page as write
from tests.sources.test_pdfs import pages

TRANSPARENT = b"/ExtGState << /T << /ca 0 >> >>"
HIDDEN_WAYS = {
    "white on white": b"1 g " + text_at(60, 600, HIDDEN) + b"0 g ",
    "pale": b"0.97 g " + text_at(60, 600, HIDDEN) + b"0 g ",
    "its background's colour": b"1 0 0 rg 50 590 400 30 re f " + text_at(60, 600, HIDDEN) + b"0 g ",
    "covered by a shape": text_at(60, 600, HIDDEN) + b"0.8 0.8 1 rg 50 590 400 30 re f 0 g",
    "invisible": text_at(60, 600, HIDDEN, before=b"3 Tr") + b"BT 0 Tr ET",
    "transparent": b"q /T gs " + text_at(60, 600, HIDDEN) + b"Q",
    "clipped by a path": b"q 300 700 1 1 re W n " + text_at(60, 600, HIDDEN) + b"Q",
    "for clipping only": b"q " + text_at(60, 600, HIDDEN, before=b"7 Tr") + b"Q",
    "half a point high": text_at(60, 600, HIDDEN, size=0.5),
}


@pytest.mark.parametrize("way", HIDDEN_WAYS)
def test_words_that_are_not_seen_are_dropped_and_counted(tmp_path: Path, way: str) -> None:
    content = visible_text() + HIDDEN_WAYS[way] + b"\n" + visible_text(500)
    (sample,) = pages(write(tmp_path / "a.pdf", content, resources=TRANSPARENT))
    assert sample.plain_text().split() == " ".join(VISIBLE * 2).split()
    assert list(sample.words.texts) == " ".join(VISIBLE * 2).split()
    if "clip" not in way:  # MuPDF gives no words that are clipped
        assert sample.flags == ["hidden_text"]
        assert sample.measures["hidden_words"] == pytest.approx(2 / (len(sample.words.texts) + 2))


def test_what_is_seen_is_kept(tmp_path: Path) -> None:
    """Punctuation, coloured and grey text, and white text on a dark shape."""
    shown = [
        text_at(60, 700, "- . , ' _ . . . . . . ........ ____________ ------ |"),
        b"0.7 g " + text_at(60, 660, "Grey enough to be read by everybody") + b"0 g ",
        b"0 0 0.5 rg 50 610 400 26 re f 1 g " + text_at(60, 620, "White words on a dark blue bar") + b"0 g ",
        b"0.5 g 50 570 400 26 re f 0.85 0.3 0.3 rg " + text_at(60, 580, "Red of about the same grey") + b"0 g ",
        text_at(60, 540, "Small print of five points is a matter for another filter", size=5),
    ]
    (sample,) = pages(write(tmp_path / "a.pdf", b"".join(shown)))
    assert sample.measures["hidden_words"] == 0
    assert sample.flags == []


def test_words_below_a_picture_are_dropped(tmp_path: Path) -> None:
    """The picture itself has contrast there; a caption on it stays."""
    photo = scan_pixels().resize((400, 200)).rotate(180)
    paint = b"q 400 0 0 200 60 400 cm /I Do Q\n"
    content = visible_text() + text_at(80, 500, HIDDEN) + paint + b"1 0 0 rg " + text_at(80, 440, "Caption") + b"0 g "
    path = write(tmp_path / "a.pdf", content, resources=b"/XObject << /I 6 0 R >>", objects=[image_object(photo)])
    (sample,) = pages(path)
    assert "Nobodysees" not in sample.plain_text()
    assert "Caption" in sample.words.texts
    assert sample.flags == ["hidden_text"]


@pytest.mark.parametrize("turn", [0, 90])
def test_words_below_a_shape_with_other_words_on_it_are_dropped(tmp_path: Path, turn: int) -> None:
    lower = visible_text() + text_at(60, 500, "Overpainted sentence") + b"0 1 1 rg 50 490 200 30 re f 0 g "
    both = (
        lower + text_at(60, 500, "Written uppermost instead") + text_at(60, 400, "twice") + text_at(60.3, 400, "twice")
    )
    (sample,) = pages(write(tmp_path / "a.pdf", both, extra=b"/Rotate %d" % turn))
    assert "Overpainted" not in sample.words.texts
    assert "sentence" not in sample.words.texts
    assert {"Written", "uppermost", "instead", "twice"} <= set(sample.words.texts)
    assert sample.flags == ["hidden_text"]


LAYERS = {
    "invisible over it": {"over": layer_text(b"3 Tr")},
    "under it": {"under": layer_text()},
    "transparent over it": {"over": b"/T gs " + layer_text()},
}


@pytest.mark.parametrize("num_strips", [1, 7])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_text_layer_of_a_scan_is_kept(tmp_path: Path, layer: str, num_strips: int) -> None:
    (sample,) = pages(scan_page(tmp_path / "a.pdf", num_strips=num_strips, **LAYERS[layer]))
    assert sample.flags == ["scan", "ocr_layer"]
    assert sample.plain_text().split() == " ".join([*VISIBLE * 13, VISIBLE[0]]).split()
    assert sample.measures["needs_ocr"] < 0.5
    assert sample.use_case is None


def test_a_stamp_on_a_scan_is_not_its_text(tmp_path: Path) -> None:
    (sample,) = pages(scan_page(tmp_path / "a.pdf", over=text_at(400, 20, "EXHIBIT 000123")))
    assert sample.flags == ["scan", "needs_ocr_stamp_only"]
    assert sample.measures["needs_ocr"] > 0.9
    (bare,) = pages(scan_page(tmp_path / "b.pdf"))
    assert bare.flags == ["scan", "needs_ocr_no_words"]
    assert bare.measures["needs_ocr"] == 1


def test_white_text_over_a_scan_is_no_text_of_it(tmp_path: Path) -> None:
    """It would read as a page number, but the paper between the lines is as white."""
    (sample,) = pages(scan_page(tmp_path / "a.pdf", over=b"0.98 g " + text_at(400, 14, "Unseen words") + b"0 g "))
    assert sample.plain_text() == ""
    assert "needs_ocr_no_words" in sample.flags


def test_a_layer_in_the_wrong_place_needs_ocr(tmp_path: Path) -> None:
    (sample,) = pages(scan_page(tmp_path / "a.pdf", over=b"1 0 0 1 0 -9 cm " + layer_text(b"3 Tr")))
    assert sample.flags[:2] == ["scan", "ocr_layer"]
    (far,) = pages(scan_page(tmp_path / "b.pdf", over=b"0.7 0 0 1 190 0 cm " + layer_text(b"3 Tr")))
    assert far.flags == ["scan", "ocr_layer", "needs_ocr_misplaced_layer"]
    assert far.measures["needs_ocr"] == 1


def test_images_are_united_and_small_letters_are_no_seen_words() -> None:
    strips = np.array([[0, 0, 100, 30], [0, 30, 100, 60], [0, 0, 100, 60]], np.float64)
    assert covered_share(strips, (100, 100)) == pytest.approx(0.6, abs=0.01)
    assert covered_share(np.zeros((0, 4)), (100, 100)) == 0
    grey = np.full((100, 100), 255, np.uint8)
    grey[50, 10:90] = 0
    rgb = np.repeat(grey[..., None], 3, axis=2)
    boxes = np.array([[10, 40, 90, 60], [10, 70, 90, 90], [10, 50, 20, 51]], np.float32)
    assert list(seen_words(rgb, grey, ["underlined", "nothing", "tinyletters"], boxes)) == [True, False, False]
