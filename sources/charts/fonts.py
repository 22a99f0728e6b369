"""The fonts of charts: the installed ones of a short list."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sources.text import fonts
from sources.text.fonts import Font, FontError, font_files


@dataclass(frozen=True, kw_only=True, slots=True)
class Face:
    """A font: its family name, its files, and its index in a collection file.

    Args:
        regular, bold: file names; charts use both.
        index: index in a collection (.ttc).
    """

    family: str
    regular: str
    bold: str
    languages: tuple[str, ...]
    index: int = 0


# Charts use installed fonts of this list only.
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


@lru_cache(maxsize=4)
def faces_for(language: str) -> tuple[Face, ...]:
    """Return the installed fonts that support a language. Raises FontError if there is none."""
    files = font_files()
    faces = tuple(f for f in FACES if language in f.languages and f.regular in files and f.bold in files)
    if not faces:
        names = " or ".join(face.family for face in FACES if language in face.languages)
        raise FontError(
            f"no font for charts in {language!r} is installed; install {names} (Debian: fonts-noto-cjk), "
            f"or draw without it: --set languages=[{'en' if language == 'zh' else 'zh'}]"
        )
    return faces


@lru_cache(maxsize=16)
def _font(face: Face, bold: bool) -> Font:
    path = font_files()[face.bold if bold else face.regular]
    return Font(path=path, index=face.index, family=face.family, kind="sans", weight=700 if bold else 400)


def font_file(face: Face, *, bold: bool = False) -> Path:
    """Return the path of a font file."""
    return _font(face, bold).path


@lru_cache(maxsize=8)
def fonts_digest(languages: tuple[str, ...]) -> str:
    """Return a digest of the font files of charts in these languages, as pixels depend on them."""
    faces = dict.fromkeys(face for language in languages for face in faces_for(language))
    return fonts.fonts_digest(_font(face, bold) for face in faces for bold in (False, True))


@lru_cache(maxsize=20_000)
def _advance(face: Face, bold: bool, character: str) -> float:
    return fonts.advance(_font(face, bold), character)


def text_width(text: str, face: Face, size_px: float, *, bold: bool = False) -> float:
    """Return the width of a line of text in pixels, by its glyphs' advances. Raises FontError for a missing glyph."""
    return sum(_advance(face, bold, character) for character in text) * size_px


def check_glyphs(texts: Iterable[str], face: Face) -> None:
    """Raise FontError with the first character that the font lacks."""
    for text in texts:
        for bold in (False, True):
            fonts.check_glyphs([text], _font(face, bold))
