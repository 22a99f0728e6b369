"""Measure the OCR source: documents and scenes per second, and how exactly boxes fit their ink.

python benchmarks/ocr.py [--samples 400] [--workers 2] [--pages 60]

The source makes text, layout, pixels, boxes, degradation, conversation, fingerprint and JPEG. The bare loop lays out
and draws one fixed page with the same library and writes JPEG, without boxes. The peer, SynthDoG, runs on
Pillow before 10 only; its figure was measured in a separate environment (2 workers, about 940 px, no boxes).
"""

import argparse
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sources.base.sample import Sample
    from sources.ocr.arrays import Bools
    from sources.ocr.page import PageLayout

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SYNTHDOG_PER_S = 0.84  # PEERS.md
WARM_UP = 400  # samples of each kind until most fonts, formulas and surfaces are loaded
ROUNDS = 4  # contenders alternate, so that other load affects all equally
CONTENDERS = ("bare loop", "documents", "scenes")
SIDE_PX = 1024
INK = 48  # grey levels between ink and paper


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock and processor seconds and replaced samples, by contender."""

    wall_s: dict[str, float]
    processor_s: dict[str, float]
    count_replaced: dict[str, Counter[str]]


def measure(worker: int, count: int) -> Timing:
    """Time `count` samples of each contender in `ROUNDS` alternating rounds, after a warm-up."""
    from sources.ocr.source import Ocr

    sources = {"documents": Ocr(seed=1, scene=0.0, side_px=SIDE_PX), "scenes": Ocr(seed=1, scene=1.0, side_px=SIDE_PX)}
    for source in sources.values():
        for number in range(WARM_UP):
            source.make(10_000_000 + number, source.digest)
    run_bare_loop(5)
    share = count // ROUNDS
    none = dict.fromkeys(CONTENDERS, 0.0)
    found = Timing(none, dict(none), {name: Counter() for name in sources})
    for first in range(worker * count, worker * count + ROUNDS * share, share):
        for name in CONTENDERS:
            since = time.perf_counter(), time.process_time()
            if name == "bare loop":
                run_bare_loop(share)
            else:
                for number in range(first, first + share):
                    found.count_replaced[name].update(count_replaced(sources[name].make(number, sources[name].digest)))
            found.wall_s[name] += time.perf_counter() - since[0]
            found.processor_s[name] += time.process_time() - since[1]
    return found


def count_replaced(sample: "Sample") -> Counter[str]:
    """Return the number of replaced attempts at a sample by reason."""
    from sources.base.synthetic import REPLACED

    return Counter({name: int(n) for name, n in sample.measures.items() if name.startswith(REPLACED)})


def run_bare_loop(count: int) -> None:
    """Run a loop of Story, pixmap and JPEG."""
    import pymupdf
    from PIL import Image

    html = "<h1>Title</h1>" + "<p>The ferry leaves when it is full, or when the pilot has finished his tea.</p>" * 40
    for _ in range(count):
        story = pymupdf.Story(html)
        file = io.BytesIO()
        writer = pymupdf.DocumentWriter(file)
        device = writer.begin_page(pymupdf.Rect(0, 0, 724, SIDE_PX))
        story.place(pymupdf.Rect(60, 60, 664, 964))
        story.draw(device)
        writer.end_page()
        writer.close()
        with pymupdf.open(stream=file.getvalue(), filetype="pdf") as document:
            pixmap = document[0].get_pixmap()
            Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples).save(io.BytesIO(), "JPEG", quality=90)


def measure_rates(count: int, workers: int) -> dict[str, Any]:
    """Return samples per second of all workers together, without start and warm-up, and processor time per sample."""
    share = count // workers // ROUNDS * ROUNDS
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(measure, k, share) for k in range(workers)]
        found = [job.result() for job in jobs]
    result: dict[str, Any] = {}
    for name in CONTENDERS:
        result[f"{name}/s"] = sum(share / one.wall_s[name] for one in found)
        result[f"{name}, processor ms"] = 1000 * sum(one.processor_s[name] for one in found) / (share * workers)
    for name in ("documents", "scenes"):
        result[f"{name} / bare loop"] = result[f"{name}/s"] / result["bare loop/s"]
        total = sum((one.count_replaced[name] for one in found), Counter())
        result[f"{name} replaced"] = dict(total.most_common())
    result["documents / SynthDoG (0.84/s, recorded)"] = result["documents/s"] / SYNTHDOG_PER_S
    return result


def clean_pages(count: int) -> "list[tuple[PageLayout, Bools]]":
    """Return undegraded pages of all templates in turn, each with a mask of its ink."""
    from sources.base.illegible import Illegible
    from sources.ocr.page import draw_paper
    from sources.ocr.passages import BundledPassages, ContentSampler
    from sources.ocr.story import lay_out
    from sources.ocr.style import sample_style
    from sources.ocr.templates.registry import TEMPLATES, supported_languages
    from sources.rng import generator

    found: list[tuple[PageLayout, Bools]] = []
    number = 0
    kinds = [(kind, language) for kind in TEMPLATES for language in supported_languages(kind)]
    while len(found) < count:
        kind, language = kinds[number % len(kinds)]
        page_random = generator(9, number, "boxes")
        number += 1
        style = sample_style(page_random, language, SIDE_PX)
        page = TEMPLATES[kind](ContentSampler(BundledPassages(), language, page_random), style)
        try:
            layout = lay_out(page)
        except Illegible:
            continue
        paper = draw_paper(page)[: len(layout.rendered.pixels)]
        found.append((layout, np.abs(layout.rendered.pixels.astype(int) - paper).max(axis=2) > INK))
    return found


def box_accuracy(pages: "Sequence[tuple[PageLayout, Bools]]") -> tuple[float, float, int]:
    """Return mean and 1st percentile of the IoU of word boxes with the box of their ink, and the number of words.

    The ink of a word is inside its box or within 3 pixels of it, and not inside another word's box or nearer to it.
    """
    found = []
    for layout, ink in pages:
        boxes = layout.rendered.boxes().astype(int)
        owner = np.full(ink.shape, -1, np.int32)
        for k, (x0, y0, x1, y1) in enumerate(boxes):
            owner[max(0, y0) : y1, max(0, x0) : x1] = k
        for k, (x0, y0, x1, y1) in enumerate(boxes):
            top, left = max(0, y0 - 3), max(0, x0 - 3)
            around = ink[top : y1 + 3, left : x1 + 3]
            whose = owner[top : y1 + 3, left : x1 + 3]
            mine = around & ((whose == k) | ((whose == -1) & _near(around, whose == k)))
            rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
            if not len(rows):
                found.append(0.0)
                continue
            a = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
            overlap = max(0, min(a[2], x1) - max(a[0], x0)) * max(0, min(a[3], y1) - max(a[1], y0))
            union = (a[2] - a[0]) * (a[3] - a[1]) + (x1 - x0) * (y1 - y0) - overlap
            found.append(overlap / union)
    return float(np.mean(found)), float(np.percentile(found, 1)), len(found)


def _near(ink: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return ink outside of a box that touches ink inside, as part of the word. Table rules do not touch words."""
    import cv2

    _, numbers = cv2.connectedComponents(ink.astype(np.uint8), connectivity=8)
    joined = np.unique(numbers[inside & ink])
    sizes = np.bincount(numbers.ravel())
    small = [number for number in joined if number and sizes[number] <= max(4, int((inside & ink).sum()) + 12)]
    return np.isin(numbers, small)


def coverage_after_warps(pages: "Sequence[tuple[PageLayout, Bools]]", words_per_page: int) -> dict[str, float]:
    """Return, by effect, the least fraction of a word's warped ink that is inside its warped box."""
    import cv2

    from sources.ocr.degradation.captures import GEOMETRIC
    from sources.ocr.warps import Chain, pixel_maps, warp_quads

    least: dict[str, float] = {}
    for number, (layout, ink) in enumerate(pages):
        height, width = ink.shape
        page_random = random.Random(number)
        for effect, bend in GEOMETRIC.items():
            warp = Chain([bend(width, height, 1.0, random.Random(page_random.getrandbits(64))).warp])
            maps = pixel_maps(warp, width, height)
            for k in page_random.sample(
                range(len(layout.rendered.texts)), min(words_per_page, len(layout.rendered.texts))
            ):
                x0, y0, x1, y1 = layout.rendered.boxes()[k].astype(int)
                mask = np.zeros((height, width), np.uint8)
                mask[max(0, y0) : y1, max(0, x0) : x1] = ink[max(0, y0) : y1, max(0, x0) : x1] * 255
                warped_ink = cv2.remap(mask, *maps, cv2.INTER_LINEAR) > 96
                quad = warp_quads(layout.rendered.quads[k : k + 1], warp)[0]
                (u0, v0), (u1, v1) = np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int)
                if warped_ink.sum() and u0 >= 0 and v0 >= 0 and u1 <= width and v1 <= height:
                    share = float(warped_ink[v0:v1, u0:u1].sum() / warped_ink.sum())
                    least[effect] = min(least.get(effect, 1.0), share)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=int, default=60, help="for boxes")
    args = parser.parse_args()
    result: dict[str, Any] = {
        "samples": args.samples,
        "workers": args.workers,
        **measure_rates(args.samples, args.workers),
    }
    pages = clean_pages(args.pages)
    result["box IoU, mean"], result["box IoU, 1st percentile"], result["words"] = box_accuracy(pages)
    for effect, share in coverage_after_warps(pages[:12], 20).items():
        result[f"ink in its box after {effect}, least"] = share
    result = {name: round(value, 4) if isinstance(value, float) else value for name, value in result.items()}
    for name, value in result.items():
        print(f"{name}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
