"""The glyphs of font files: which characters a face draws, their widths and outlines."""

import threading
import unicodedata
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

MAX_DOUBTFUL = 40  # bytes of a glyph that may be a contour without an area; "一" has 28, so these are measured
MAX_DOUBTFUL_PROGRAM = 24  # bytes of a charstring that may have a width, hints and an end only; a longer one draws


def is_blank(character: str) -> bool:
    """Return True if a character may have an empty glyph: white space, a format character, a combining mark."""
    return character.isspace() or unicodedata.category(character) in ("Cf", "Mn")


class Glyphs:
    """The glyphs of a font file: names by code point, and widths and outlines by name.

    fontTools reads tables and outlines when they are first asked for, by moving about in one open file. Threads that
    share a font must take turns.
    """

    def __init__(self, path: Path, index: int):
        from fontTools.ttLib import TTFont

        self._font = TTFont(path, fontNumber=index if path.suffix.lower() == ".ttc" else -1, lazy=True)
        self._turn = threading.RLock()
        if "CFF " in self._font:
            outlines = _outlines_at(path, self._font.reader.tables["CFF "].offset)
            outlines.lend(self._font)
            self._turn = outlines.turn
        if "glyf" in self._font:  # glyphs by number: decoding the names in the file takes most of the time
            count = self._font["maxp"].numGlyphs
            self._font.setGlyphOrder([".notdef", *(f"glyph{number:05d}" for number in range(1, count))])
        with self._turn:
            self.names: Mapping[int, str] = self._font.getBestCmap() or {}
            self._font.tables.pop("cmap", None)  # of a Chinese font, 20 MB
        self._has_glyph: dict[str, bool] = {}

    @cached_property
    def _outlines(self) -> Any:
        return self._font.getGlyphSet()

    def draws(self, character: str) -> bool:
        """Return True if the character has a glyph, and the glyph is not empty unless the character is blank."""
        found = self._has_glyph.get(character)
        if found is None:
            name = self.names.get(ord(character), ".notdef")
            with self._turn:
                found = name != ".notdef" and (is_blank(character) or self._has_outline(name))
            self._has_glyph[character] = found
        return found

    def _has_outline(self, name: str) -> bool:
        """Return True if a glyph covers an area, by its size if possible: drawing took a fifth of a scene's time.

        A composite glyph (-1 contours) is measured, because its components may be empty.
        """
        if "glyf" in self._font:
            starts, number = self._font["loca"], self._font.getGlyphID(name)
            start, length = starts[number], starts[number + 1] - starts[number]
            if length == 0:
                return False
            if length > MAX_DOUBTFUL and self._num_contours(start) > 0:
                return True
        elif "CFF " in self._font:
            program = self._font["CFF "].cff.topDictIndex[0].CharStrings[name]
            if program.bytecode is not None and len(program.bytecode) > MAX_DOUBTFUL_PROGRAM:
                return True
        x0, y0, x1, y1 = self._bounds(name) or (0, 0, 0, 0)
        return x1 > x0 and y1 > y0

    def _num_contours(self, start: int) -> int:
        """Return the number of contours of the glyph at an offset of the table; -1 for a composite glyph."""
        reader = self._font.reader
        reader.file.seek(reader.tables["glyf"].offset + start)
        return int.from_bytes(reader.file.read(2), "big", signed=True)

    def _bounds(self, name: str) -> tuple[float, float, float, float] | None:
        """Return the box of an outline in units of the font; None if it is empty."""
        from fontTools.pens.boundsPen import ControlBoundsPen

        with self._turn:
            pen = ControlBoundsPen(self._outlines)
            self._outlines[name].draw(pen)
            bounds: tuple[float, float, float, float] | None = pen.bounds
            return bounds

    def extent(self, name: str) -> tuple[float, float]:
        """Return bottom and top of an outline above the baseline, in font sizes; both 0 if it is empty."""
        bounds = self._bounds(name)
        with self._turn:
            units = self._font["head"].unitsPerEm
        return (bounds[1] / units, bounds[3] / units) if bounds else (0, 0)

    def vertical_forms(self) -> Mapping[int, int]:
        """Return the single substitutions of the feature `vert`, by glyph number."""
        with self._turn:
            if "GSUB" not in self._font:
                return {}
            table = self._font["GSUB"].table
            lookups = {
                k
                for record in table.FeatureList.FeatureRecord
                if record.FeatureTag == "vert"
                for k in record.Feature.LookupListIndex
            }
            found: dict[int, int] = {}
            for k in sorted(lookups):
                for subtable in table.LookupList.Lookup[k].SubTable:
                    mapping = getattr(getattr(subtable, "ExtSubTable", subtable), "mapping", {})
                    found |= {self._font.getGlyphID(a): self._font.getGlyphID(b) for a, b in mapping.items()}
            return found

    def advance(self, name: str) -> float:
        """Return the width in font sizes."""
        with self._turn:
            return float(self._font["hmtx"][name][0] / self._font["head"].unitsPerEm)


class _Outlines:
    """The outlines that the faces of a collection share, with the names of their glyphs: of Noto Sans CJK, 60 MB."""

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self._table: Any = None
        self._names: list[str] = []

    def lend(self, font: "TTFont") -> None:
        """Give a face the table of the first one that was loaded."""
        with self.turn:
            if self._table is None:
                self._table, self._names = font["CFF "], font.getGlyphOrder()
            font.tables["CFF "] = self._table
            font.setGlyphOrder(self._names)


@lru_cache(maxsize=256)
def _outlines_at(path: Path, offset: int) -> _Outlines:
    """Return the outlines at a place of a file."""
    return _Outlines()


@lru_cache(maxsize=1024)
def glyphs_of(path: Path, index: int) -> Glyphs:
    """Return the glyphs of a face: a font file and its number in it."""
    return Glyphs(path, index)
