"""Synthesized OCR: documents and scenes a second, and how exactly boxes fit their ink.

python benchmarks/ocr.py [--samples 400] [--workers 2] [--pages 60]

Ours makes text, layout, pixels, boxes, degradation, what the sample says, fingerprint and JPEG. The bare loop lays out
and draws one fixed page with the same library and writes JPEG: no boxes, no degradation, no choice. SynthDoG, the peer,
runs on Pillow before 10 only; its figure was taken in an environment of its own (2 workers, about 940 px, no boxes).
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
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sources.base.sample import Sample

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SYNTHDOG_PER_S = 0.84  # PEERS.md
WARM_UP = 400  # samples of each kind until most fonts, formulas and surfaces are in memory
ROUNDS = 4  # contenders take turns, so that what else the machine does hits all alike
CONTENDERS = ("bare loop", "documents", "scenes")
SIDE_PX = 1024
INK = 48  # grey levels between ink and paper


@dataclass(frozen=True, slots=True)
class Measured:
    """By contender: seconds on the wall and of the processor, and why samples were made anew."""

    wall_s: dict[str, float]
    processor_s: dict[str, float]
    remade: dict[str, Counter[str]]


def measured(worker: int, count: int) -> Measured:
    """Time `count` samples of each contender, in turn, `ROUNDS` times a share, after a warm-up."""
    from sources.ocr.source import Ocr

    sources = {"documents": Ocr(seed=1, scene=0.0, side_px=SIDE_PX), "scenes": Ocr(seed=1, scene=1.0, side_px=SIDE_PX)}
    for source in sources.values():
        for number in range(WARM_UP):
            source.make(10_000_000 + number, source.digest)
    bare(5)
    share = count // ROUNDS
    none = dict.fromkeys(CONTENDERS, 0.0)
    found = Measured(none, dict(none), {name: Counter() for name in sources})
    for first in range(worker * count, worker * count + ROUNDS * share, share):
        for name in CONTENDERS:
            since = time.perf_counter(), time.process_time()
            if name == "bare loop":
                bare(share)
            else:
                for number in range(first, first + share):
                    found.remade[name].update(remade(sources[name].make(number, sources[name].digest)))
            found.wall_s[name] += time.perf_counter() - since[0]
            found.processor_s[name] += time.process_time() - since[1]
    return found


def remade(sample: "Sample") -> Counter[str]:
    """Why attempts at a sample were given up."""
    from sources.base.synthetic import REPLACED

    return Counter({name: int(n) for name, n in sample.measures.items() if name.startswith(REPLACED)})


def bare(count: int) -> None:
    """A loop of Story, pixmap and JPEG."""
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


def rates(count: int, workers: int) -> dict:
    """Samples a second of `workers` processes together, start and warm-up excluded, and processor time a sample."""
    share = count // workers // ROUNDS * ROUNDS
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(measured, k, share) for k in range(workers)]
        found = [job.result() for job in jobs]
    result: dict = {}
    for name in CONTENDERS:
        result[f"{name}/s"] = sum(share / one.wall_s[name] for one in found)
        result[f"{name}, processor ms"] = 1000 * sum(one.processor_s[name] for one in found) / (share * workers)
    for name in ("documents", "scenes"):
        result[f"{name} / bare loop"] = result[f"{name}/s"] / result["bare loop/s"]
        total = sum((one.remade[name] for one in found), Counter())
        result[f"{name} made anew"] = dict(total.most_common())
    result["documents / SynthDoG (0.84/s, recorded)"] = result["documents/s"] / SYNTHDOG_PER_S
    return result


def clean_pages(count: int) -> list:
    """Undegraded pages of all templates in turn, with the paper they are printed on."""
    from sources.base.illegible import Illegible
    from sources.ocr.page import paper_of
    from sources.ocr.passages import BundledPassages, ContentSampler
    from sources.ocr.story import lay_out
    from sources.ocr.style import draw_style
    from sources.ocr.templates.registry import TEMPLATES, languages_of
    from sources.rng import generator

    found = []
    number = 0
    kinds = [(kind, language) for kind in TEMPLATES for language in languages_of(kind)]
    while len(found) < count:
        kind, language = kinds[number % len(kinds)]
        chance = generator(9, number, "boxes")
        number += 1
        style = draw_style(chance, language, SIDE_PX)
        page = TEMPLATES[kind](ContentSampler(BundledPassages(), language, chance, 0.3), style)
        try:
            laid = lay_out(page)
        except Illegible:
            continue
        paper = paper_of(page)[: len(laid.drawn.pixels)]
        found.append((laid, np.abs(laid.drawn.pixels.astype(int) - paper).max(axis=2) > INK))
    return found


def box_accuracy(pages: Sequence) -> tuple[float, float, int]:
    """Mean and 1st percentile of the IoU of word boxes with the box of their ink, and the number of words.

    A word's ink is all that is inside its box or within 3 pixels of it, and not nearer to or inside another word's box.
    """
    found = []
    for laid, ink in pages:
        boxes = laid.drawn.boxes().astype(int)
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
    """Ink outside that touches ink inside: the word goes on there. A rule of a table does not touch a word."""
    import cv2

    _, numbers = cv2.connectedComponents(ink.astype(np.uint8), connectivity=8)
    joined = np.unique(numbers[inside & ink])
    sizes = np.bincount(numbers.ravel())
    small = [number for number in joined if number and sizes[number] <= max(4, int((inside & ink).sum()) + 12)]
    return np.isin(numbers, small)


def coverage_after_warps(pages: Sequence, words_a_page: int) -> dict[str, float]:
    """Least share, by effect, of a word's warped ink that lies in the word's warped box; 20 words a page."""
    import cv2

    from sources.ocr.degradation.captures import GEOMETRIC
    from sources.ocr.warps import Chain, pixel_maps, warp_quads

    least: dict[str, float] = {}
    for number, (laid, ink) in enumerate(pages):
        height, width = ink.shape
        chance = random.Random(number)
        for effect, bend in GEOMETRIC.items():
            warp = Chain([bend(width, height, 1.0, random.Random(chance.getrandbits(64))).warp])
            maps = pixel_maps(warp, width, height)
            for k in chance.sample(range(len(laid.drawn.texts)), min(words_a_page, len(laid.drawn.texts))):
                x0, y0, x1, y1 = laid.drawn.boxes()[k].astype(int)
                mask = np.zeros((height, width), np.uint8)
                mask[max(0, y0) : y1, max(0, x0) : x1] = ink[max(0, y0) : y1, max(0, x0) : x1] * 255
                seen = cv2.remap(mask, *maps, cv2.INTER_LINEAR) > 96
                quad = warp_quads(laid.drawn.quads[k : k + 1], warp)[0]
                (u0, v0), (u1, v1) = np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int)
                if seen.sum() and u0 >= 0 and v0 >= 0 and u1 <= width and v1 <= height:
                    share = float(seen[v0:v1, u0:u1].sum() / seen.sum())
                    least[effect] = min(least.get(effect, 1.0), share)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=int, default=60, help="for boxes")
    args = parser.parse_args()
    result: dict = {"samples": args.samples, "workers": args.workers, **rates(args.samples, args.workers)}
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
