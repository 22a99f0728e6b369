"""OCR agreement: PaddleOCR on real pages, and the matching of its output with the known words."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.character_errors import errors_at_places, errors_of_text, normalized
from filters.filter import Scores
from filters.ocr_agreement import OcrAgreement
from pipelines.recipe import scores_key
from sources.base.sample import EncodedImage, Message, Provenance, Sample, Words
from sources.paddle_ocr.reader import Line, identity, model_files
from sources.pdfs.source import Pdfs
from tests.conftest import ROOT

ENGLISH = "A page is drawn once and read many times."
CHINESE = "训练视觉语言模型需要大量的页面数据，每一页都包含图像和文字。"
COLUMNS = (
    ("The left column begins", "with a story of rain", "that fell in autumn"),
    ("Another tale on the right", "tells of a dry summer", "and of its harvest"),
)


def page(folder: Path, *columns: str) -> Sample:
    """The sample of a PDF page with these columns of HTML on it, as the source reads it."""
    document = pymupdf.open()
    drawn = document.new_page(width=420, height=130)
    for number, html in enumerate(columns):
        left = 20 + 380 / len(columns) * number
        drawn.insert_htmlbox(pymupdf.Rect(left, 20, left + 380 / len(columns), 110), html)
    path = folder / "page.pdf"
    document.save(path, no_new_id=True)
    with Pdfs(side_px=900).open(path) as pages:
        return pages[0]


def score(*samples: Sample) -> list[float | None]:
    return [scores.values["ocr_agreement"] for scores in OcrAgreement().scores(samples)]


def saying(sample: Sample, text: str) -> Sample:
    """The sample with other words at the same places, as many as there are."""
    words = text.split()[: len(sample.words.texts)]
    places = dataclasses.replace(sample.words, texts=words, boxes=sample.words.boxes[: len(words)])
    places = dataclasses.replace(places, images=sample.words.images[: len(words)])
    return dataclasses.replace(sample, text=f"<image>\n{text}", words=places)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return page(tmp_path_factory.mktemp("english"), f"<p style='font-size:20px'>{ENGLISH}</p>")


def test_right_text_agrees_and_wrong_text_does_not(english: Sample) -> None:
    wrong = saying(english, "Some words that nobody wrote here at any time")
    half = saying(english, "A page is drawn twice and lost many times.")
    right, wrongly, partly = score(english, wrong, half)
    assert right == 1
    assert wrongly is not None
    assert partly is not None
    assert wrongly < 0.3 < 0.7 < partly < 0.9
    strict = OcrAgreement(min_agreement=0.9)
    verdicts = [strict.rejects(Scores(values={"ocr_agreement": found})) for found in (right, wrongly, None)]
    assert verdicts == [None, "ocr_agreement", None]


def test_missing_and_made_up_text_both_count(english: Sample) -> None:
    num_chars = len(normalized(ENGLISH))
    (too_much,) = score(saying(english, ENGLISH.removesuffix(" many times.")))  # the image shows more than is said
    assert too_much == pytest.approx(1 - len("manytimes.") / (num_chars - len("manytimes.")), abs=1e-4)
    unseen = Words(
        texts=[*english.words.texts, "elsewhere"],
        boxes=np.vstack([english.words.boxes, [[20, 230, 120, 250]]]).astype(np.float32),
        images=np.append(english.words.images, np.int32(0)),
    )
    (too_little,) = score(dataclasses.replace(english, words=unseen))
    assert too_little == pytest.approx(1 - len("elsewhere") / (num_chars + len("elsewhere")), abs=1e-4)


def test_chinese_is_read(tmp_path: Path) -> None:
    (found,) = score(page(tmp_path, f"<p style='font-size:16px'>{CHINESE}</p>"))
    assert found is not None
    assert found >= 0.95


def test_columns_agree_in_whatever_order_they_are_told(tmp_path: Path) -> None:
    sample = page(tmp_path, *("<br>".join(column) for column in COLUMNS))
    words, (x, y) = sample.words, sample.words.boxes[:, :2].T
    rows = np.round(y / y.max(), 1)
    by_column = np.lexsort((x, rows, x > 450))
    by_row = np.lexsort((x, rows))  # as PaddleOCR reads: left, right, left, right
    told = [" ".join(words.texts[k] for k in order) for order in (by_column, by_row)]
    assert told[0] == " ".join(line for column in COLUMNS for line in column)
    assert told[0] != told[1]
    agreements = score(
        *(
            dataclasses.replace(
                sample,
                words=Words(
                    texts=[words.texts[k] for k in order], boxes=words.boxes[order], images=words.images[order]
                ),
            )
            for order in (by_column, by_row)
        )
    )
    assert agreements == [1, 1]


def test_where_a_score_has_no_meaning_it_is_null(english: Sample) -> None:
    blank = dataclasses.replace(english, text="<image>\n", words=Words())
    no_image = dataclasses.replace(english, images=())
    talk = [Message(role="user", content="<image>\nWhat is this?"), Message(role="assistant", content=ENGLISH)]
    conversation = dataclasses.replace(english, text=None, words=Words(), messages=talk)
    unknown_script = saying(english, "हर पृष्ठ एक बार बनाया जाता है")
    assert score(blank, no_image, conversation, unknown_script) == [None] * 4


def test_without_places_text_is_compared_with_text(english: Sample, tmp_path: Path) -> None:
    flat = dataclasses.replace(english, words=Words())
    empty = page(tmp_path)
    assert score(flat) == [1]
    assert score(dataclasses.replace(flat, images=empty.images)) == [0]  # an empty image shows nothing of it


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_images_of_any_shape_are_read(size: tuple[int, int]) -> None:
    pixmap = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, *size))
    pixmap.clear_with(255)
    image = EncodedImage(data=pixmap.tobytes("png"), extension="png", width=size[0], height=size[1])
    provenance = Provenance(locator="page=1", digest="00")
    assert score(Sample(id="0", source="pdfs", provenance=provenance, images=[image], text="words")) == [0]


def test_a_score_does_not_depend_on_its_neighbours(english: Sample) -> None:
    other = saying(english, "A page is torn once and wed many tames.")
    assert score(english, other) == [*score(english), *score(other)]


@pytest.mark.slow
def test_reading_opens_no_connection_and_leaves_nothing_behind(english: Sample, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(english.images[0].data)
    program = (
        "import sys; from pathlib import Path; from sources.paddle_ocr.reader import PaddleReader\n"
        "print([line.text for line in PaddleReader().read(Path(sys.argv[1]).read_bytes())])\n"
        "assert 'torch' not in sys.modules and 'modelscope' not in sys.modules"
    )
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    calls = tmp_path / "calls"
    line = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg",
        "-o",
        str(calls),
        sys.executable,
        "-c",
        program,
    ]
    env = {**os.environ, "HOME": str(home), "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [*line, str(tmp_path / "page.png")], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert ENGLISH.split()[0] in result.stdout
    assert [call for call in calls.read_text().splitlines() if "AF_INET" in call] == []
    assert list(scratch.iterdir()) == []
    assert not (home / ".paddlex").exists()


def test_what_the_score_depends_on_is_in_its_key(tmp_path: Path) -> None:
    assert scores_key([OcrAgreement(min_agreement=0.1, timeout_s=9)]) == scores_key([OcrAgreement()])
    for kind, path in model_files(None).items():
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "inference.onnx").symlink_to(path)
        (tmp_path / kind / "inference.yml").write_text("Global: {}")
    assert identity(str(tmp_path), None) != identity(None, None)
    assert scores_key([OcrAgreement(models=str(tmp_path))]) != scores_key([OcrAgreement()])
    assert scores_key([OcrAgreement(download="PP-OCRv6_medium")]) != scores_key([OcrAgreement()])


def test_missing_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"det/inference\.onnx is missing"):
        OcrAgreement(models=str(tmp_path)).check()
    OcrAgreement().check()


@pytest.mark.parametrize(
    "settings", [{"min_agreement": 1.5}, {"timeout_s": 0}, {"memory_mb": 10}, {"models": "a", "download": "b"}]
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        OcrAgreement(**settings)


def test_forms_that_look_alike_are_one() -> None:
    assert normalized("“ﬁne” ＡＢＣ — it’s\u00ad 3×4") == normalized('"fine" ABC - it\'s 3x4')
    assert normalized("Name: ________ chapter 3 .  .  .  . 12") == "Name:chapter312"
    assert normalized("Ａ\u3000b\n c") == "Abc"


def line(text: str, x0: float, y0: float, x1: float, y1: float) -> Line:
    return Line(text, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32))


def test_a_long_word_may_be_read_in_pieces() -> None:
    words, boxes = ["天地玄黄宇宙洪荒", "end"], np.array([[0, 0, 80, 10], [0, 20, 30, 30]], np.float32)
    pieces = [line("宇宙洪荒", 45, 0, 80, 10), line("end", 0, 20, 30, 30), line("天地玄黄", 0, 0, 44, 10)]
    assert errors_at_places(words, boxes, pieces) == 0


def test_a_line_may_run_across_columns() -> None:
    words = ["one", "two", "three", "four"]  # down the left column, then down the right one
    boxes = np.array([[0, 0, 30, 10], [0, 20, 30, 30], [40, 0, 70, 10], [40, 20, 70, 30]], np.float32)
    assert errors_at_places(words, boxes, [line("two four", 0, 20, 70, 30), line("one three", 0, 0, 70, 10)]) == 0


SLANT = np.array([[np.cos(0.15), -np.sin(0.15)], [np.sin(0.15), np.cos(0.15)]])


@given(
    st.lists(st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=5), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_no_order_of_reading_makes_an_error(rows, random, is_slanted) -> None:
    words, boxes, lines = [], [], []
    for number, row in enumerate(rows):
        x, y, corners = 0.0, 40.0 * number, []
        for word in row:
            box = np.array([[x, y], [x + 8 * len(word), y], [x + 8 * len(word), y + 12], [x, y + 12]])
            corners.append(box @ SLANT.T if is_slanted else box)
            words.append(word)
            boxes.append([*corners[-1].min(axis=0), *corners[-1].max(axis=0)])
            x += 8 * len(word) + 6
        first, last = corners[0], corners[-1]
        lines.append(Line(" ".join(row), np.array([first[0], last[1], last[2], first[3]], np.float32)))
    random.shuffle(lines)
    assert errors_at_places(words, np.array(boxes, np.float32), lines) == 0
    lost = lines.pop()
    assert errors_at_places(words, np.array(boxes, np.float32), lines) == len(normalized(lost.text))


@given(st.lists(st.text("ab", max_size=4), max_size=4), st.lists(st.text("abc", max_size=6), max_size=4))
def test_errors_are_at_most_all_of_both_texts(words, read) -> None:
    boxes = np.array([[20 * k, 0, 20 * k + 15, 10] for k in range(len(words))], np.float32).reshape(-1, 4)
    lines = [line(text, 20 * k + 3, 1, 20 * k + 14, 9) for k, text in enumerate(read)]
    errors = errors_at_places(words, boxes, lines)
    assert 0 <= errors <= sum(map(len, words)) + sum(map(len, read))
    assert errors >= errors_of_text("".join(words), "".join(read)) - sum(map(len, words))
