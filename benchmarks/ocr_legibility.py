"""What PaddleOCR reads of the words that degradation keeps, and of those that it drops as illegible.

    python benchmarks/ocr_legibility.py [--pages 6]

Pages of both languages at strengths 0.8 and 1 are read once, with all words that are in the picture. Printed are the
words that the usual limits keep and drop, and those between one limit and the next, all else as usual. A word of at
least three characters counts as read if the line over it has four fifths of them in this order, as unread if it has
less than half. The last line is JSON.
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
from filters.paddle_reader import Line, PaddleReader
from sources.ocr.degradation import degrade
from sources.ocr.degradation.legibility import Limits
from sources.ocr.rendered_text import RenderedText

AGREEMENT = run_path(str(Path(__file__).with_name("ocr_agreement.py")))
STRENGTHS = (0.8, 1.0)
MIN_CHARACTERS = 3  # a shorter word is found in any line by chance
READ, UNREAD = 0.8, 0.5  # share of a word's characters
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
    shares: list[np.ndarray] = []  # of each page's words, how much was read
    kept: dict[Limits, list[np.ndarray]] = {}  # by limits, of each page's words, whether they stay
    usual = Limits()
    tried = {usual, *(replace(usual, **{name: limit}) for name, limits in STEPS.items() for limit in limits)}
    for language in ("en", "zh"):
        for number in range(args.pages):
            page = AGREEMENT["clean_page"](language, number)
            for strength in STRENGTHS:
                seed = f"{language}/{number}/degradation"
                whole = degrade(page, strength, Random(seed), limits=NONE)
                lines = reader.read(AGREEMENT["encoded"](whole.drawn).data)
                long = np.array([len(normalized(text)) >= MIN_CHARACTERS for text in whole.drawn.texts], bool)
                shares.append(read_shares(whole.drawn, lines)[long])
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


def read_shares(drawn: RenderedText, lines: Sequence[Line]) -> np.ndarray:
    """(N,) how much of each word is found in the lines over its middle, 0 to 1."""
    texts = [normalized(line.text) for line in lines]
    shares = np.zeros(len(drawn.texts))
    for k, (word, quad) in enumerate(zip(drawn.texts, drawn.quads, strict=True)):
        x, y = quad.mean(axis=0).tolist()
        over = [
            text for text, line in zip(texts, lines, strict=True) if cv2.pointPolygonTest(line.quad, (x, y), False) >= 0
        ]
        # A line that is shorter than the word would be found in the word, not the word in it.
        wanted = normalized(word)
        shares[k] = max(
            (partial_ratio(wanted, text) / 100 * min(1, len(text) / len(wanted)) for text in over if wanted),
            default=0.0,
        )
    return shares


def tally(name: str, read: np.ndarray) -> dict[str, str | int | float]:
    """A row: of how many words how many are read."""
    row: dict[str, str | int | float] = {"words": name, "number": len(read)}
    if len(read):
        row |= {"read": round(float(np.mean(read >= READ)), 3), "unread": round(float(np.mean(read < UNREAD)), 3)}
    print("  ".join(f"{key} {value}" for key, value in row.items()))
    return row


if __name__ == "__main__":
    main()
