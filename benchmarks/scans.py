"""Measure the text of scans against known text, and the speed against a bare PaddleOCR loop on the same pictures.

    python -m benchmarks.scans --pdf en=MANUAL.pdf --pdf zh=REFERENCE.pdf [--pages 3] [--pictures 6]

Pages of PDFs, whose words are known, are drawn with a long side of 1,600 pixels and degraded as photocopies and
photographs are; the source `images` reads the pictures. Words that the degradation made illegible are left out of what
is known. The last line is JSON: by language and strength the character error rate and the recall of words, both in
reading order, and the pages per second of processor time relative to the bare loop. One process, one thread.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice, zip_longest
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image
from rapidfuzz.distance import LCSseq, Levenshtein

from filters.character_errors import normalized
from sources.base.illegible import Illegible
from sources.base.source import ItemError
from sources.ocr.degradation import degrade
from sources.ocr.rendered_text import RenderedText
from sources.paddle_ocr.reader import loaded
from sources.pdfs.source import Pdfs
from sources.pictures.source import Pictures

STRENGTHS = (0.0, 0.3, 0.6)
MIN_WORDS = 60  # of a page; others are title pages
SIDE_PX = 1600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdf", action="append", required=True, metavar="LANGUAGE=FILE")
    parser.add_argument("--pages", type=int, default=3, help="of each file")
    parser.add_argument("--pictures", type=int, help="end after this many pictures")
    parser.add_argument("--ocr-side-px", type=int, default=Pictures.ocr_side_px)
    args = parser.parse_args()
    source = Pictures(ocr_side_px=args.ocr_side_px)
    source.load()
    scores: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seconds = {"source": 0.0, "bare": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        for name, picture in islice(pictures(args.pdf, args.pages), args.pictures):
            Image.fromarray(picture.pixels).save(path)
            words = read(source, path, seconds)
            errors, share = error_rate(picture.texts, words), recall(picture.texts, words)
            scores[name].append((errors, share))
            relative = seconds["bare"] / seconds["source"]
            print(f"{name}: errors {errors:.2%}, recall {share:.2%}, relative speed {relative:.3f}", flush=True)
    found = {name: [round(float(mean), 4) for mean in np.mean(pairs, axis=0)] for name, pairs in scores.items()}
    for name, (errors, share) in found.items():
        print(f"{name}: {len(scores[name])} pages, character error rate {errors:.2%}, recall of words {share:.2%}")
    num_pages = sum(map(len, scores.values()))
    for name, total in seconds.items():
        print(f"{name}: {total / num_pages:.2f} s per page")
    print(json.dumps({"scores": found, "relative_speed": round(seconds["bare"] / seconds["source"], 3)}))


def pictures(pdfs: Sequence[str], num_pages: int) -> Iterator[tuple[str, RenderedText]]:
    """Yield degraded pages with their language and strength, one page of each file after the other."""
    entries = [entry.split("=", 1) for entry in pdfs]
    for pages in zip_longest(*(known_pages(Path(pdf), num_pages) for _, pdf in entries)):
        for (language, pdf), page in zip(entries, pages, strict=True):
            for strength in STRENGTHS if page is not None else ():
                with suppress(Illegible):
                    random = Random(f"{pdf}/{page.texts[:5]}/{strength}")
                    yield f"{language} {strength}", degrade(page, strength, random).rendered


def known_pages(pdf: Path, number: int) -> Iterator[RenderedText]:
    """Yield pages with their words, evenly spaced."""
    given = 0
    with Pdfs(side_px=SIDE_PX, format="png").open(pdf) as pages:
        for item in range(len(pages) // (2 * number), len(pages), max(1, len(pages) // number)):
            for page in range(item, min(item + 5, len(pages))):  # the next page with text
                with suppress(ItemError):
                    sample = pages[page]
                    if len("".join(sample.words.texts)) >= MIN_WORDS * 5:
                        break
            else:
                continue
            x0, y0, x1, y1 = sample.words.boxes.T
            quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
            pixels = np.asarray(Image.open(BytesIO(sample.images[0].data)).convert("RGB"))
            yield RenderedText(pixels=pixels, texts=list(sample.words.texts), quads=quads.astype(np.float32))
            given += 1
            if given == number:
                return


def read(source: Pictures, path: Path, seconds: dict[str, float]) -> Sequence[str]:
    """Return the words of a picture as the source reads them; both ways of reading are timed."""
    start = time.process_time()
    with source.open(path) as pages:
        words = pages[0].words.texts
    middle = time.process_time()
    loaded(None)._engine.predict(np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1]))
    seconds["source"] += middle - start
    seconds["bare"] += time.process_time() - middle
    return words


def error_rate(known: Sequence[str], words: Sequence[str]) -> float:
    """Return wrong, missing and extra characters, white space not counted, as a share of the known ones."""
    truth = normalized("".join(known))
    return Levenshtein.distance(truth, normalized("".join(words))) / len(truth)


def recall(known: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of the known words that were read in this order; of Chinese, characters are words."""
    truth, found = units(known), units(words)
    return LCSseq.similarity(truth, found) / len(truth)


def units(words: Sequence[str]) -> list[str]:
    return [unit for word in words for unit in ([word] if word.isascii() else normalized(word))]


if __name__ == "__main__":
    main()
