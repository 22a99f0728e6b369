"""Fonts: the files found on this machine, and the proof that they have every character of a text."""

import hashlib
import os
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Face:
    """A typeface: how libraries name it, its files, and the place in a collection file.

    Args:
        regular, bold: file names; both are drawn with.
        index: of the face in a collection (.ttc).
    """

    family: str
    regular: str
    bold: str
    languages: tuple[str, ...]
    index: int = 0


# A chart is drawn in one of these that is installed; others would draw other pixels under the same name.
FACES = (
    Face(family="DejaVu Sans", regular="DejaVuSans.ttf", bold="DejaVuSans-Bold.ttf", languages=("en",)),
    Face(family="DejaVu Serif", regular="DejaVuSerif.ttf", bold="DejaVuSerif-Bold.ttf", languages=("en",)),
    Face(
        family="Liberation Sans",
        regular="LiberationSans-Regular.ttf",
        bold="LiberationSans-Bold.ttf",
        languages=("en",),
    ),
    Face(
        family="Liberation Serif",
        regular="LiberationSerif-Regular.ttf",
        bold="LiberationSerif-Bold.ttf",
        languages=("en",),
    ),
    Face(
        family="Noto Sans CJK SC",
        regular="NotoSansCJK-Regular.ttc",
        bold="NotoSansCJK-Bold.ttc",
        languages=("zh", "en"),
        index=2,
    ),
    Face(
        family="Noto Serif CJK SC",
        regular="NotoSerifCJK-Regular.ttc",
        bold="NotoSerifCJK-Bold.ttc",
        languages=("zh", "en"),
        index=2,
    ),
    Face(
        family="WenQuanYi Zen Hei",
        regular="wqy-zenhei.ttc",
        bold="wqy-zenhei.ttc",
        languages=("zh",),
    ),
)


class FontError(ValueError):
    """No installed font can draw a text: one sentence with what to install."""


@lru_cache(maxsize=1)
def _files() -> Mapping[str, Path]:
    """Font files by name: those of matplotlib, then those of the system."""
    found: dict[str, Path] = {}
    bundled = Path(sysconfig.get_path("purelib")) / "matplotlib/mpl-data/fonts/ttf"
    wanted = {name for face in FACES for name in (face.regular, face.bold)}
    for folder in (str(bundled), *map(os.path.expanduser, FOLDERS)):
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in wanted.intersection(names):
                found.setdefault(name, Path(parent) / name)
    return found


@lru_cache(maxsize=4)
def faces_for(language: str) -> tuple[Face, ...]:
    """The installed faces that draw a language. Raises FontError if there is none."""
    files = _files()
    faces = tuple(f for f in FACES if language in f.languages and f.regular in files and f.bold in files)
    if not faces:
        names = " or ".join(face.family for face in FACES if language in face.languages)
        raise FontError(
            f"no font for charts in {language!r} is installed; install {names} (Debian: fonts-noto-cjk), "
            f"or draw without it: --set languages=[{'en' if language == 'zh' else 'zh'}]"
        )
    return faces


def font_file(face: Face, *, bold: bool = False) -> Path:
    """Where a face's file stands."""
    return _files()[face.bold if bold else face.regular]


@lru_cache(maxsize=8)
def fonts_digest(languages: tuple[str, ...]) -> str:
    """A digest of the font files that charts in these languages may use: pixels depend on their bytes."""
    total = hashlib.sha256()
    for face in dict.fromkeys(face for language in languages for face in faces_for(language)):
        for path in (font_file(face), font_file(face, bold=True)):
            with path.open("rb") as file:
                total.update(f"{face.family}/{path.name}".encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Metrics:
    """What a font file says about its glyphs: by code point their names, by name width (in units) and side bearing."""

    glyphs: Mapping[int, str]
    advances: Mapping[str, tuple[int, int]]
    units_per_em: int


@lru_cache(maxsize=16)
def _metrics(face: Face, bold: bool) -> _Metrics:
    from fontTools.ttLib import TTFont

    path = font_file(face, bold=bold)
    with TTFont(path, fontNumber=face.index if path.suffix == ".ttc" else -1, lazy=True) as font:
        return _Metrics(font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm)


@lru_cache(maxsize=20_000)
def _advance(face: Face, bold: bool, character: str) -> float:
    """Width of a character as a share of the font size. Raises FontError if the face does not have it."""
    metrics = _metrics(face, bold)
    glyph = metrics.glyphs.get(ord(character))
    if glyph is None:
        raise FontError(f"the font {face.family} has no glyph for {character!r} (U+{ord(character):04X})")
    return metrics.advances[glyph][0] / metrics.units_per_em


def text_width(text: str, face: Face, size_px: float, *, bold: bool = False) -> float:
    """Width of a line of text in pixels, by its glyphs' advances. Raises FontError for a missing glyph."""
    return sum(_advance(face, bold, character) for character in text) * size_px


def check_glyphs(texts: Iterable[str], face: Face) -> None:
    """Raises FontError naming the first character that the face cannot draw."""
    for text in texts:
        for character in text.replace("\n", ""):
            _advance(face, False, character)
            _advance(face, True, character)
