"""Damage of PDF pages, the second engine, and files that are opened in part or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest

from filters.damage import MaxDamage
from sources.base.source import InputError, ItemError
from sources.pdfs import mupdf_page
from sources.pdfs.damage import damage_of_warnings
from sources.pdfs.page import DrawnPage
from sources.pdfs.source import Pdfs
from sources.text.words import compose
from tests import pdf_files
from tests.pdf_files import pdf_bytes, stream
from tests.pdf_pages import TREE, VISIBLE, image_object, scan_pixels, text_at, visible_text
from tests.pdf_pages import write_page as write
from tests.sources.conftest import MakePdf
from tests.sources.test_pdfs import pages, read, similarity

TEXT = " ".join(VISIBLE)


# Damage


def test_an_error_of_syntax_is_said_and_kept(tmp_path: Path) -> None:
    content = visible_text() + b"BT /F 11 Tf <zz> ( Tj )) >> ] ET\n" + visible_text(600)
    (sample,) = pages(write(tmp_path / "a.pdf", content))
    assert "damaged" in sample.flags
    assert 0 < sample.measures["damage"] < MaxDamage().share


def test_content_that_is_missing_or_no_content_is_an_error_row(tmp_path: Path) -> None:
    lost = write(tmp_path / "lost.pdf", b"", extra=b"")
    lost.write_bytes(lost.read_bytes().replace(b"/Contents 4 0 R", b"/Contents 5 0 R"))  # a font
    noise = write(tmp_path / "noise.pdf", visible_text() + b"zz )) >> ] " * 400 + visible_text(600))
    gone = write(tmp_path / "gone.pdf", b"")
    gone.write_bytes(gone.read_bytes().replace(b"/Contents 4 0 R", b"/Contents 9 0 R"))  # there is no such object
    for path in (lost, noise, gone):
        (error,) = read(path)
        assert isinstance(error, ItemError)
        assert error.cause == "damaged_page"
        assert str(path) not in error.message


def test_a_picture_that_ends_early_counts_as_much_as_it_covers(tmp_path: Path) -> None:
    resources = b"/XObject << /I 6 0 R >>"
    damages = []
    for size in (100, 450):
        content = visible_text() + b"q %d 0 0 %d 60 60 cm /I Do Q" % (size, size)
        objects = [image_object(scan_pixels(), cut=0.4)]
        (sample,) = pages(write(tmp_path / f"{size}.pdf", content, resources=resources, objects=objects))
        assert "damaged" in sample.flags
        damages.append(sample)
    small, large = damages
    assert small.measures["damage"] == pytest.approx(0.1)
    assert large.measures["damage"] == pytest.approx(450 * 450 / (595 * 842), abs=0.02)
    assert [MaxDamage().rejects(scores) for scores in MaxDamage().scores([small, large])] == [None, "damaged_page"]


@pytest.mark.parametrize(
    ("warnings", "damage"),
    [
        ("ICC colorspace N=3 does not match profile N=1 (ignoring profile)", 0),
        ("encountered syntax errors; page may not be correct", 0),
        ("syntax error: unknown keyword: 'xx'", 0.01),
        ("ignoring zlib error: incorrect data check", 0.05),
        ("syntax error: array not closed before end of file", 0.01),
        ("syntax error: syntax error in content stream\n... repeated 9 times...", 0.1),
        ("library error: zlib error: invalid distance too far back\nread error; treating as end of file", 0.3),
        ("cannot load content stream part 2/4", 0.25),
        ("cannot load content stream part 1/1", 1),
        ("too many syntax errors; ignoring rest of page", 1),
        ("openjpeg error: Malformed JP2 file format", 0.5),
        ("library error: FT_New_Memory_Face(ABC+Some): unknown file format", 0.05),
    ],
)
def test_warnings_tell_how_much_is_lost(warnings: str, damage: float) -> None:
    half = np.array([[0.0, 0.0, 100.0, 50.0]])
    assert damage_of_warnings(warnings, half, (100, 100)) == pytest.approx(damage, abs=0.02)


def test_damage_of_a_page_does_not_depend_on_the_pages_before(tmp_path: Path) -> None:
    """MuPDF warns once about an image that two pages show."""
    content = stream(visible_text() + b"q 300 0 0 300 60 60 cm /I Do Q")
    page = pdf_files.A4 + b"/Contents 5 0 R /Resources << /Font << /F 6 0 R >> /XObject << /I 7 0 R >> >> >>"
    tree = b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>"
    cut = image_object(scan_pixels(), cut=0.4)
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes([pdf_files.CATALOG, tree, page, page, content, pdf_files.FONT, cut]))
    first, second = pages(path)
    assert first.measures == second.measures
    assert first.flags == second.flags == ["damaged"]


# The second engine


def test_the_other_way_to_read_a_page_gives_the_same_words(pdf: MakePdf) -> None:
    for name in ("one_column_chromium", "rotated", "cropped", "form"):
        with Pdfs().open(pdf(name)) as items:
            for k in range(len(items)):
                first, second = items[k], items.read_otherwise(k)
                assert second is not None
                assert second.flags == ["drawn_by_pdfium"]
                assert second.id == first.id
                assert np.abs(np.subtract(second.image_sizes(), first.image_sizes())).max() <= 1
                if name == "form":  # only the first engine knows which value belongs to which label
                    assert sorted(second.words.texts) == sorted(first.words.texts)
                else:
                    assert similarity(second.plain_text(), first.plain_text()) > 0.9
                places = dict(zip(first.words.texts, first.words.boxes, strict=True))
                both = [
                    (places[text], box)
                    for text, box in zip(second.words.texts, second.words.boxes, strict=True)
                    if list(first.words.texts).count(text) == list(second.words.texts).count(text) == 1
                ]
                assert len(both) > 5
                for one, other in both:
                    assert np.abs(one + other[[0, 1, 2, 3]] - 2 * other).max() < 8


@pytest.mark.parametrize("level", [255, 0])
def test_a_page_that_the_first_engine_leaves_empty_or_black_is_drawn_by_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    """MuPDF does so with kinds of JBIG2 that it does not decode."""
    path = write(tmp_path / "a.pdf", visible_text())
    draw = mupdf_page.draw

    def draw_nothing(*arguments: Any) -> DrawnPage:
        page = draw(*arguments)
        page.pixels = np.full_like(page.pixels, level)
        return page

    monkeypatch.setattr(mupdf_page, "draw", draw_nothing)
    (sample,) = pages(path)
    assert sample.flags == ["drawn_by_pdfium"]
    assert sample.plain_text().split() == TEXT.split()
    # A page that is empty indeed stays what it is.
    (blank,) = pages(write(tmp_path / "b.pdf", b""))
    assert blank.flags == []


def test_files_that_the_first_engine_cannot_open_are_read_by_the_second(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("forged_count"))
    assert sample.flags == ["repaired", "drawn_by_pdfium"]


# Files


def test_an_unknown_encryption_is_no_damage(pdf: MakePdf, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf("encrypted").read_bytes().replace(b"/Filter/Standard", b"/Filter/AnyOther"))
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.cause == "unsupported_encryption"


def test_restrictions_of_the_owner_are_flagged(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((60, 60), TEXT[:60])
    for name, permissions in (("free", -1), ("restricted", pymupdf.mupdf.PDF_PERM_PRINT)):
        options = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "owner_pw": "owner", "permissions": permissions}
        document.save(tmp_path / f"{name}.pdf", **options)
    assert pages(tmp_path / "free.pdf")[0].flags == []
    assert pages(tmp_path / "restricted.pdf")[0].flags == ["owner_restricted"]


@pytest.mark.parametrize("needs_rendering", [True, False])
def test_the_notice_of_a_form_that_is_not_built_is_no_page(tmp_path: Path, needs_rendering: bool) -> None:
    flag = b"/NeedsRendering true" if needs_rendering else b""
    catalog = b"<< /Type /Catalog /Pages 2 0 R " + flag + b" /AcroForm << /Fields [] /XFA 6 0 R >> >>"
    notice = text_at(60, 780, "Please wait...") + visible_text(700)
    (error,) = read(write(tmp_path / "a.pdf", notice, catalog=catalog, objects=[stream(b"<xdp:xdp/>")]))
    assert isinstance(error, ItemError)
    assert error.cause == "dynamic_form"
    # A form that has its pages is read.
    static = catalog.replace(flag, b"")
    (sample,) = pages(write(tmp_path / "b.pdf", visible_text(), catalog=static, objects=[stream(b"<xdp:xdp/>")]))
    assert sample.flags == []


def test_every_exception_of_a_library_is_an_error_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.pdf", visible_text())

    def fail(*_: object) -> None:
        raise KeyError("a built-in exception")

    monkeypatch.setattr("sources.pdfs.pdfium_page.draw", fail)
    monkeypatch.setattr(pymupdf.Page, "get_displaylist", fail)
    (error,) = read(path)
    assert isinstance(error, ItemError)
    assert error.cause == "unreadable_page"


# Letters


def symbol_font(name: bytes, differences: bytes, glyph: int) -> tuple[bytes, bytes]:
    """Return a font of squares without a map to Unicode, and its only glyph, which has this object number."""
    names = [item for item in differences.split() if item.startswith(b"/")]
    font = (
        b"<< /Type /Font /Subtype /Type3 /Name /" + name + b" /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0]"
        b" /CharProcs << "
        + b" ".join(b"%s %d 0 R" % (each, glyph) for each in names)
        + b" >> /Encoding << /Type /Encoding /Differences ["
        + differences
        + b"] >> /FirstChar 0 /LastChar 127 /Widths ["
        + b"800 " * 128
        + b"] /Resources << >> >>"
    )
    return font, stream(b"800 0 0 0 700 700 d1 0 0 500 700 re f")


def test_letters_that_their_font_identifies_are_named(tmp_path: Path) -> None:
    """A sum and brackets of TeX's extension font, and an equals sign of a Pi font."""
    page = pdf_files.A4 + b"/Contents 4 0 R /Resources << /Font << /F 5 0 R /X 6 0 R /P 8 0 R /Q 10 0 R >> >> >>"
    content = stream(
        b"BT /F 12 Tf 60 700 Td (Every sum is ) Tj /X 12 Tf <00> Tj /F 12 Tf (x) Tj /X 12 Tf <0110> Tj"
        b" /F 12 Tf ( and ) Tj /P 12 Tf <02> Tj /F 12 Tf ( or ) Tj /Q 12 Tf <03> Tj ET"
    )
    fonts = [
        *symbol_font(b"CMEX10", b"0 /bigleft /bigright 16 /bigger", 7),
        *symbol_font(b"MathematicalPi-One", b"2 /H11005", 9),
        *symbol_font(b"Unheard", b"3 /G03", 11),
    ]
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes([pdf_files.CATALOG, TREE, page, content, pdf_files.FONT, *fonts]))
    (sample,) = pages(path)
    assert sample.plain_text() == "Every sum is (x)( and = or \ufffd"


def test_private_codes_with_a_known_meaning_are_letters() -> None:
    assert compose(["\uf0b7\uf0a7\uf8eb\uf8f8\uf8fc\ue123"]) == ["•▪⎛⎠⎫\ue123"]
