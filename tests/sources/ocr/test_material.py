"""Photographs and fonts of the user's own: sheets, desks, scenes, and folders that cannot be used."""

import io
import shutil
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sources.base.source import ItemError
from sources.ocr.material import PictureFolder, plain_patches, print_on
from sources.ocr.source import Ocr
from sources.ocr.style import sample_style
from sources.rng import generator
from sources.text.fonts import FontError, fonts_for


def _photograph(path: Path, level: int = 220, size: tuple[int, int] = (400, 300)) -> Path:
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(3).integers(-6, 7, (size[1], size[0], 3))
    Image.fromarray((noise + level).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("setting", ["papers", "backgrounds", "scenes"])
def test_folders_that_cannot_be_used_end_a_run_with_a_sentence(tmp_path: Path, setting: str) -> None:
    def refusal(folder: Path) -> str:
        settings: dict[str, Any] = {setting: str(folder)}
        source = Ocr(languages=("en",), **settings)
        with pytest.raises(ValueError, match=f"^{setting}: ") as caught:
            source.check()
        return str(caught.value)

    assert "there is no folder" in refusal(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("x")
    assert "has no pictures (.bmp, .jpeg" in refusal(tmp_path / "empty")
    whole = _photograph(tmp_path / "cut" / "a.jpg").read_bytes()
    (tmp_path / "cut" / "a.jpg").write_bytes(whole[: len(whole) // 2])
    assert "a.jpg cannot be used" in refusal(tmp_path / "cut")
    _photograph(tmp_path / "small" / "s.png", size=(100, 300))
    assert "s.png has 100 × 300 pixels; the least is 256" in refusal(tmp_path / "small")
    Image.new("1", (20_000, 6_000)).save(_photograph(tmp_path / "huge" / "h.png"))
    assert "h.png cannot be used: the image has 20,000 × 6,000 pixels, more than 100,000,000" in refusal(
        tmp_path / "huge"
    )


def test_dark_sheets_are_refused(tmp_path: Path) -> None:
    _photograph(tmp_path / "dark" / "d.png", level=70)
    with pytest.raises(ValueError, match=r"d\.png is too dark to be printed on: its median grey level is 70"):
        PictureFolder("papers", str(tmp_path / "dark")).check()
    PictureFolder("scenes", str(tmp_path / "dark")).check()


def test_parts_of_pictures_have_the_wanted_size_and_depend_on_the_generator_alone(tmp_path: Path) -> None:
    _photograph(tmp_path / "p" / "a.jpg")
    _photograph(tmp_path / "p" / "below" / "b.png", level=180)
    folder = PictureFolder("papers", str(tmp_path / "p"))
    assert len(folder.files) == 2
    first, second = (folder.draw(500, 700, Random(5)) for _ in range(2))
    assert first.shape == (700, 500, 3)
    np.testing.assert_array_equal(first, second)
    digest = folder.digest
    (tmp_path / "p" / "a.jpg").write_bytes(b"gone")
    assert PictureFolder("papers", str(tmp_path / "p")).digest != digest
    (tmp_path / "p" / "below" / "b.png").unlink()
    with pytest.raises(ItemError):
        PictureFolder("papers", str(tmp_path / "p")).draw(300, 301, Random(1))


def test_ink_stays_dark_and_paper_shows_through() -> None:
    page = np.full((4, 4, 3), 255, np.uint8)
    page[0] = 0
    printed = print_on(page, np.full((4, 4, 3), 200, np.uint8))
    assert (printed[0] == 0).all()
    assert (printed[1:] == 200).all()


def test_words_stand_in_the_plainest_places_of_a_photograph() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    pixels[240:, 320:] = 120
    ((x0, y0, x1, y1), *others) = plain_patches(pixels, 2, 2)
    assert (x0, y0, x1, y1) == (320, 240, 640, 480)
    places = np.zeros((480, 640), int)
    for a, b, c, d in ((x0, y0, x1, y1), *others):
        places[b:d, a:c] += 1
    assert places.max() == 1


def test_material_changes_the_samples_and_their_digest(tmp_path: Path) -> None:
    _photograph(tmp_path / "p" / "a.jpg", level=200)
    settings: dict[str, Any] = {
        "languages": ("en",),
        "kinds": {"letter": 1},
        "strength": 0.0,
        "side_px": 512,
        "tasks": {"text": 1},
    }
    plain, printed = Ocr(**settings), Ocr(papers=str(tmp_path / "p"), **settings)
    assert plain.digest != printed.digest
    pages = [source.make(3, source.digest) for source in (plain, printed)]
    assert pages[0].text == pages[1].text
    levels = [np.median(np.asarray(Image.open(io.BytesIO(page.images[0].data)).convert("L"))) for page in pages]
    assert levels[1] < levels[0] - 20


def test_fonts_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    for font in fonts_for("en"):
        if font.family == "Lato" and font.weight in (400, 700) and not font.italic:
            shutil.copy(font.path, tmp_path / "fonts")
    style = sample_style(generator(1, 0, "x"), "en", 512, folder=str(tmp_path / "fonts"))
    assert {style.body.regular.family, style.head.regular.family} == {"Lato"}
    assert style.body.regular.path.parent == tmp_path / "fonts"
    with pytest.raises(FontError, match=r"no font in .* can write ja: Lato lacks 'あ'"):
        Ocr(languages=("ja",), fonts=str(tmp_path / "fonts")).check()
    (tmp_path / "fonts" / "x.ttf").write_bytes(b"no font")
    (tmp_path / "more").mkdir()
    shutil.copy(tmp_path / "fonts" / "x.ttf", tmp_path / "more")
    with pytest.raises(FontError, match=r"^fonts: x\.ttf is no readable font"):
        Ocr(languages=("en",), fonts=str(tmp_path / "more")).check()
    with pytest.raises(FontError, match=r"^fonts: there is no folder"):
        Ocr(languages=("en",), fonts=str(tmp_path / "none")).check()
