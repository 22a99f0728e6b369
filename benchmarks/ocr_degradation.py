"""Measure the processor time of degradation, scenes and handwriting on one core, and the fraction of kept words.

python benchmarks/ocr_degradation.py [--pages 40]

Pages have 768 × 1024 pixels and some hundred words. Each timing is preceded by as many calls as a warm-up.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from runpy import run_path

import cv2
import numpy as np

from sources.base.illegible import Illegible
from sources.ocr.degradation import degrade
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.rendered_text import RenderedText
from sources.ocr.scene import draw_scene
from sources.ocr.text_mask import line_length, paste, render_words, split_at_breaks
from sources.ocr.text_rendering import TextRendering
from sources.text.fonts import fonts_for

EXAMPLE = run_path(str(Path(__file__).resolve().parent.parent / "examples" / "ocr_degradation.py"))
STRENGTHS = (0.2, 0.5, 1.0)


def draw_page(language: str, width: int, height: int, size_px: int) -> RenderedText:
    """Draw a printed page, black on white."""
    font = next(font for font in fonts_for(language, ("serif", "sans")) if not font.bold and not font.italic)
    ink = np.zeros((height, width), np.uint8)
    texts, boxes, baseline, row, length = [], [], 70, "", 0.0
    for piece in split_at_breaks(EXAMPLE["TEXTS"][language] * 20):
        added = line_length(piece, font, size_px)
        if row and length + added > width - 80:
            for word in render_words(row, font, size_px):
                texts.append(word.text)
                boxes.append(paste(ink, word, 40, baseline))
            baseline, row, length = baseline + int(1.7 * size_px), "", 0.0
            if baseline > height - 50:
                break
        row, length = row + piece, length + added
    x0, y0, x1, y1 = np.array(boxes, np.float32).T
    quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
    return RenderedText(pixels=np.repeat(255 - ink[..., None], 3, axis=2), texts=texts, quads=quads)


def time_calls(make: Callable[[Random], float], count: int) -> tuple[float, float, float]:
    """Return mean processor milliseconds per call, the mean result, and the fraction of illegible calls."""
    times, results, illegible = [], [], 0
    for seed in range(count, 2 * count):  # warm-up with other seeds, which loads the fonts
        with suppress(Illegible):
            make(Random(seed))
    for seed in range(count):
        start = time.process_time()
        try:
            results.append(make(Random(seed)))
        except Illegible:
            illegible += 1
        times.append(time.process_time() - start)
    return 1000 * float(np.mean(times)), float(np.mean(results)), illegible / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40)
    count = parser.parse_args().pages
    phrase = EXAMPLE["make_phrase"]

    def words_kept(rendered: RenderedText, strength: float, random: Random) -> float:
        return len(degrade(rendered, strength, random).kept) / len(rendered.texts)

    def words_in(draw: Callable[..., TextRendering], language: str, random: Random) -> float:
        return len(draw(phrase(language, random), language, random).rendered.texts)

    found: dict[str, float] = {}
    for language in ("en", "zh"):
        rendered = draw_page(language, 768, 1024, 17)
        for strength in STRENGTHS:
            ms, kept, illegible = time_calls(partial(words_kept, rendered, strength), count)
            found[f"degrade_{language}_{strength}_ms"] = round(ms, 1)
            print(f"degrade {language} {strength}: {ms:.1f} ms, {kept:.1%} of words kept, {illegible:.1%} illegible")
    for name, draw, languages in (
        ("scene", draw_scene, ("en", "zh", "ar")),
        ("handwriting", draw_handwriting, ("en", "zh")),
    ):
        for language in languages:
            ms, words, illegible = time_calls(partial(words_in, draw, language), count)
            found[f"{name}_{language}_ms"] = round(ms, 1)
            print(f"{name} {language}: {ms:.1f} ms, {words:.1f} words, {illegible:.1%} illegible")
    print(f"OpenCV {cv2.__version__}, NumPy {np.__version__}, {platform.processor() or platform.machine()}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
