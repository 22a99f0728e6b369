"""Measure the agreement of PaddleOCR with known text: pages of PDFs, and synthetic pages by degradation strength.

    python benchmarks/ocr_agreement.py [--pages 4] [--languages en zh] [--pdf FILE …] [--pdf-pages 8]

One process, one thread. The last line is JSON: mean and lowest agreement by language and strength, the median and the
fraction of at least 0.95 of each PDF, processor seconds per page, and the memory of the process over time.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import psutil

from filters.ocr_agreement import agreement
from sources.base.illegible import Illegible
from sources.base.sample import EncodedImage, Provenance, Sample, Words
from sources.base.source import ItemError
from sources.images.encoding import encode
from sources.ocr.clean_page import make_clean_page
from sources.ocr.degradation import degrade
from sources.ocr.rendered_text import RenderedText
from sources.paddle_ocr.reader import PaddleReader
from sources.pdfs.source import Pdfs

STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LANGUAGES = ("en", "zh")
KINDS = ("article", "receipt", "form", "letter", "newspaper", "report")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=4, help="synthetic pages per language")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--pdf", type=Path, nargs="*", default=[], help="real pages to read as well")
    parser.add_argument("--pdf-pages", type=int, default=8, help="per PDF, evenly spaced")
    args = parser.parse_args()
    reader = PaddleReader()
    process = psutil.Process()
    for sample in make_samples("en", 0, 0.0):  # warm-up
        agreement(sample, reader)
    memory_mb = [round(process.memory_info().rss / 1e6)]
    num_read, since = 0, time.process_time()
    drawing_s = 0.0

    degraded: dict[str, dict[str, dict[str, float]]] = {}
    print(f"{'':10}" + "".join(f"{strength:>14.1f}" for strength in STRENGTHS) + "   strength; mean (lowest)")
    for language in args.languages:
        degraded[language] = {}
        print(f"{language:10}", end="", flush=True)
        for strength in STRENGTHS:
            found = []
            for number in range(args.pages):
                start = time.process_time()
                samples = list(make_samples(language, number, strength))
                drawing_s += time.process_time() - start
                found += [agreement(sample, reader) for sample in samples]
            scores = [score for score in found if score is not None]
            num_read += len(scores)
            degraded[language][f"{strength:.1f}"] = {
                "pages": len(scores),
                "mean": round(statistics.fmean(scores), 4) if scores else 0.0,
                "lowest": min(scores, default=0.0),
            }
            cell = "{mean:.3f} ({lowest:.2f})".format_map(degraded[language][f"{strength:.1f}"])
            print(f"{cell:>14}", end="", flush=True)
        print()
        memory_mb.append(round(process.memory_info().rss / 1e6))

    real = {}
    for pdf in args.pdf:
        start = time.process_time()
        samples = list(read_pages(pdf, args.pdf_pages))
        drawing_s += time.process_time() - start
        scores = [score for sample in samples if (score := agreement(sample, reader)) is not None]
        num_read += len(scores)
        good = sum(score >= 0.95 for score in scores) / len(scores)
        real[pdf.name] = {"pages": len(scores), "median": statistics.median(scores), "share_of_0.95": round(good, 3)}
        print(f"{pdf.name}: {len(scores)} pages, median {statistics.median(scores):.4f}, lowest {min(scores):.4f}")
        memory_mb.append(round(process.memory_info().rss / 1e6))

    seconds = (time.process_time() - since - drawing_s) / num_read
    print(f"{num_read} pages, {seconds:.2f} s each on one thread; memory in MB as it went: {memory_mb}")
    print(json.dumps({"degraded": degraded, "real": real, "seconds_a_page": round(seconds, 2), "memory_mb": memory_mb}))


def make_samples(language: str, number: int, strength: float) -> Iterator[Sample]:
    """Yield a page at this strength, unless it is illegible. The same number gives the same page at every strength."""
    try:
        rendered = degrade(
            make_clean_page(KINDS[number % len(KINDS)], language, f"{language}/{number}"),
            strength,
            Random(f"{language}/{number}/degradation"),
        ).rendered
    except Illegible:
        return
    yield Sample(
        id=f"{number}",
        source="ocr",
        provenance=Provenance(locator=f"number={number}", digest="00"),
        images=[encode_picture(rendered)],
        words=Words(texts=rendered.texts, boxes=rendered.boxes(), images=np.zeros(len(rendered.texts), np.int32)),
    )


def encode_picture(rendered: RenderedText) -> EncodedImage:
    """Encode the picture as the source does."""
    return encode(rendered.pixels, "jpeg", 90)


def read_pages(pdf: Path, number: int) -> Iterator[Sample]:
    """Yield pages of a PDF, evenly spaced."""
    with Pdfs().open(pdf) as pages:
        for page in range(0, len(pages), max(1, len(pages) // number)):
            with suppress(ItemError):
                yield pages[page]


if __name__ == "__main__":
    main()
