"""PDF pages: text, word boxes, images, flags, and hostile files."""

import difflib
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.base.source import InputError, ItemError
from sources.pdfs.source import Pdfs
from tests import pdf_files
from tests.sources.conftest import MakePdf

SIMILARITY = 0.97  # of characters, without white space
DARK = 140  # grey levels below this are ink
LIMIT_S, LIMIT_MB = 30, 1500  # per hostile file, which takes 10 s on an idle core
REPOSITORY = Path(__file__).parents[2]


def read(path: Path, **settings: object) -> list[Sample | ItemError]:
    outcomes: list[Sample | ItemError] = []
    with Pdfs(**settings).open(path) as items:
        for page in range(len(items)):
            try:
                outcomes.append(items[page])
            except ItemError as error:
                outcomes.append(error)
    return outcomes


def pages(path: Path, **settings: object) -> list[Sample]:
    outcomes = read(path, **settings)
    assert all(isinstance(outcome, Sample) for outcome in outcomes), outcomes
    return outcomes


def pixels(sample: Sample) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("L"))


def similarity(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, "".join(a.split()), "".join(b.split()), autojunk=False).ratio()


def pdftotext(path: Path, page: int = 1) -> str:
    command = ["pdftotext", "-f", str(page), "-l", str(page), "-enc", "UTF-8", str(path), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


# Text


@pytest.mark.parametrize("producer", ["chromium", "groff", "libreoffice"])
def test_one_column_text_is_that_of_pdftotext_and_of_its_author(pdf: MakePdf, producer: str) -> None:
    path = pdf(f"one_column_{producer}")
    (sample,) = pages(path)
    assert sample.text.startswith("<image>\n")
    assert similarity(sample.plain_text(), pdftotext(path)) >= SIMILARITY
    assert similarity(sample.plain_text(), pdf_files.ENGLISH) >= SIMILARITY


def test_chinese_is_written_as_its_author_wrote_it(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("chinese_chromium"))
    assert sample.plain_text().split("\n\n") == pdf_files.paragraphs(pdf_files.CHINESE)


def test_lines_of_vertical_chinese_follow_each_other_from_the_right(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("vertical_chinese_chromium"))
    assert similarity(sample.plain_text(), pdf_files.CHINESE) == 1
    assert len(sample.plain_text().split("\n\n")) == 3


@pytest.mark.parametrize("producer", ["chromium", "libreoffice"])
@pytest.mark.parametrize("language", ["arabic", "hebrew"])
def test_right_to_left_text_is_written_as_its_author_wrote_it(pdf: MakePdf, language: str, producer: str) -> None:
    """Numbers and Latin words are in reading order, punctuation is at its words."""
    (sample,) = pages(pdf(f"{language}_{producer}"))
    written = [" ".join(text.split()) for text in sample.plain_text().split("\n\n")]
    assert written == pdf_files.paragraphs(getattr(pdf_files, language.upper()))


def test_right_to_left_columns_begin_on_the_right(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("two_columns_hebrew_chromium"))
    assert similarity(sample.plain_text(), pdf_files.HEBREW * 3) >= 0.99


@pytest.mark.parametrize("name", ["two_columns_chromium", "two_columns_groff"])
def test_two_columns_are_read_one_after_the_other(pdf: MakePdf, name: str) -> None:
    (sample,) = pages(pdf(name))
    title, _, body = sample.plain_text().partition("A page is more")
    assert "What pages teach" in " ".join(title.split())
    repeats = 2 if name.endswith("groff") else 1
    assert similarity("A page is more" + body, pdf_files.ENGLISH * repeats) >= SIMILARITY


def test_three_columns_are_read_one_after_the_other(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("three_columns_libreoffice"))
    assert similarity(sample.plain_text(), pdf_files.ENGLISH * 2) >= SIMILARITY


def test_cells_of_a_table_stay_whole_and_in_their_row(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("table_chromium"))
    text = " ".join(sample.plain_text().split())
    width, height = sample.image_sizes()[0]
    assert width > height
    assert "office suite exports letters, reports and slides fonts are embedded in part" in text
    assert "prints articles and shop receipts, and writes text run by run one file a page visited" in text


def test_broken_words_and_ligatures_are_made_whole(pdf: MakePdf) -> None:
    path = pdf("two_columns_groff")
    assert re.search(r"[a-z][-‐\u00ad]\n", pymupdf.open(path)[0].get_text()), "the file has no broken word to mend"
    (sample,) = pages(path)
    text = sample.plain_text()
    assert not re.search(r"[a-z][-‐]\n", text)
    assert not re.search("[ﬀ-ﬆ]", text)
    assert "office" in text
    assert "fingerprint" in text


def test_type3_letters_are_read_by_their_names(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("type3_font"))
    assert list(sample.words.texts) == ["abba", "abab", "baab", "bbbb"]


def test_text_without_a_unicode_map_counts_as_damage(pdf: MakePdf) -> None:
    from filters.garbled_text import MaxGarbledShare

    (sample,) = pages(pdf("without_unicode_map"))
    (scores,) = MaxGarbledShare().scores([sample])
    assert scores.values["garbled_share"] > 0.5
    assert MaxGarbledShare().rejects(scores) == "garbled_text"


# Words and their boxes


@pytest.mark.parametrize(
    "name",
    ["one_column_chromium", "one_column_groff", "one_column_libreoffice", "two_columns_groff", "chinese_chromium",
     "vertical_chinese_chromium", "arabic_chromium", "hebrew_libreoffice", "rotated", "cropped", "landscape",
     "poster"],
)  # fmt: skip
def test_word_boxes_cover_the_ink_and_every_word_has_some(pdf: MakePdf, name: str) -> None:
    for sample in pages(pdf(name)):
        dark = pixels(sample) < DARK
        inside = np.zeros_like(dark)
        height, width = dark.shape
        assert len(sample.words.boxes) == len(sample.words.texts) > 0
        for word, (x0, y0, x1, y1) in zip(sample.words.texts, sample.words.boxes, strict=True):
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            box = np.s_[int(y0) : int(np.ceil(y1)) + 1, int(x0) : int(np.ceil(x1)) + 1]
            inside[box] = True
            if any(map(str.isalnum, word)):
                # Half-dark pixels count as ink of the word: thin strokes of small letters.
                assert (pixels(sample)[box] < 200).any(), f"no ink in {word!r}"
        assert (dark & inside).sum() >= 0.98 * dark.sum()


def test_words_are_those_of_the_text(pdf: MakePdf) -> None:
    for name in ("one_column_libreoffice", "three_columns_libreoffice", "hebrew_libreoffice", "rotated"):
        for sample in pages(pdf(name)):
            assert "".join(sample.words.texts) == "".join(sample.plain_text().split())


def test_rotated_pages_stand_as_a_viewer_shows_them(pdf: MakePdf) -> None:
    upright, *turned = pages(pdf("rotated"))
    for k, sample in enumerate(turned, 1):
        width, height = sample.image_sizes()[0]
        assert (width > height) == (k % 2 == 1)
        assert similarity(sample.plain_text()[40:], upright.plain_text()[40:]) >= 0.99


def test_what_lies_outside_the_crop_box_is_left_out(pdf: MakePdf) -> None:
    first, second = pages(pdf("cropped"))
    assert first.image_sizes() == [(1024, 943)]  # 500 × 460 points
    assert second.image_sizes() == [(943, 1024)]
    for sample in (first, second):
        assert "outside" not in sample.plain_text()
        assert "A page is more than" in sample.plain_text()


def test_fields_and_annotations_are_drawn_and_read(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("form"))
    for words in ("Pages of public reports", "CC0-1.0", "Checked by hand"):
        assert words in sample.plain_text()
    rgb = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")).astype(int)
    assert ((rgb[..., 0] > 200) & (rgb[..., 1] > 200) & (rgb[..., 2] < 120)).sum() > 1000, "no yellow highlight"


# Images


def test_grey_pages_are_lossless(pdf: MakePdf) -> None:
    path = pdf("one_column_chromium")
    (sample,) = pages(path)
    page = pymupdf.open(path)[0]
    zoom = 1024 / page.rect.height
    rendered = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    image = Image.open(io.BytesIO(sample.images[0].data))
    assert (image.format, image.mode) == ("PNG", "L")
    assert image.convert("RGB").tobytes() == rendered.samples


def test_coloured_pages_are_jpeg_and_grey_can_be_turned_off(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("coloured"))
    assert sample.images[0].extension == "jpg"
    assert Image.open(io.BytesIO(sample.images[0].data)).mode == "RGB"
    (sample,) = pages(pdf("plain"), grey="none", format="webp")
    assert Image.open(io.BytesIO(sample.images[0].data)).format == "WEBP"
    (sample,) = pages(pdf("coloured"), format="png")
    assert Image.open(io.BytesIO(sample.images[0].data)).mode == "RGB"


@pytest.mark.parametrize(("name", "size"), [("poster", (724, 1024)), ("landscape", (1024, 724)), ("tiny", (300, 150))])
def test_the_long_side_is_1024_but_never_beyond_300_dpi(pdf: MakePdf, name: str, size: tuple[int, int]) -> None:
    (sample,) = pages(pdf(name))
    assert np.abs(np.subtract(sample.image_sizes()[0], size)).max() <= 1
    image = Image.open(io.BytesIO(sample.images[0].data))
    assert image.size == sample.image_sizes()[0]


def test_cmyk_photographs_keep_their_colours(pdf: MakePdf) -> None:
    (sample,) = pages(pdf("cmyk_jpeg"))
    rgb = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")).astype(int)
    red, green, blue = rgb[200, 300]
    assert red > 200
    assert green > 200
    assert blue < 100
    assert rgb[900, 300].max() < 90


# Flags


def test_scans_are_reported_from_text_and_from_scans_with_words(pdf: MakePdf) -> None:
    assert [page.flags for page in pages(pdf("scan"))] == [["scan", "needs_ocr_no_words"]]
    assert [page.flags for page in pages(pdf("scan", ocr_layer=True))] == [["scan", "ocr_layer"]]
    assert [page.flags for page in pages(pdf("one_column_groff"))] == [[]]
    (sample,) = pages(pdf("scan", ocr_layer=True))
    assert similarity(sample.plain_text(), pages(pdf("plain"))[0].plain_text()) >= 0.99
    assert pages(pdf("scan"))[0].plain_text() == ""


def test_a_blank_page_between_others_is_a_sample_without_ink(pdf: MakePdf) -> None:
    inks = [page.measures["ink"] for page in pages(pdf("blank_between"))]
    assert inks[1] == 0
    assert min(inks[0], inks[2]) > 0.01


# Ids


def test_ids_come_from_content_and_page(pdf: MakePdf, tmp_path: Path) -> None:
    path = pdf("plain", num_pages=3)
    copy = tmp_path / "another-name.pdf"
    copy.write_bytes(path.read_bytes())
    ids = [page.id for page in pages(path)]
    assert len(set(ids)) == 3
    assert [page.id for page in pages(copy)] == ids
    assert [page.provenance.locator for page in pages(path)] == ["page=1", "page=2", "page=3"]


def test_pages_read_alone_are_those_read_together(pdf: MakePdf) -> None:
    path = pdf("rotated")
    alone = []
    for k in (3, 0, 2, 1):
        with Pdfs().open(path) as items:
            alone.append((k, items[k]))
    for a, b in zip([page for _, page in sorted(alone, key=lambda each: each[0])], pages(path), strict=True):
        assert (a.images, a.text, a.phash, a.measures) == (b.images, b.text, b.phash, b.measures)
        assert (a.words.boxes == b.words.boxes).all()


# Bad input


@pytest.mark.parametrize(
    ("name", "options", "cause"),
    [
        ("empty", {}, "empty_file"),
        ("not_a_pdf", {}, "not_a_pdf"),
        ("header_only", {}, "damaged"),
        ("no_pages", {}, "no_pages"),
        ("truncated", {"share": 0.1}, "damaged"),
        ("encrypted", {}, "encrypted"),
    ],
)
def test_files_that_cannot_be_opened_name_their_cause(
    pdf: MakePdf, name: str, options: dict[str, Any], cause: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(pdf(name, **options))
    assert caught.value.cause == cause
    assert caught.value.message


def test_files_that_are_not_there_or_not_allowed_name_their_cause(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "gone.pdf")
    assert caught.value.cause == "not_found"
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert caught.value.cause == "unreadable"


def test_passwords_are_tried_and_an_owner_password_is_not_needed(pdf: MakePdf) -> None:
    assert len(pages(pdf("encrypted"), passwords=("wrong", "sesame"))) == 1
    assert len(pages(pdf("encrypted_for_owner"))) == 1


def test_a_file_without_its_end_is_repaired_and_says_so(pdf: MakePdf) -> None:
    samples = pages(pdf("truncated", share=0.98))
    assert [sample.flags for sample in samples] == [["repaired"]] * 3
    whole = pages(pdf("plain", num_pages=3))
    assert [sample.text for sample in samples] == [sample.text for sample in whole]


READ_IN_LIMITS = """
import json, re, resource, sys
from pathlib import Path
from sources.base.source import ItemError
from sources.pdfs.source import Pdfs
limit = int(sys.argv[2]) * 1_000_000
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
causes = []
with Pdfs().open(Path(sys.argv[1])) as pages:
    for page in range(len(pages)):
        try:
            sample = pages.read_otherwise(page, 1) if sys.argv[3:] else pages[page]
            causes.append(len(sample.words.texts))
        except ItemError as error:
            causes.append(error.cause)
status = Path("/proc/self/status").read_text()  # ru_maxrss would be that of the process which started this one
print(json.dumps([causes, int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) // 1024]))
"""
NUM_GOOD_WORDS = 99  # on the good page after every bad one


@pytest.mark.parametrize(
    ("name", "bad_page"),
    [
        ("image_bomb", "image_too_large"),
        ("nested_forms", "unreadable_page"),
        ("nested_arrays", "unreadable_page"),
        ("broken_page", "unreadable_page"),
        ("stream_bomb", 0),  # 1 GB of nothing is an empty page
        ("form_loop", 0),
        ("object_stream_bomb", NUM_GOOD_WORDS),  # only its annotations are lost
        ("endless_page", 0),  # 100,000 points at 1024 pixels: words are smaller than a pixel
        ("thread_page", 0),
    ],
)
@pytest.mark.slow
def test_a_hostile_page_costs_itself_only(pdf: MakePdf, name: str, bad_page: int | str) -> None:
    # PDFium ends the process; without it, as a second reader would do, the page is read.
    ways = ["only mupdf"] if name == "object_stream_bomb" else []
    command = [sys.executable, "-c", READ_IN_LIMITS, str(pdf(name)), str(LIMIT_MB), *ways]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    causes, peak_mb = json.loads(done.stdout)
    assert causes == [bad_page, NUM_GOOD_WORDS]
    assert peak_mb < LIMIT_MB


def test_a_loop_in_the_page_tree_is_an_error_a_page(pdf: MakePdf) -> None:
    outcomes = read(pdf("page_tree_loop"))
    assert [outcome.cause for outcome in outcomes] == ["unreadable_page"] * 2


@pytest.mark.parametrize(
    "settings",
    [
        {"side_px": 8},
        {"max_dpi": 5},
        {"grey": "jpeg"},
        {"format": "gif"},
        {"quality": 0},
        {"items_per_unit": 0},
    ],
)
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Pdfs(**settings)


def test_passwords_never_change_the_fingerprint() -> None:
    assert Pdfs(passwords=("secret",)).fingerprint() == Pdfs().fingerprint()
    assert Pdfs(side_px=512).fingerprint() != Pdfs().fingerprint()


def test_widely_spaced_lines_are_paragraphs_all_the_same() -> None:
    """Chromium's Chinese with generous leading, for which MuPDF makes every line a separate block."""
    path = Path(__file__).parents[2] / "sources" / "pdfs" / "examples" / "页面数据.pdf"
    (sample,) = pages(path)
    paragraphs = sample.plain_text().split("\n\n")
    assert paragraphs[:3] == [
        "怎样读一页纸",
        "读者在读第一个字之前，就已经知道许多事情。页面上方的大字是标题，图片下面的小字是说明，排成行列的数字是表格。"
        "这些都由版式告诉读者：字的大小、位置，以及各部分之间的空白。",
        "文字与图像",
    ]
    assert all(paragraph.endswith(("。", "页纸", "图像", "问题", "答案")) for paragraph in paragraphs)
