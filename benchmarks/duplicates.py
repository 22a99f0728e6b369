"""Near duplicates: precision and recall by transform and kind of picture, completeness, cost and skewed data.

    python benchmarks/duplicates.py quality --pdfs /usr/share --html /usr/share/doc --photos DIR
    python benchmarks/duplicates.py complete --pdfs /usr/share [--hashes 200000]
    python benchmarks/duplicates.py cost --pdfs /usr/share [--hashes 100000 1000000 10000000]
    python benchmarks/duplicates.py skew

`quality` plants transformed copies of real pages, charts, screenshots and photographs and counts correct and wrong
pairs, in comparison with faiss on 64-bit and plain 256-bit pHash. `complete` compares with faiss' exhaustive search.
`cost` joins hashes of real pages, with perturbed copies up to the wanted number, with themselves. `skew` joins data
that fills single buckets of hash tables.
"""

import argparse
import io
import json
import random
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import imagehash
import numpy as np
import pymupdf
from PIL import Image, ImageEnhance, ImageFilter

from pipelines.duplicates.bit_sampling import Tables, candidates, distances, to_words
from pipelines.duplicates.fingerprint import FINGERPRINT, fingerprints
from pipelines.duplicates.index import Index, rows_of
from pipelines.duplicates.search import TableSlice, find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.workers.evaluation_items import sample_of
from sources.images.fingerprint import picture_fingerprint
from sources.images.ink import ink

SIDE_PX = 1024
MIN_INK = 0.0005  # pages with less are blank, as in `pipelines/recipes/pdfs.yaml`


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def cropped(image: Image.Image, share: float) -> Image.Image:
    """Crop `share` of width and height on each side."""
    x, y = round(image.width * share), round(image.height * share)
    return image.crop((x, y, image.width - x, image.height - y))


def bordered(image: Image.Image, share: float) -> Image.Image:
    """Add a white border of `share` of the long side."""
    margin = round(max(image.size) * share)
    canvas = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), "white")
    canvas.paste(image, (margin, margin))
    return canvas


TRANSFORMS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 30": lambda image: jpeg(image, 30),
    "a quarter": lambda image: image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS),
    "crop 1 %": lambda image: cropped(image, 0.01),
    "crop 3 %": lambda image: cropped(image, 0.03),
    "rotation 1°": lambda image: image.rotate(1, Image.Resampling.BICUBIC, fillcolor="white"),
    "blur 2 px": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "20 % darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "20 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "border 2 %": lambda image: bordered(image, 0.02),
    "greyscale": lambda image: image.convert("L").convert("RGB"),
}


def all_pages(folder: Path) -> list[tuple[Path, int]]:
    """Return all pages of the distinct PDFs below a folder."""
    found = {path.stat().st_size: path for path in sorted(folder.rglob("*.pdf")) if not path.is_symlink()}
    pages = []
    for path in found.values():
        with pymupdf.open(path) as document:
            pages += [(path, number) for number in range(len(document))]
    return pages


def render(pages: list[tuple[Path, int]]) -> Iterator[tuple[Image.Image, str]]:
    """Yield the picture (at 1,024 px) and the text of pages."""
    opened: dict[Path, pymupdf.Document] = {}
    for path, number in pages:
        if path not in opened:
            opened[path] = pymupdf.open(path)
        page = opened[path][number]
        zoom = SIDE_PX / max(page.rect.width, page.rect.height)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        yield Image.frombytes("RGB", (pixmap.width, pixmap.height), bytes(pixmap.samples)), page.get_text()


def draw_charts(num: int) -> Iterator[tuple[Image.Image, str]]:
    """Yield charts in a few fixed styles: axes and titles repeat, the data differ."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    chance = np.random.default_rng(1)
    names = ["north", "south", "east", "west", "centre", "islands", "coast", "hills"]
    for number in range(num):
        figure, axes = pyplot.subplots(figsize=(8, 6), dpi=100)
        values = chance.uniform(5, 95, len(names)).round(1)
        kind = number % 5
        if kind == 0:
            axes.bar(names, values)
        elif kind == 1:
            axes.plot(range(len(values)), values, marker="o")
        elif kind == 2:
            axes.barh(names, values, color="tab:green")
        elif kind == 3:
            axes.pie(values, labels=names)
        else:
            axes.scatter(chance.uniform(0, 100, 40), chance.uniform(0, 100, 40))
        title = ["Sales by region", "Rain by month", "Votes by district", "Share of energy", "Height and weight"][kind]
        axes.set_title(title)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        pyplot.close(figure)
        table = " ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
        yield Image.open(buffer).convert("RGB"), f"{title} {table}"


def screenshots(folder: Path, num: int) -> Iterator[tuple[Image.Image, str]]:
    """Yield Chromium's screenshots (1024 × 1024) of HTML files below a folder, and their visible text."""
    from playwright.sync_api import sync_playwright

    paths = sorted(path for path in folder.rglob("*.html") if path.stat().st_size > 4000)
    random.Random(2).shuffle(paths)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1024, "height": 1024}, java_script_enabled=False)
        for path in paths[:num]:
            page.goto(path.as_uri(), wait_until="load")
            data = page.screenshot()
            yield Image.open(io.BytesIO(data)).convert("RGB"), page.locator("body").inner_text()[:4000]
        browser.close()


def photographs(folder: Path, num: int) -> Iterator[tuple[Image.Image, str]]:
    """Yield six tiles of each photograph below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".webp"))
    found = 0
    for path in paths:
        with Image.open(path) as image:
            whole = image.convert("RGB")
        for k in range(6):
            width, height = whole.width // 3, whole.height // 2
            if min(width, height) < 256 or found == num:
                continue
            tile = whole.crop((k % 3 * width, k // 3 * height, k % 3 * width + width, k // 3 * height + height))
            tile.thumbnail((SIDE_PX, SIDE_PX))
            found += 1
            yield tile, ""


def record_of(image: Image.Image, text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return our fingerprint of a picture with its text, and the common 64-bit pHash."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    usual = np.packbits(imagehash.phash(image).hash.ravel())
    return fingerprints([sample_of(buffer.getvalue(), text)])[0], usual


class Memory(Index):
    """Rows in memory, not in files."""

    def __init__(self, rows: np.ndarray):
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> np.ndarray:
        return np.ascontiguousarray(self._rows[name])

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        taken: np.ndarray = self._rows[name][places]
        return taken


def ours(records: np.ndarray, settings: Dedupe) -> set[tuple[int, int]]:
    """Return the pairs that our search finds."""
    ids = [f"{k:032x}" for k in range(len(records))]
    edges = find_edges(Memory(rows_of(records, ids, np.arange(len(records)), settings)), settings)
    return {(min(a, b), max(a, b)) for a, b in zip(edges["winner"].tolist(), edges["loser"].tolist(), strict=True)}


def by_faiss(hashes: np.ndarray, radius: int) -> set[tuple[int, int]]:
    """Return all pairs within a radius, by faiss' exhaustive search."""
    index = faiss.IndexBinaryFlat(hashes.shape[1] * 8)
    index.add(hashes)
    limits, _, found = index.range_search(hashes, radius + 1)
    rows = np.repeat(np.arange(len(hashes)), np.diff(limits.astype(np.int64)))
    return {(a, b) for a, b in zip(rows.tolist(), found.tolist(), strict=True) if a < b}


def quality(args: argparse.Namespace) -> dict[str, Any]:
    """Measure precision and recall by transform and by kind."""
    num = args.num
    chance = random.Random(0)
    pages = chance.sample(all_pages(args.pdfs), 2 * num)
    kinds: dict[str, Iterator[tuple[Image.Image, str]]] = {
        "text pages": render(pages),
        "charts": draw_charts(num),
        "screenshots": screenshots(args.html, 2 * num),
        "photographs": photographs(args.photos, num),
    }
    result: dict[str, Any] = {}
    for kind, pictures in kinds.items():
        originals = distinct(pictures, num)
        records, usual, base, names = [], [], [], []
        for number, (image, text) in enumerate(originals):
            for name, transform in {"": lambda image: image, **TRANSFORMS}.items():
                record, bits = record_of(transform(image), text)
                records.append(record)
                usual.append(bits)
                base.append(number)
                names.append(name)
        result[kind] = judge_kind(np.array(records), np.array(usual), np.array(base), names)
        result[kind]["originals"] = len(originals)
        print(f"{kind}: {len(originals)} originals", flush=True)
    return result


def distinct(pictures: Iterator[tuple[Image.Image, str]], num: int) -> list[tuple[Image.Image, str]]:
    """Return the first pictures that are not blank and differ in their pixels and, if they have one, their text."""
    seen: set[Any] = set()
    found = []
    for image, text in pictures:
        pixels = hash(image.resize((64, 64)).tobytes())
        words = " ".join(text.split())
        if ink(np.asarray(image.convert("L"))) < MIN_INK or pixels in seen or (words and words in seen):
            continue
        seen |= {pixels, words}
        found.append((image, text))
        if len(found) == num:
            break
    return found


def judge_kind(records: np.ndarray, usual: np.ndarray, base: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Return recall by transform and the wrong pairs of every contender."""
    textless = records.copy()
    for name in ("text", "num_tokens", "sketch"):
        textless[name] = 0
    contenders = {
        "ours": ours(records, Dedupe()),
        "ours, pictures alone": ours(textless, Dedupe()),
        "256-bit pHash within 32 (faiss)": by_faiss(np.ascontiguousarray(records["phash"]), 32),
        "256-bit pHash within 64 (faiss)": by_faiss(np.ascontiguousarray(records["phash"]), 64),
        "64-bit pHash within 10 (faiss)": by_faiss(usual, 10),
    }
    tables = {}
    originals = {int(b): k for k, (b, name) in enumerate(zip(base, names, strict=True)) if not name}
    for contender, pairs in contenders.items():
        found: dict[str, list[bool]] = {name: [] for name in TRANSFORMS}
        for k, name in enumerate(names):
            if name:
                first = originals[int(base[k])]
                found[name].append((min(first, k), max(first, k)) in pairs)
        # Only pairs with an original count, as in a corpus with one planted copy of each.
        counted = [(a, b) for a, b in pairs if not names[a] or not names[b]]
        right = sum(base[a] == base[b] for a, b in counted)
        tables[contender] = {
            "recall": {name: float(np.mean(hits)) for name, hits in found.items()},
            "recall_all": float(np.mean([hit for hits in found.values() for hit in hits])),
            "right": int(right),
            "wrong": len(counted) - int(right),
            "wrong_originals": sum(not names[a] and not names[b] for a, b in counted),
        }
    return tables


def print_quality(result: dict[str, Any]) -> dict[str, Any]:
    """Print tables by transform and by kind; return the totals."""
    contenders = [name for name in next(iter(result.values())) if name != "originals"]
    summary = {}
    for contender in contenders:
        print(f"\n{contender}")
        print("| transform | " + " | ".join(result) + " |\n|---|" + "---:|" * len(result))
        for name in TRANSFORMS:
            print(f"| {name} | " + " | ".join(f"{r[contender]['recall'][name]:.3f}" for r in result.values()) + " |")
        print("| recall | " + " | ".join(f"{r[contender]['recall_all']:.3f}" for r in result.values()) + " |")
        shares = [
            r[contender]["right"] / max(1, r[contender]["right"] + r[contender]["wrong"]) for r in result.values()
        ]
        print("| precision | " + " | ".join(f"{share:.4f}" for share in shares) + " |")
        wrong = [r[contender]["wrong_originals"] for r in result.values()]
        print("| different originals joined | " + " | ".join(map(str, wrong)) + " |")
        right = sum(r[contender]["right"] for r in result.values())
        weights = [r["originals"] for r in result.values()]
        summary[contender] = {
            "precision": round(right / (right + sum(r[contender]["wrong"] for r in result.values())), 4),
            "recall": round(
                float(np.average([r[contender]["recall_all"] for r in result.values()], weights=weights)), 4
            ),
        }
        print(
            f"overall: precision {summary[contender]['precision']}, recall {summary[contender]['recall']}", flush=True
        )
    return summary


def page_hashes(folder: Path, num: int) -> np.ndarray:
    """Return (N, 32) pHashes of real pages and of their transforms."""
    hashes = []
    pages = all_pages(folder)
    random.Random(3).shuffle(pages)
    for image, _ in render(pages[:num]):
        for transform in (lambda image: image, *TRANSFORMS.values()):
            grey = np.asarray(transform(image).convert("L"))
            hashes.append(np.frombuffer(picture_fingerprint(grey)[:32], np.uint8))
    return np.unique(np.array(hashes), axis=0)


def grown(real: np.ndarray, num: int, seed: int = 0) -> np.ndarray:
    """Return (num, 32) hashes with the statistics of real ones: bits of two real hashes mixed, and noise.

    Every tenth is a near copy of an earlier one, at a distance of 0 to 40.
    """
    chance = np.random.default_rng(seed)
    hashes = np.empty((num, 32), np.uint8)
    for start in range(0, num, 1 << 18):
        size = min(1 << 18, num - start)
        a, b = real[chance.integers(0, len(real), size)], real[chance.integers(0, len(real), size)]
        mask = chance.integers(0, 256, (size, 32), np.uint8)
        noise = chance.integers(0, 256, (size, 32), np.uint8) & chance.integers(0, 256, (size, 32), np.uint8)
        noise &= chance.integers(0, 256, (size, 32), np.uint8)  # an eighth of the bits
        hashes[start : start + size] = (a & mask | b & ~mask) ^ noise
    copies = np.arange(10, num, 10)
    flips = np.zeros((len(copies), 256), bool)
    wanted = chance.integers(0, 41, len(copies))
    for start in range(0, len(copies), 1 << 16):
        some = slice(start, start + (1 << 16))
        ranks = chance.random((len(copies[some]), 256)).argsort(axis=1).argsort(axis=1)
        flips[some] = ranks < wanted[some, None]
    hashes[copies] = hashes[copies - chance.integers(1, 10, len(copies))] ^ np.packbits(flips, axis=1)
    return hashes


def sorted_unique(pairs: np.ndarray) -> np.ndarray:
    """Sort numbers and remove repeated ones; `np.unique` uses hashes, which is slower here."""
    pairs.sort()
    unique: np.ndarray = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])[: len(pairs)]]
    return unique


def self_join(hashes: np.ndarray, radius: int, threads: int) -> np.ndarray:
    """Return (P,) uint64 pairs of indices within the radius, with the tables divided among threads."""
    words = to_words(hashes)
    tables = Tables.plan(len(hashes), 256, radius)

    def pairs_of_thread(thread: int) -> np.ndarray:
        pairs = np.zeros(0, np.uint64)
        for table in range(thread, tables.num_tables, threads):
            found = [pairs]
            for a, b in candidates(words, tables, table):
                near = distances(hashes, a, b) <= radius
                found.append(a[near].astype(np.uint64) << np.uint64(32) | b[near])
            pairs = sorted_unique(np.concatenate(found))
        return pairs

    with ThreadPoolExecutor(threads) as pool:
        return sorted_unique(np.concatenate(list(pool.map(pairs_of_thread, range(threads)))))


def complete(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the share of the pairs of an exhaustive search that we find."""
    real = page_hashes(args.pdfs, args.pages)
    hashes = real[:: max(1, len(real) // args.hashes)][: args.hashes]
    if len(hashes) < args.hashes:
        hashes = np.concatenate([hashes, grown(real, args.hashes - len(hashes))])
    since = time.monotonic()
    pairs = self_join(hashes, 32, 2)
    ours_s = time.monotonic() - since
    index = faiss.IndexBinaryFlat(256)
    index.add(hashes)
    since = time.monotonic()
    expected, at = [], []
    for start in range(0, len(hashes), 10_000):
        limits, distance, found = index.range_search(hashes[start : start + 10_000], 33)
        rows = np.repeat(np.arange(len(limits) - 1) + start, np.diff(limits.astype(np.int64)))
        later = found > rows
        expected.append(rows[later].astype(np.uint64) << np.uint64(32) | found[later].astype(np.uint64))
        at.append(distance[later])
    faiss_s = time.monotonic() - since
    truth, at_distance = np.concatenate(expected), np.concatenate(at)
    hit = np.isin(truth, pairs)
    by_distance = {f"{low}-{low + 7}": round(float(hit[(at_distance >= low) & (at_distance < low + 8)].mean()), 4)
                   for low in (0, 8, 16, 24) if ((at_distance >= low) & (at_distance < low + 8)).any()}  # fmt: skip
    at_radius = hit[at_distance == 32]
    print(f"{len(hashes):,} hashes, {len(real):,} of them of real pages: {len(truth):,} pairs within 32")
    print(f"found {hit.mean():.4f} of them")
    print(f"by distance {by_distance}; exactly at 32: {at_radius.mean():.4f} of {len(at_radius):,}")
    print(f"ours {ours_s:.1f} s, faiss flat {faiss_s:.1f} s: {faiss_s / ours_s:.1f} times as fast", flush=True)
    return {"hashes": len(hashes), "real": len(real), "pairs": len(truth), "found": round(float(hit.mean()), 5),
            "ours_s": round(ours_s, 1), "faiss_s": round(faiss_s, 1)}  # fmt: skip


def cost(args: argparse.Namespace) -> dict[str, Any]:
    """Measure time and memory of the self-join."""
    real = page_hashes(args.pdfs, args.pages)
    result = {}
    for num in args.hashes:
        hashes = grown(real, num)
        since = time.monotonic()
        pairs = self_join(hashes, 32, args.threads)
        seconds = time.monotonic() - since
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        tables = Tables.plan(num, 256, 32)
        print(f"{num:,} hashes: {seconds:.1f} s, peak {peak:.2f} GB, {len(pairs):,} pairs, {tables}", flush=True)
        result[num] = {"seconds": round(seconds, 1), "peak_gb": round(peak, 2), "pairs": len(pairs)}
        del hashes, pairs
    return result


def skew() -> dict[str, Any]:
    """Measure the time for data that falls into a single bucket."""
    chance = np.random.default_rng(4)
    one = chance.integers(0, 256, 32, np.uint8)

    def noisy(num: int, most: int) -> np.ndarray:
        flips = chance.random((num, 256)) < chance.integers(0, most + 1, num)[:, None] / 256
        return one ^ np.packbits(flips, axis=1)

    def records(num: int, detail: float) -> np.ndarray:
        made = np.zeros(num, FINGERPRINT)
        made["has_image"], made["detail"], made["num_pixels"], made["flatness"] = 1, detail, 1_000_000, 0.7
        return made

    copies = records(100_000, 45)
    copies["phash"] = copies["phash_inset"] = one
    scans = records(100_000, 45)
    scans["phash"], scans["phash_inset"] = noisy(len(scans), 16), noisy(len(scans), 16)
    forms = records(100_000, 45)
    forms["phash"] = forms["phash_inset"] = one
    forms["num_tokens"] = 100
    forms["text"] = chance.integers(0, 256, forms["text"].shape, np.uint8)
    forms["sketch"] = chance.integers(0, 256, forms["sketch"].shape, np.uint8)
    blank = records(1_000_000, 0)
    blank["picture"] = 7
    pages = records(1_000_000, 1)
    pages["num_tokens"] = 1
    pages["text"] = chance.integers(0, 256, pages["text"].shape, np.uint8)
    result = {}
    for name, made, expected in (
        ("100,000 copies of one page", copies, 99_999),
        ("100,000 scans of one page, 0 to 16 bits of noise", scans, None),
        ("100,000 forms, one picture and as many texts", forms, 0),
        ("1,000,000 blank pages", blank, 999_999),
        ("1,000,000 pages with a page number each", pages, 0),
    ):
        ids = [f"{k:032x}" for k in range(len(made))]
        rows = Memory(rows_of(made, ids, np.arange(len(made)), Dedupe()))
        since = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            edges = np.concatenate(
                list(pool.map(find_edges, [rows] * 2, [Dedupe()] * 2, [TableSlice(0, 2), TableSlice(1, 2)]))
            )
        seconds = time.monotonic() - since
        linked = len(np.unique(edges["loser"]))
        to_best = len(np.unique(edges["loser"][edges["winner"] == 0]))
        print(f"{name}: {seconds:.1f} s, {len(edges):,} edges, {linked:,} set aside, {to_best:,} of them meet the best")
        assert expected is None or linked == expected
        result[name] = {"seconds": round(seconds, 1), "set_aside": linked, "meet_the_best": to_best}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("quality", "complete", "cost", "skew"))
    parser.add_argument("--pdfs", type=Path, default=Path("/usr/share"))
    parser.add_argument("--html", type=Path, default=Path("/usr/share/doc"))
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--num", type=int, default=200, help="quality: originals of each kind")
    parser.add_argument("--pages", type=int, default=300, help="complete, cost: real pages that are rendered")
    parser.add_argument("--hashes", type=int, nargs="+", default=None)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.part == "quality":
        result = print_quality(quality(args))
    elif args.part == "complete":
        args.hashes = (args.hashes or [200_000])[0]
        result = complete(args)
    elif args.part == "cost":
        args.hashes = args.hashes or [100_000, 1_000_000, 10_000_000]
        result = cost(args)
    else:
        result = skew()
    print(json.dumps({args.part: result}))


if __name__ == "__main__":
    main()
