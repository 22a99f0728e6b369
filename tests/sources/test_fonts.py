"""Fonts: found, classified by their looks, and checked for every glyph."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph

from sources.text import fonts
from sources.text.fonts import (
    KINDS,
    Font,
    FontError,
    advance,
    check_glyphs,
    families,
    fonts_digest,
    fonts_for,
    fonts_with,
    installed_fonts,
    missing,
    script_of,
)
from sources.text.languages import LANGUAGES

LETTERS = LANGUAGES["en"].sample
CACHED = (fonts.font_files, fonts.installed_fonts, fonts.fonts_for, fonts._fonts_writing)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that makes these files the only installed fonts."""

    def clear() -> None:
        for function in CACHED[1:]:
            function.cache_clear()

    def install(*paths: Path) -> None:
        monkeypatch.setattr(fonts, "font_files", lambda: {path.name: path for path in paths})
        clear()

    yield install
    monkeypatch.undo()
    clear()


def _box(width: int, bottom: int, top: int) -> Glyph:
    pen = TTGlyphPen(None)
    pen.moveTo((50, bottom))
    pen.lineTo((50, top))
    pen.lineTo((width, top))
    pen.lineTo((width, bottom))
    pen.closePath()
    return pen.glyph()


def _made_font(path: Path, *, family: str = "Made", empty: str = "", capitals_only: bool = False) -> Path:
    """Write a font whose letters are boxes; the letters in `empty` have no outline."""
    names = {character: f"u{ord(character):04X}" for character in LETTERS + " "}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
    outlines = {".notdef": _box(500, 0, 700)}
    for character, name in names.items():
        is_small = character.islower() and not capitals_only
        bottom = -200 if is_small and character in "gjpqy" else 0
        outlines[name] = Glyph() if character in empty + " " else _box(450, bottom, 480 if is_small else 700)
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics(dict.fromkeys(outlines, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(ulUnicodeRange1=1, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


def _font_with_odd_glyphs(path: Path) -> Path:
    """Write a font with four glyphs that draw nothing: A is empty, B refers to A, C is a line, D is a point."""
    names = {character: f"u{ord(character):04X}" for character in LETTERS + " "}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
    outlines = {".notdef": _box(500, 0, 700), **{name: _box(450, -200, 480) for name in names.values()}}
    composite = TTGlyphPen(dict.fromkeys(names.values()))
    composite.addComponent(names["A"], (1, 0, 0, 1, 30, 40))
    outlines |= {names["A"]: Glyph(), names["B"]: composite.glyph(), names[" "]: Glyph()}
    outlines |= {names["C"]: _box(50, 0, 700), names["D"]: _box(50, 0, 0)}
    builder.setupGlyf(outlines, calcGlyphBounds=True)
    builder.setupHorizontalMetrics(dict.fromkeys(outlines, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Odd", "styleName": "Regular"})
    builder.setupOS2(ulUnicodeRange1=1, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


def test_a_glyph_without_an_area_is_missing(tmp_path: Path) -> None:
    font = Font(path=_font_with_odd_glyphs(tmp_path / "odd.ttf"), family="Odd", kind="sans")
    assert missing("ABCDE F", font) == ["A", "B", "C", "D"]


def _installed(family: str) -> Font:
    return next(font for font in installed_fonts() if font.family == family and font.weight == 400 and not font.italic)


def test_each_language_has_faces_with_all_of_its_sample() -> None:
    for language, wanted in LANGUAGES.items():
        found = fonts_for(language)
        assert len(families(found)) >= 2, language
        for font in found:
            assert font.kind in KINDS
            assert missing(wanted.sample, font) == []


def test_faces_have_the_kind_that_their_names_indicate() -> None:
    kinds = {
        "DejaVu Sans": "sans",
        "DejaVu Serif": "serif",
        "DejaVu Sans Mono": "monospaced",
        "Liberation Serif": "serif",
        "Liberation Mono": "monospaced",
        "Noto Serif CJK SC": "serif",
        "Noto Sans CJK SC": "sans",
        "Dancing Script": "handwriting",
        "AR PL KaitiM GB": "handwriting",
        "Lato": "sans",
        "EB Garamond": "serif",
    }
    assert {family: _installed(family).kind for family in kinds} == kinds


def test_a_language_uses_fonts_for_its_script() -> None:
    english, chinese = families(fonts_for("en")), families(fonts_for("zh"))
    assert "Noto Sans" in english
    assert not {"Noto Sans CJK SC", "Noto Sans Devanagari", "OpenSymbol", "cmr10"} & set(english)
    assert {"Noto Sans CJK SC", "Noto Serif CJK SC"} <= set(chinese)
    assert not any(name.endswith((" JP", " KR", " TC", " HK")) for name in chinese)


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(FontError, match=r"the font DejaVu Sans has no glyph for '语' \(U\+8BED\)"):
        check_glyphs(["Language", "语言"], _installed("DejaVu Sans"))
    with pytest.raises(FontError, match=r"no font at hand has a glyph for '日' \(U\+65E5, Han script\)"):
        fonts_with("日 a", [_installed("DejaVu Sans")])
    assert missing("a\nb c", _installed("DejaVu Sans")) == []


def test_a_glyph_without_an_outline_counts_as_missing(tmp_path: Path) -> None:
    font = Font(path=_made_font(tmp_path / "made.ttf", empty="Qx"), family="Made", kind="sans")
    assert missing("The quick box", font) == ["x"]
    assert missing("Q é", font) == ["Q", "é"]
    assert advance(font, "Q") == 0.5


def test_a_face_with_only_capitals_is_not_used(tmp_path: Path, only: Callable[..., None]) -> None:
    only(_made_font(tmp_path / "small.ttf"), _made_font(tmp_path / "big.ttf", family="Loud", capitals_only=True))
    assert list(families(fonts_for("en"))) == ["Made"]


def test_with_dejavu_alone_english_is_written_and_chinese_is_rejected_by_its_script(only: Callable[..., None]) -> None:
    only(_installed("DejaVu Sans").path)
    assert [font.family for font in fonts_for("en")] == ["DejaVu Sans"]
    with pytest.raises(FontError, match=r"no font with the Han script is installed; .*fonts-noto-cjk"):
        fonts_for("zh")
    with pytest.raises(FontError, match="no handwriting font with the Latin script is installed"):
        fonts_for("en", ("handwriting",))
    with pytest.raises(FontError, match="no bold serif font with the Latin script"):
        fonts_for("en", ("serif",), bold=True)


def test_damaged_font_files_are_ignored(tmp_path: Path, only: Callable[..., None]) -> None:
    whole = _made_font(tmp_path / "whole.ttf")
    cut, empty, text = tmp_path / "cut.ttf", tmp_path / "empty.otf", tmp_path / "text.ttc"
    cut.write_bytes(whole.read_bytes()[:300])
    empty.write_bytes(b"")
    text.write_bytes(b"ttcf" + b"\xff" * 40)
    only(whole, cut, empty, text, tmp_path / "gone.ttf")
    assert [font.path for font in installed_fonts()] == [whole]


def test_an_unknown_language_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"language must be one of en, de, .*, got 'tlh'"):
        fonts_for("tlh")


def test_the_digest_depends_on_the_bytes_of_the_files(tmp_path: Path) -> None:
    first = _made_font(tmp_path / "made.ttf")
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "made.ttf"
    shutil.copy(first, other)
    here, there = (Font(path=path, family="Made", kind="sans") for path in (first, other))
    assert fonts_digest([here]) == fonts_digest([there]), "where a file stands is of no matter"
    fonts._file_digest.cache_clear()
    other.write_bytes(other.read_bytes() + b"\0")
    assert fonts_digest([here]) != fonts_digest([there])


def test_the_script_of_a_text_is_the_script_of_most_letters() -> None:
    assert script_of("page 12 页") == "Latin"
    assert script_of("第12页 a") == "Han"
    assert script_of("مرحبا") == "Arabic"
    assert script_of("12, 34") == "Common"
    assert script_of("") == "Common"
