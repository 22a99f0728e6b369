"""Measure how many of the words that degradation keeps, and of those that it drops, PaddleOCR reads.

    python benchmarks/ocr_legibility.py [--pages 6]

Pages of both languages at strengths 0.8 and 1 are read once, with all words in the picture. Rows are printed for the
words that the default limits keep and drop, and for words between two values of one limit. Words of at least three
characters count as read if the line over them has four fifths of their characters in order, as unread if it has less
than half. The last line is JSON.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from runpy import run_path

import cv2
import numpy as np
from rapidfuzz.fuzz import partial_ratio

from filters.character_errors import normalized
from sources.ocr.clean_page import make_clean_page
from sources.ocr.degradation import degrade
from sources.ocr.degradation.legibility import Limits
from sources.ocr.rendered_text import RenderedText
from sources.paddle_ocr.reader import Line, PaddleReader

AGREEMENT = run_path(str(Path(__file__).with_name("ocr_agreement.py")))
STRENGTHS = (0.8, 1.0)
MIN_CHARACTERS = 3  # shorter words are found in any line by chance
READ, UNREAD = 0.8, 0.5  # fraction of a word's characters
NONE = Limits(correlation=-1, contrast=-255, kept_contrast=-1, height_px=0, share=0)
STEPS = {
    "correlation": (0.35, 0.45, 0.55, 0.65, 0.75),
    "contrast": (3.0, 5.0, 7.0, 10.0, 14.0),
    "height_px": (3.0, 4.5, 6.0, 7.5, 9.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=6, help="of each language")
    args = parser.parse_args()
    reader = PaddleReader()
    shares: list[np.ndarray] = []  # by page: fraction of each word that was read
    kept: dict[Limits, list[np.ndarray]] = {}  # by limits and page: True for words that are kept
    usual = Limits()
    tried = {usual, *(replace(usual, **{name: limit}) for name, limits in STEPS.items() for limit in limits)}
    for language in ("en", "zh"):
        for number in range(args.pages):
            page = make_clean_page(
                AGREEMENT["KINDS"][number % len(AGREEMENT["KINDS"])], language, f"{language}/{number}"
            )
            for strength in STRENGTHS:
                seed = f"{language}/{number}/degradation"
                whole = degrade(page, strength, Random(seed), limits=NONE)
                lines = reader.read(AGREEMENT["encode_picture"](whole.rendered).data)
                long = np.array([len(normalized(text)) >= MIN_CHARACTERS for text in whole.rendered.texts], bool)
                shares.append(read_shares(whole.rendered, lines)[long])
                for limits in tried:
                    left = degrade(page, strength, Random(seed), limits=replace(limits, share=0)).kept
                    kept.setdefault(limits, []).append(np.isin(whole.kept, left)[long])
    read = np.concatenate(shares)
    print(f"{len(read)} words in {len(shares)} pictures")
    print(f"read {np.mean(read >= READ):.1%}, unread {np.mean(read < UNREAD):.1%}")
    stays = {limits: np.concatenate(pages) for limits, pages in kept.items()}
    rows = [tally("kept", read[stays[usual]]), tally("dropped", read[~stays[usual]])]
    for name, steps in STEPS.items():
        for low, high in pairwise(steps):
            between = stays[replace(usual, **{name: low})] & ~stays[replace(usual, **{name: high})]
            rows.append(tally(f"{name} {low:g} to {high:g}", read[between]))
    print(json.dumps(rows))


def read_shares(rendered: RenderedText, lines: Sequence[Line]) -> np.ndarray:
    """Return (N,) fractions of each word, 0 to 1, found in the lines over its centre."""
    texts = [normalized(line.text) for line in lines]
    shares = np.zeros(len(rendered.texts))
    for k, (word, quad) in enumerate(zip(rendered.texts, rendered.quads, strict=True)):
        x, y = quad.mean(axis=0).tolist()
        over = [
            text for text, line in zip(texts, lines, strict=True) if cv2.pointPolygonTest(line.quad, (x, y), False) >= 0
        ]
        # partial_ratio searches for the shorter text in the longer one.
        wanted = normalized(word)
        shares[k] = max(
            (partial_ratio(wanted, text) / 100 * min(1, len(text) / len(wanted)) for text in over if wanted),
            default=0.0,
        )
    return shares


def tally(name: str, read: np.ndarray) -> dict[str, str | int | float]:
    """Print and return a row: the number of words and the fractions that are read and unread."""
    row: dict[str, str | int | float] = {"words": name, "number": len(read)}
    if len(read):
        row |= {"read": round(float(np.mean(read >= READ)), 3), "unread": round(float(np.mean(read < UNREAD)), 3)}
    print("  ".join(f"{key} {value}" for key, value in row.items()))
    return row


if __name__ == "__main__":
    main()
