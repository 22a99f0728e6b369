"""Words from characters: gaps, repeated text, directions, and scripts; on pages that are painted in unusual ways."""

import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pytest

from sources.pdfs import characters
from sources.pdfs.mupdf_page import TEXT_FLAGS
from sources.text.bidirectional import clusters_of, in_logical_order
from sources.text.gaps import words_of
from sources.text.page_text import PageText, in_reading_order
from tests import pdf_files
from tests.sources.conftest import MakePdf

SENTENCE = "The ledger keeps every score of every page"
KOREAN = "강가에 돌로 만든 정원이 있고 아침 시장에서는 은빛 양초를 판다."
NUKTA = "सुबह बाज़ार में 12 सेब और 3 नाशपाती ख़रीदी।"
HINDI = "नदी के किनारे पत्थरों का एक बगीचा है। सुबह चाँदी की मोमबत्तियाँ बिकती हैं।"
BENGALI = "নদীর ধারে পাথরের একটি বাগান আছে এবং সেতুতে একটি চিঠি রাখা আছে।"
PERSIAN = "صبح‌ها در بازار ۱۲ شمع نقره‌ای (Silver) به قیمت ۴٫۵۰ می‌فروشند. لاله‌ها و الاغ‌ها."
POINTED = "تُبَاعُ الشُّمُوعُ الفِضِّيَّةُ في الصباح، وفي الغابة جسر صغير."
ARABIC = "في عام 2024 دفع 1,250 زائراً 35.5 دولار للأولاد في السوق (Old Market) قرب شركة ABC Ltd. ولا شيء."
HEBREW = "בבוקר מוכרים 12 נרות (Silver Candles) במחיר 35.5 שקל, מיום 12/03/2024."


def textpage_of(page: pymupdf.Page) -> pymupdf.TextPage:
    return pymupdf.TextPage(page.get_displaylist().get_textpage(TEXT_FLAGS))


def read(page: pymupdf.Page) -> PageText:
    drawn = page.get_displaylist()
    textpage = pymupdf.TextPage(drawn.get_textpage(TEXT_FLAGS))
    return in_reading_order(words_of(characters.characters_of(drawn, textpage, TEXT_FLAGS)))


def text_of(page: pymupdf.Page) -> str:
    return " ".join(read(page).text.split())


def page_of(*pieces: tuple[float, float, str], size: float = 12, **options: object) -> pymupdf.Page:
    """Return a page with texts at x, y."""
    page = pymupdf.open().new_page()
    for x, y, text in pieces:
        page.insert_text((x, y), text, fontsize=size, **options)
    return page


def letters_at(gap: Callable[[str, str], float], text: str, size: float = 12) -> pymupdf.Page:
    """Return a page with one line whose letters are painted one by one, `gap` font sizes from each other."""
    x, pieces = 72.0, []
    for word in text.split():
        for k, letter in enumerate(word):
            pieces.append((x, 100.0, letter))
            x += pymupdf.get_text_length(letter, fontsize=size)
            x += size * gap(letter, " " if k == len(word) - 1 else word[k + 1])
    return page_of(*pieces, size=size)


# Characters


@pytest.mark.parametrize("name", ["one_column_groff", "arabic_chromium", "rotated", "type3_font", "ocr", "turned"])
def test_memory_holds_what_the_bindings_tell(pdf: MakePdf, name: str) -> None:
    if name == "turned":
        textpage = textpage_of(page_of((100, 300, SENTENCE), rotate=90))
    else:
        textpage = textpage_of(pymupdf.open(pdf("scan", ocr_layer=True) if name == "ocr" else pdf(name))[0])
    assert characters._layout_is_known(textpage)
    records, counts, lines = characters._from_memory(textpage)
    expected, expected_counts, expected_lines = characters._from_bindings(textpage)
    assert len(records) > 10
    for field in records.dtype.names[:-1]:
        assert (records[field] == expected[field]).all(), field
    assert (counts == expected_counts).all()
    assert (lines == expected_lines).all()


def test_a_page_without_text_has_no_words() -> None:
    page = pymupdf.open().new_page()
    assert read(page).text == ""
    assert len(read(page).lines) == 0


def test_lines_know_their_font_size_and_direction() -> None:
    page = page_of((72, 100, SENTENCE), size=10)
    page.insert_text((72, 60), "A title", fontsize=24)
    page.insert_text((40, 500), "At the side", fontsize=8, rotate=90)
    lines = read(page).lines
    assert np.allclose(lines.sizes, [24, 10, 8])
    assert lines.directions.tolist() == [[1, 0], [1, 0], [0, -1]]
    assert (lines.boxes[:, 2:] > lines.boxes[:, :2]).all()


# Gaps


@pytest.mark.parametrize("letter_gap", [-0.15, 0.0, 0.05, 0.12])
@pytest.mark.parametrize("word_gap", [0.16, 0.28, 0.6])
def test_a_wider_gap_ends_a_word(letter_gap: float, word_gap: float) -> None:
    page = letters_at(lambda _, after: letter_gap + (word_gap if after == " " else 0), SENTENCE)
    assert text_of(page) == SENTENCE


def test_uneven_letters_are_not_torn() -> None:
    gaps = np.random.default_rng(0).uniform(-0.04, 0.07, len(SENTENCE)).tolist()
    page = letters_at(lambda _, after: 0.28 if after == " " else gaps.pop(), SENTENCE)
    assert text_of(page) == SENTENCE


def test_a_spaced_out_title_is_made_of_words() -> None:
    title = page_of((72, 100, "A N N U A L   R E P O R T"), (72, 140, SENTENCE))
    assert text_of(title) == f"ANNUAL REPORT {SENTENCE}"


@pytest.mark.parametrize("text", ["A B C D E F G H", "1 2 3 4 5 6 7 8", "a = b + c . . . . . 12"])
def test_single_letters_and_numbers_stay_apart(text: str) -> None:
    assert text_of(page_of((72, 100, text))) == text


@pytest.mark.parametrize("gap", [0.0, 3.0])
@pytest.mark.parametrize("bullet", ["•", "●", "→", "■", "✓"])
def test_a_bullet_is_a_word(bullet: str, gap: float) -> None:
    font = pymupdf.Font("cjk")
    page = page_of((72 + font.text_length(bullet, 12) + gap, 100, "item after a bullet"))
    page.insert_font("noto", fontbuffer=font.buffer)
    page.insert_text((72, 100), bullet, fontname="noto", fontsize=12)
    assert text_of(page) == f"{bullet} item after a bullet"


def test_a_raised_label_is_a_word_and_an_exponent_is_not() -> None:
    for parts in (("a", "The first note"), ("14", "C and more"), ("", "10", "3")):
        page, x = pymupdf.open().new_page(), 72.0
        for k, part in enumerate(parts):
            is_raised = k % 2 == 0
            size, y = (7, 96) if is_raised else (12, 100)
            page.insert_text((x, y), part, fontsize=size)
            x += pymupdf.get_text_length(part, fontsize=size)
        assert text_of(page) == "".join(parts).replace("aThe", "a The")


@pytest.mark.parametrize(("letter", "composed"), [("c", "ć"), ("e", "é")])
def test_an_accent_painted_over_a_letter_is_part_of_it(letter: str, composed: str) -> None:
    width = pymupdf.get_text_length("Popovi", fontsize=12)
    page = page_of((72, 100, "Popovi"), (73 + width, 100, "\u00b4"), (72 + width, 100, f"{letter} came"))
    assert text_of(page) == f"Popovi{composed} came"
    assert text_of(page_of((72, 100, "10\u00b4 north"))) == "10\u00b4 north"


def test_letters_on_top_of_each_other_are_read() -> None:
    page = page_of(*((72 - k / 10, 100, f"{letter} ") for k, letter in enumerate("MWOGQDNH")))
    assert sorted(text_of(page).split()) == sorted("MWOGQDNH")


def test_one_letter_is_a_page() -> None:
    with warnings.catch_warnings(action="error"):
        assert text_of(page_of((72, 100, "A"))) == "A"


@pytest.mark.parametrize(("text", "font"), [(KOREAN, "Noto Sans CJK KR"), (HINDI, "Noto Sans"), (BENGALI, "Noto Sans")])
def test_spaces_painted_apart_from_their_words_are_spaces(tmp_path: Path, text: str, font: str) -> None:
    """LibreOffice paints all spaces of a line first, and describes clusters of glyphs by an ActualText."""
    path = pdf_files.libreoffice(tmp_path, "spaces", "fodt", pdf_files.fodt([text], font=font))
    assert text_of(pymupdf.open(path)[0]) == text


def test_korean_lines_keep_the_space_between_them(tmp_path: Path) -> None:
    html = f"<body style='font: 11pt Noto Sans CJK KR; width: 60mm; word-break: keep-all'>{KOREAN}"
    page = pymupdf.open(pdf_files.chromium(tmp_path, "korean", html))[0]
    assert len(read(page).lines) > 1
    assert text_of(page) == KOREAN


def test_short_chinese_lines_stay_lines() -> None:
    lines = [
        "第一章 石头花园",
        "一、苹果十二公斤",
        "二、橘子七公斤",
        "姓名：王小明",
        "地址：河边路七号",
        "电话：一二三四",
    ]
    page = page_of(*[(72, 100 + 20 * k, line) for k, line in enumerate(lines)], fontname="china-s")
    assert read(page).text.split() == " ".join(lines).split()


# Text painted twice


@pytest.mark.parametrize("shift", [(0, 0), (0.3, 0), (0.4, 0.4), (1.2, 1.2)])
def test_text_painted_twice_is_one_text(shift: tuple[float, float]) -> None:
    lines = [(72, 100 + 16 * k, f"{SENTENCE} {k}") for k in range(5)]
    page = page_of(*lines, *[(x + shift[0], y + shift[1], text) for x, y, text in lines])
    assert text_of(page) == " ".join(text for _, _, text in lines)


def test_double_letters_and_narrow_leaders_are_not_repeats() -> None:
    text = "all full bells ........ illness 111 hill"
    page = pymupdf.open().new_page()
    page.insert_text((72, 100), text, fontsize=12, morph=(pymupdf.Point(72, 100), pymupdf.Matrix(0.4, 1)))
    assert text_of(page) == text


# Directions


def test_turned_headers_do_not_turn_their_table() -> None:
    page = page_of((72, 100, "Votes"))
    for column in range(6):
        page.insert_text((160 + 50 * column, 300), f"Turned header {column}", fontsize=10, rotate=90)
    for row in range(4):
        page.insert_text((72, 330 + 20 * row), f"Row {row}", fontsize=10)
        for column in range(6):
            page.insert_text((150 + 50 * column, 330 + 20 * row), f"{row}{column}", fontsize=10)
    headers = " ".join(f"Turned header {column}" for column in range(6))
    text = text_of(page)
    assert text.startswith(f"Votes {headers} Row 0 00")
    assert text.index("Row 1") < text.index("11") < text.index("Row 2") < text.index("22") < text.index("Row 3")


@pytest.mark.parametrize("degrees", [5, 20, 45, 90, 180, 270])
def test_every_turned_line_is_a_line(degrees: int) -> None:
    page = pymupdf.open().new_page(width=900, height=900)
    lines = [f"{SENTENCE} number {k}" for k in range(8)]
    for k, line in enumerate(lines):
        matrix = pymupdf.Matrix(degrees)
        page.insert_text((300, 400 + 18 * k), line, fontsize=11, morph=(pymupdf.Point(450, 450), matrix))
    assert read(page).text.split("\n") == lines


def test_a_watermark_comes_last() -> None:
    page = page_of(*[(72, 100 + 16 * k, f"{SENTENCE} {k}") for k in range(20)])
    page.insert_text((150, 300), "CONFIDENTIAL", fontsize=60, morph=(pymupdf.Point(300, 300), pymupdf.Matrix(40)))
    assert text_of(page) == " ".join(f"{SENTENCE} {k}" for k in range(20)) + " CONFIDENTIAL"


def test_columns_painted_row_by_row_are_read_as_columns() -> None:
    text = "春の川のそばに石の庭がある。朝の市場では銀色のろうそくを売り、森の橋には手紙が置いてある。"
    columns = [text[k : k + 12] for k in range(0, len(text), 12)]
    pieces = [
        (500 - 26 * x, 100 + 18 * y, column[y])
        for y in range(12)
        for x, column in reversed(list(enumerate(columns)))
        if y < len(column)
    ]
    page = read(page_of(*pieces, size=16, fontname="japan"))
    assert "".join(page.text.split()) == text
    assert page.lines.vertical.all()


def test_latin_in_a_vertical_line_stays_at_its_place(tmp_path: Path) -> None:
    text = "春の川のそばに石の庭がある。朝の市場では12個のりんごと3個の梨を買った。ABC社からの手紙は2024年に届いた。"
    style = "writing-mode: vertical-rl; height: 300px; font: 16px 'Noto Sans CJK JP'"
    path = pdf_files.chromium(tmp_path, "vertical", f'<html lang=ja><body><div style="{style}">{text}</div>')
    assert "".join(text_of(pymupdf.open(path)[0]).split()) == text


def test_slanted_headers_are_read_before_their_table() -> None:
    page = page_of(*[(100 + 60 * x, 300 + 16 * y, f"{y}{x}") for y in range(8) for x in range(4)])
    headers = ["River", "Stone", "Garden", "Window"]
    for x, header in enumerate(headers):
        place = pymupdf.Point(105 + 60 * x, 280)
        page.insert_text(place, header, fontsize=12, morph=(place, pymupdf.Matrix(45)))
    assert read(page).text.split() == headers + [f"{y}{x}" for y in range(8) for x in range(4)]


def test_a_vowel_described_and_painted_is_one(tmp_path: Path) -> None:
    html = f"<html lang=hi><body style=\"font: 12pt 'Noto Sans', 'Noto Sans Devanagari'\">{NUKTA}"
    text = text_of(pymupdf.open(pdf_files.chromium(tmp_path, "nukta", html))[0])
    assert text == unicodedata.normalize("NFC", NUKTA)


# Right to left


def test_a_bullet_at_the_right_is_a_word(tmp_path: Path) -> None:
    html = "<html dir=rtl><body style=\"font: 12pt 'Noto Sans', 'Noto Sans Hebrew'\">•נרות בבוקר"
    assert text_of(pymupdf.open(pdf_files.chromium(tmp_path, "bullet", html))[0]) == "• נרות בבוקר"


@pytest.mark.parametrize("text", [ARABIC, POINTED, PERSIAN, HEBREW])
def test_right_to_left_text_is_that_of_its_author(tmp_path: Path, text: str) -> None:
    html = f"<html dir=rtl><body style=\"font: 12pt 'Noto Sans', 'Noto Sans Hebrew', 'Noto Sans Arabic'\">{text}"
    assert text_of(pymupdf.open(pdf_files.chromium(tmp_path, "right-to-left", html))[0]) == text


def logical(visual: str) -> str:
    """Return a line in reading order from what is seen from left to right; every letter is one unit wide."""
    places = np.array([k for k, letter in enumerate(visual) if letter != " "])
    codes = np.array([ord(visual[k]) for k in places])
    gaps = np.append(np.diff(places) > 1, False)
    order, ends, codes = in_logical_order(codes, places + 0.5, np.arange(len(codes)), gaps)
    return "".join(chr(codes[k]) + " " * bool(end) for k, end in zip(order, ends, strict=True)).strip()


@pytest.mark.parametrize(
    ("visual", "text"),
    [
        ("ד 12 גבא", "אבג 12 ד"),
        ("ד 1,250.5 גבא", "אבג 1,250.5 ד"),
        ("12 34 בא", "אב 34 12"),
        ("ד .ABC Ltd בא", "אב ABC Ltd. ד"),
        ("ד (Old Town) בא", "אב (Old Town) ד"),
        ("ד )Old Town( בא", "אב (Old Town) ד"),
        ("ד Windows 10 בא", "אב Windows 10 ד"),
        (".12/03/2024", "12/03/2024."),
        ("-4.3 בא", "אב -4.3"),
        ("12-ב", "ב-12"),
    ],
)
def test_a_line_is_read_from_the_right(visual: str, text: str) -> None:
    assert logical(visual) == text


def test_the_parts_of_a_ligature_and_marks_belong_to_their_letter() -> None:
    codes = np.array([ord(letter) for letter in "دلارُ"])  # the alef has no width: lam and alef are one glyph
    starts, ends = np.array([20.0, 10, 20, 0, 0]), np.array([26.0, 20, 20, 10, 0])
    assert clusters_of(codes, starts, ends, np.full(5, 12.0)).tolist() == [0, 1, 1, 3, 3]


def test_a_mark_belongs_to_the_letter_that_the_file_has_before_it() -> None:
    codes = np.array([ord(letter) for letter in "ضيَّة"])
    starts, ends = np.array([498.0, 494.7, 493.5, 493.5, 485]), np.array([507.0, 498.1, 493.5, 493.5, 494.7])
    assert clusters_of(codes, starts, ends, np.full(5, 12.0)).tolist() == [0, 1, 1, 1, 4]


def test_letters_of_a_font_with_an_impossible_size_are_words(tmp_path: Path) -> None:
    """As in the Type 3 fonts of dvips: letters 60 times as wide as the font size, in a box ten times too high."""
    glyph = b"d0\n0 0 30 40 re f"
    names = b" ".join(b"/%c" % code for code in b"abcdefgh")
    programs = b" ".join(b"/%c 5 0 R" % code for code in b"abcdefgh")
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 -400 40 400]/FontMatrix[1 0 0 1 0 0]/FirstChar 97/LastChar 104"
        b"/Widths[40 40 40 40 40 40 40 40]/Encoding<</Type/Encoding/Differences[97 " + names + b"]>>"
        b"/CharProcs<<" + programs + b">>/Resources<<>>>>"
    )
    lines = b" ".join(b"1 0 0 1 600 %d Tm [(abc) -24000 (def) -24000 (gh)] TJ" % (6000 - 90 * k) for k in range(4))
    content = b".12 0 0 .12 0 0 cm BT /F 1 Tf " + lines + b" ET"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 6 0 R>>>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page,
        pdf_files.stream(content),
        pdf_files.stream(b"40 0 " + glyph),
        font,
    ]
    path = tmp_path / "type3.pdf"
    path.write_bytes(pdf_files.pdf_bytes(objects))
    page_text = read(pymupdf.open(path)[0])
    assert page_text.text.split() == ["abc", "def", "gh"] * 4
    assert len(page_text.lines) == 4
    assert (page_text.lines.sizes < 20).all()
