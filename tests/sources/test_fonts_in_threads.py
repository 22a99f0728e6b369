"""Fonts are read lazily and shared by the threads of a worker: each gets what it would get alone."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sources.text import fonts, glyphs

LETTERS = "".join(map(chr, range(0x41, 0x250)))
NUM_THREADS = 6


def test_threads_find_the_glyphs_that_one_alone_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = [font for font in fonts.installed_fonts() if font.path.suffix.lower() == ".otf"][:3]
    faces += [font for font in fonts.installed_fonts() if font.path.suffix.lower() == ".ttf"][:3]
    alone = [_look_at(font) for font in faces]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for font, expected in zip(faces, alone, strict=True):
            glyphs.glyphs_of.cache_clear()
            fonts.advance.cache_clear()
            start = Barrier(NUM_THREADS)

            def look(font: fonts.Font = font, start: Barrier = start) -> tuple[list[str], list[float]]:
                glyphs.glyphs_of(font.path, font.index)
                start.wait()
                return _look_at(font)

            with ThreadPoolExecutor(NUM_THREADS) as threads:
                found = [threads.submit(look) for _ in range(NUM_THREADS)]
                assert all(each.result() == expected for each in found), font.family
    finally:
        sys.setswitchinterval(before)


def _look_at(font: fonts.Font) -> tuple[list[str], list[float]]:
    missing = fonts.missing(LETTERS, font)
    return missing, [fonts.advance(font, letter) for letter in LETTERS if letter not in missing][::40]
