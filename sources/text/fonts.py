"""Fonts installed on this machine: their looks, and checks that they have every glyph of a text."""

import hashlib
import logging
import os
import re
import struct
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sources.text.glyphs import glyphs_of
from sources.text.languages import LANGUAGES, Language

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
SUFFIXES = (".ttf", ".otf", ".ttc")
KINDS = ("sans", "serif", "monospaced", "handwriting")
WEIGHTS = (300, 900)  # lighter strokes are thinner than a pixel at the sizes of a page
BOLD = 600
MAX_SMALL = 0.93  # height of lower-case letters relative to capitals
MIN_DESCENT = -0.1  # in font sizes; the descenders of lower-case letters are lower

# Names tell the kind of a font when the tables of its file do not.
_HANDWRITTEN = re.compile(
    r"hand\b|handwrit|script\b|lobster|z003|breip|femke|kristi|delphine|steve|ecolier|because we|rufscript|comic neue"
    r"|kalam|caveat|kait?i?m?\b|wenkai|ukai|klee|seto|yusei",
    re.IGNORECASE,
)
_SERIF = re.compile(
    r"serif|roman|garamond|times|bookman|c059|p052|song|sung|ming\b|mincho|didot|amiri|naskh|standard tt|tex gyre t",
    re.IGNORECASE,
)
_SANS = re.compile(r"sans|gothic|grotesk|heiti|zenhei|microhei", re.IGNORECASE)
_MONOSPACED = re.compile(r"\bmono\b|courier|console|code\b|typewriter|inconsolata", re.IGNORECASE)
_NAMES = {"handwriting": _HANDWRITTEN, "monospaced": _MONOSPACED, "sans": _SANS, "serif": _SERIF}
# Fonts with symbols at the code points of letters, letters in boxes, or lines of double height.
_UNFIT = re.compile(
    r"symbol|dingbat|emoji|d050000l|math|music|barcode|icon|colored|last resort|quran|nastaliq|^(cm|stix)",
    re.IGNORECASE,
)
# A hundred Noto faces for other scripts have the same Latin letters as Noto Sans: these are the Latin ones.
_LATIN_NOTO = re.compile(r"Noto (Sans|Serif|Mono)( Mono| Display)?$")
_REGION = re.compile(r"\b(SC|CN|JP|KR|TC|HK|TW)\b")  # whose forms of Chinese characters a family has
_MAINLAND = ("SC", "CN")
_CODE_PAGE_OF_CHINA = 18


class FontError(ValueError):
    """No installed font can draw a text; the message says what is missing and what to install."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Font:
    """One face of a font: its file and its looks.

    Args:
        path: the file.
        index: index of the face in a collection (.ttc).
        family: name of the family in the file.
        kind: one of KINDS.
        weight: 100 to 900; 400 is regular, 600 and more is bold.
        ranges: bits of the Unicode ranges that the file claims to cover (table OS/2).
        code_pages: bits of the code pages that it claims to cover.
    """

    path: Path
    index: int = 0
    family: str
    kind: str
    weight: int = 400
    italic: bool = False
    ranges: int = 0
    code_pages: int = 0

    @property
    def bold(self) -> bool:
        return self.weight >= BOLD


@lru_cache(maxsize=1)
def font_files() -> Mapping[str, Path]:
    """Return the font files by name. Those in matplotlib take precedence over system fonts with the same name."""
    bundled = Path(sysconfig.get_path("purelib")) / "matplotlib/mpl-data/fonts/ttf"
    found: dict[str, Path] = {}
    for folder in (str(bundled), *map(os.path.expanduser, FOLDERS)):
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                if name.lower().endswith(SUFFIXES):
                    found.setdefault(name, Path(parent) / name)
    return found


@lru_cache(maxsize=1)
def installed_fonts() -> tuple[Font, ...]:
    """Return all readable faces, sorted by family, weight and slope, each from one file."""
    from fontTools.ttLib import TTLibError  # an optional dependency

    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns about odd dates in files
    found: dict[tuple[str, int, bool], Font] = {}
    for _, path in sorted(font_files().items()):
        try:
            faces = _faces(path)
        except (TTLibError, OSError, KeyError, AssertionError):  # ignore damaged files
            continue
        for font in faces:
            if not _UNFIT.search(font.family):
                found.setdefault((font.family, font.weight, font.italic), font)
    return tuple(found[key] for key in sorted(found))


@lru_cache(maxsize=8)
def fonts_in(folder: str) -> tuple[Font, ...]:
    """Return the faces of the font files in a folder. Raises FontError if there are none, or one is damaged."""
    from fontTools.ttLib import TTLibError  # an optional dependency

    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        there = f"{folder} has no font files ({', '.join(SUFFIXES)})"
        raise FontError(f"fonts: {there if Path(folder).is_dir() else f'there is no folder {folder}'}")
    found: list[Font] = []
    for path in files:
        try:
            found += _faces(path)
        except (TTLibError, OSError, KeyError, AssertionError, ValueError, struct.error) as error:
            raise FontError(f"fonts: {path.name} is no readable font: {str(error).splitlines()[0]}") from error
    return tuple(found)


def _faces(path: Path) -> list[Font]:
    from fontTools.ttLib import TTCollection, TTFont

    if path.suffix.lower() != ".ttc":
        with TTFont(path, lazy=True) as font:
            return [_face(font, path, 0)]
    with TTCollection(path, lazy=True) as collection:
        return [_face(font, path, index) for index, font in enumerate(collection.fonts)]


def _face(font: "TTFont", path: Path, index: int) -> Font:
    names, looks = font["name"], font["OS/2"]
    family = names.getDebugName(16) or names.getDebugName(1) or path.stem
    style = names.getDebugName(17) or names.getDebugName(2) or ""
    if re.search(r"condensed|narrow", style, re.IGNORECASE):
        family += " Condensed"
    return Font(
        path=path,
        index=index,
        family=family,
        kind=_kind(f"{family} {style}", looks),
        weight=looks.usWeightClass,
        ranges=looks.ulUnicodeRange1 | looks.ulUnicodeRange2 << 32,
        code_pages=getattr(looks, "ulCodePageRange1", 0),
        italic=bool(looks.fsSelection & 1) or re.search(r"italic|oblique|slanted", style, re.IGNORECASE) is not None,
    )


def _kind(name: str, looks: Any) -> str:
    """Return the kind of a face by its name, else by the PANOSE numbers and the class in its file."""
    for kind, pattern in _NAMES.items():
        if pattern.search(name):
            return kind
    panose = looks.panose
    if panose.bFamilyType == 3:
        return "handwriting"
    if panose.bFamilyType == 2 and panose.bProportion == 9:
        return "monospaced"
    has_serifs = 2 <= panose.bSerifStyle <= 10 if panose.bFamilyType == 2 else 1 <= looks.sFamilyClass >> 8 <= 7
    return "serif" if has_serifs else "sans"


def installed_for(language: str) -> tuple[Font, ...]:
    """Return the installed faces for a language; possibly none."""
    return _fonts_writing(language)


@lru_cache(maxsize=64)
def fonts_for(language: str, kinds: Sequence[str] = (), *, bold: bool | None = None) -> tuple[Font, ...]:
    """Return the installed faces for a language, of these kinds (all by default).

    Raises:
        FontError: there is none.
        ValueError: the language is not in LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    found = [
        font
        for font in _fonts_writing(language)
        if (not kinds or font.kind in kinds) and (bold is None or font.bold == bold)
    ]
    if not found:
        looks = " ".join((("bold",) if bold else ()) + (" or ".join(kinds),) if kinds else ())
        raise FontError(
            f"no {looks + ' ' if looks else ''}font with the {LANGUAGES[language].script} script is installed; "
            f"install one (Debian: {LANGUAGES[language].packages})"
        )
    return tuple(found)


@lru_cache(maxsize=len(LANGUAGES))
def _fonts_writing(language: str) -> tuple[Font, ...]:
    wanted = LANGUAGES[language]
    low, high = WEIGHTS
    found = families(
        font
        for font in installed_fonts()
        if low <= font.weight <= high
        and font.ranges >> wanted.range_bit & 1
        and _has_forms_of(wanted, font)
        and not (wanted.script == "Latin" and _is_for_another_script(font))
        and all(ord(character) in glyphs_of(font.path, font.index).names for character in wanted.sample)
        and not missing(wanted.sample, font)
    )
    return tuple(
        font
        for faces in found.values()
        if not (wanted.script == "Latin" and _has_capitals_only(faces[0]))
        for font in faces
    )


def _has_forms_of(wanted: Language, font: Font) -> bool:
    """Return True unless a face has the forms that Chinese characters have elsewhere."""
    region = _REGION.search(font.family)
    if region:
        return region[0] in (wanted.regions or _MAINLAND)
    if wanted.code_page is None:
        return True
    return bool(font.code_pages >> wanted.code_page & 1) and not font.code_pages >> _CODE_PAGE_OF_CHINA & 1


def _is_for_another_script(font: Font) -> bool:
    """Return True if a face has Latin letters only as a supplement, such as for names in Chinese text."""
    is_foreign_noto = font.family.startswith("Noto ") and not _LATIN_NOTO.match(font.family)
    if is_foreign_noto or font.ranges >> LANGUAGES["zh"].range_bit & 1:
        return True
    return ord("ก") in glyphs_of(font.path, font.index).names  # Thai fonts have Latin letters that fit theirs


def families(fonts: Iterable[Font]) -> Mapping[str, tuple[Font, ...]]:
    """Group faces by family; choosing a family first gives every design the same chance."""
    found: dict[str, tuple[Font, ...]] = {}
    for font in fonts:
        found[font.family] = (*found.get(font.family, ()), font)
    return found


def _has_capitals_only(font: Font) -> bool:
    """Return True if lower-case letters look like capitals: they are as high, or p and y have no descender."""
    glyphs = glyphs_of(font.path, font.index)
    box = {letter: glyphs.extent(glyphs.names[ord(letter)]) for letter in "pyenoENO"}
    as_high = all(box[letter][1] > MAX_SMALL * box[letter.upper()][1] for letter in "eno")
    return as_high or any(box[letter][0] > MIN_DESCENT for letter in "py")


def missing(text: str, font: Font) -> list[str]:
    """Return the characters of a text that a face cannot draw, each once, in order of appearance."""
    glyphs = glyphs_of(font.path, font.index)
    return [character for character in dict.fromkeys(text) if character != "\n" and not glyphs.draws(character)]


@lru_cache(maxsize=64)
def vertical_forms(font: Font) -> Mapping[int, int]:
    """Return the glyphs of a face that have another form in vertical text, by number: commas, small kana, dashes."""
    return glyphs_of(font.path, font.index).vertical_forms()


def check_glyphs(texts: Iterable[str], font: Font) -> None:
    """Raise FontError with the first character that the face cannot draw."""
    for text in texts:
        for character in missing(text, font)[:1]:
            raise _no_glyph(font, character)


def _no_glyph(font: Font, character: str) -> FontError:
    return FontError(f"the font {font.family} has no glyph for {character!r} (U+{ord(character):04X})")


def fonts_with(text: str, fonts: Iterable[Font]) -> tuple[Font, ...]:
    """Return the faces that have every glyph of a text.

    Raises:
        FontError: there is none; the message names the character that the fewest faces have, and its script.
    """
    fonts = tuple(fonts)
    lacks = [missing(text, font) for font in fonts]
    found = tuple(font for font, characters in zip(fonts, lacks, strict=True) if not characters)
    if not found:
        counts: dict[str, int] = {}
        for character in (character for characters in lacks for character in characters):
            counts[character] = counts.get(character, 0) + 1
        rarest = max(counts, key=lambda character: counts[character], default="")
        raise FontError(
            f"no font at hand has a glyph for {rarest!r} (U+{ord(rarest or ' '):04X}, {script_of(rarest)} script)"
        )
    return found


def draw_font(text: str, fonts: Iterable[Font], random: Random) -> Font:
    """Choose a random face that has every glyph of a text: first a family, then one of its faces.

    Raises:
        FontError: there is none.
    """
    fonts = tuple(fonts)
    by_family = families(fonts)
    for family in random.sample(sorted(by_family), len(by_family)):
        faces = by_family[family]
        for font in random.sample(faces, len(faces)):
            if not missing(text, font):
                return font
    return fonts_with(text, fonts)[0]  # raises FontError


def script_of(text: str) -> str:
    """Return the Unicode name of the script of most letters in a text; `Common` if it has no letters."""
    from fontTools.unicodedata import script, script_name

    counts: dict[str, int] = {}
    for character in text:
        code = script(character)
        if code not in ("Zyyy", "Zinh"):
            counts[code] = counts.get(code, 0) + 1
    return script_name(max(counts, key=lambda code: counts[code])) if counts else "Common"


@lru_cache(maxsize=50_000)
def advance(font: Font, character: str) -> float:
    """Return the width of a character in font sizes. Raises FontError if the face does not have it."""
    glyphs = glyphs_of(font.path, font.index)
    name = glyphs.names.get(ord(character))
    if name is None:
        raise _no_glyph(font, character)
    return glyphs.advance(name)


@lru_cache(maxsize=512)
def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def fonts_digest(fonts: Iterable[Font]) -> str:
    """Return a digest of the names and files of faces, on which the pixels of a text depend."""
    total = hashlib.sha256()
    for font in fonts:
        total.update(f"{font.family}/{font.path.name}".encode() + _file_digest(font.path))
    return total.hexdigest()[:16]
