"""PDFs as books: text without running heads, figures with their captions, sections by the outline."""

import io
from collections.abc import Sequence
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.base.source import InputError
from sources.books.captions import is_printed_caption
from sources.books.pdf.regions import Region, _take_parts, _together
from sources.books.source import Books

TIDES = (
    "The sea rises and falls twice a day. At the harbour wall the keeper reads the gauge every hour and writes the "
    "height into a book. Figure 1 shows one day of his readings, from the first light until the lamps are lit, and the "
)
GOES_ON = "boats that leave on the ebb come home on the flood. Nobody needs a clock who has the book at hand. "
WINDS = "In autumn the wind turns to the west, and the water stands higher than the moon alone would have it. "


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of two chapters on three pages, with a drawing on the first one."""
    document = pymupdf.open()
    for _ in range(3):
        document.new_page(width=420, height=595)
    pages = list(document)
    for number, page in enumerate(pages, 1):
        page.insert_text((60, 40), "A book of tides", fontsize=8)
        page.insert_text((205, 570), str(number), fontsize=8)
    _write(pages[0], 70, f"<h2>1 Tides</h2><p>{TIDES[:200]}</p>")
    _draw_curve(pages[0])
    _write(pages[0], 400, "<p style='font-size:9px'>Figure 1: One day of readings</p>")
    _write(pages[0], 440, f"<p>{TIDES[200:]}</p>")
    _write(pages[1], 70, f"<p>{GOES_ON}</p><p>{GOES_ON * 3}</p>")
    _write(pages[2], 70, f"<h2>2 Winds</h2><p>{WINDS * 4}</p>")
    document.set_toc([[1, "1 Tides", 1], [1, "2 Winds", 3]])
    path = tmp_path_factory.mktemp("books") / "tides.pdf"
    document.save(path)
    return path


def _write(page: pymupdf.Page, top: float, html: str) -> None:
    page.insert_htmlbox(pymupdf.Rect(60, top, 360, top + 140), html)


def _draw_curve(page: pymupdf.Page) -> None:
    shape = page.new_shape()
    for k in range(12):
        low, high = 340 - 8 * (k % 5), 300 + 6 * (k % 3)
        shape.draw_bezier((80 + 20 * k, low), (86 + 20 * k, high), (94 + 20 * k, high), (100 + 20 * k, low + 10))
    shape.draw_line((80, 260), (80, 380))
    shape.draw_line((80, 380), (340, 380))
    shape.finish(color=(0, 0, 0.6), width=1.5)
    shape.commit()
    page.insert_text((84, 392), "0 h", fontsize=8)
    page.insert_text((310, 392), "24 h", fontsize=8)


def samples(path: Path, **settings: object) -> Sequence[Sample]:
    with Books(**settings).open(path) as items:  # type: ignore[arg-type]
        return [items[k] for k in range(len(items))]


def test_chapters_are_sections_without_running_heads(manual: Path) -> None:
    tides, winds = samples(manual, max_tokens=1500)
    assert tides.text is not None
    assert winds.text is not None
    assert tides.text.startswith("# 1 Tides")
    assert winds.text.startswith("# 2 Winds")
    text = " ".join(tides.text.split())
    assert "A book of tides" not in text
    assert f"{TIDES[200:].strip()} {GOES_ON.strip()}" in text  # one paragraph on two pages
    assert "0 h" not in text  # a label of the drawing
    assert "<image>\n\nFigure 1: One day of readings" in tides.text


def test_the_figure_is_drawn_whole_and_has_its_caption(manual: Path) -> None:
    (figure,) = samples(manual, samples="captions", mentions=1)
    assert figure.text is not None
    caption, mention = figure.text.removeprefix("<image>\n").split("\n\n")
    assert caption == "Figure 1: One day of readings"
    assert "Figure 1 shows one day" in " ".join(mention.split())
    (image,) = figure.images
    grey = Image.open(io.BytesIO(image.data)).convert("L")
    frame = grey.point(lambda value: 255 * (value < 128)).getbbox()
    assert frame is not None
    assert 0 <= frame[0] < 12
    assert grey.height - frame[3] < 20
    assert image.width / image.height == pytest.approx(265 / 135, rel=0.15)


def test_other_settings_do_not_see_what_earlier_ones_marked(manual: Path) -> None:
    strict = samples(manual, min_side_px=1000)
    assert [flag for sample in strict for flag in sample.flags] == ["dropped_icon"]
    assert sum(len(sample.images) for sample in samples(manual)) == 1


def test_a_book_of_scans_has_no_text(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page().draw_circle((200, 200), 80)
    document.save(tmp_path / "scan.pdf")
    with pytest.raises(InputError) as caught:
        samples(tmp_path / "scan.pdf")
    assert caught.value.cause == "no_text"


def test_mentions_at_the_beginning_of_a_paragraph_are_no_captions() -> None:
    for text in (
        "Figure 3-5 Special registers",
        "Figure 3.1: The flow",
        "Fig. 4",
        "图2-1 结构",
        "Figure A.1 The keeper",
    ):
        assert is_printed_caption(text), text
    for text in ("Figure 3-5 shows the difference", "Figure 4, which", "Figures 3 and 4 show", "Figure 3.1 is drawn"):
        assert not is_printed_caption(text), text


def test_a_caption_at_the_top_of_a_column_ends_the_paragraph_of_the_column_before(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=595, height=420)
    words = "the keeper reads the gauge and writes the height into a book that has no number and no name and so "
    page.insert_htmlbox(pymupdf.Rect(40, 60, 285, 380), f"<p style='text-align:justify'>{words * 9}</p>")
    shape = page.new_shape()
    for k in range(12):
        low = 140 - 8 * (k % 5)
        shape.draw_bezier((320 + 16 * k, low), (324 + 16 * k, 70), (330 + 16 * k, 72), (336 + 16 * k, low + 4))
    shape.finish(color=(0, 0, 0.6), width=1.5)
    shape.commit()
    page.insert_htmlbox(pymupdf.Rect(310, 155, 555, 190), "<p>Figure 5. A day of readings at the harbour.</p>")
    page.insert_htmlbox(pymupdf.Rect(310, 195, 555, 380), f"<p style='text-align:justify'>{words * 5}</p>")
    document.save(tmp_path / "a.pdf")
    (sample,) = samples(tmp_path / "a.pdf")
    assert sample.text is not None
    assert "<image>\n\nFigure 5. A day of readings at the harbour." in sample.text


def test_parts_of_a_figure_above_each_other_are_one_and_marks_in_its_caption_are_none() -> None:
    lines = [
        ("(b)", (40.0, 202.0, 55.0, 212.0)),
        ("A long line of text between two drawings", (40.0, 60.0, 240.0, 70.0)),
    ]
    below = Region((50.0, 215.0, 250.0, 360.0), caption=7)
    bare = [Region((60.0, 80.0, 250.0, 200.0)), Region((60.0, 10.0, 250.0, 55.0))]
    _take_parts(below, bare, lines)
    assert below.box == (50.0, 80.0, 250.0, 360.0)
    assert [part.box[1] for part in bare] == [10.0]  # text is between
    caption = (50.0, 365.0, 250.0, 375.0)
    assert _together(below.box, (90.0, 376.0, 120.0, 390.0), caption) == below.box
    assert _together((50.0, 80.0, 100.0, 200.0), (120.0, 80.0, 250.0, 210.0), caption) == (50.0, 80.0, 250.0, 210.0)
