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


@lru_cache(maxsize=16)
def _advances(face: Face, bold: bool) -> tuple[Mapping[int, float], float, float]:
    """Width of every character, ascent and descent, all as shares of the font size."""
    from fontTools.ttLib import TTFont

    path = font_file(face, bold=bold)
    with TTFont(path, fontNumber=face.index if path.suffix == ".ttc" else -1, lazy=True) as font:
        em = font["head"].unitsPerEm
        widths = font["hmtx"].metrics
        cmap = font.getBestCmap()
        ascent, descent = font["hhea"].ascent / em, -font["hhea"].descent / em
        return {code: widths[glyph][0] / em for code, glyph in cmap.items()}, ascent, descent


def text_width(text: str, face: Face, size_px: float, *, bold: bool = False) -> float:
    """Width of a line of text in pixels, by its glyphs' advances. Raises FontError for a missing glyph."""
    widths, _, _ = _advances(face, bold)
    try:
        return sum(widths[ord(character)] for character in text) * size_px
    except KeyError as error:
        raise FontError(_no_glyph(face, chr(error.args[0]))) from error


def check_glyphs(texts: Iterable[str], face: Face) -> None:
    """Raises FontError naming the first character that the face cannot draw."""
    for bold in (False, True):
        widths, _, _ = _advances(face, bold)
        for text in texts:
            for character in text:
                if ord(character) not in widths and character != "\n":
                    raise FontError(_no_glyph(face, character))


def _no_glyph(face: Face, character: str) -> str:
    return f"the font {face.family} has no glyph for {character!r} (U+{ord(character):04X})"
