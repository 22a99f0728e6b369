"""Which copies of pictures are found, and which distinct pictures are joined, by kind of picture and of change.

    python -m benchmarks.duplicates_variants --pdfs DIR --photographs DIR --icons DIR --figures DIR [--num 60]
    python -m benchmarks.duplicates_variants --before …      # without views, which is what was compared before

Nothing but pixels is compared: no picture carries a text. Originals are pages of different PDFs, photographs, icons on
white and figures, the first `--num` of a seeded shuffle; a picture within 10 bits of an earlier one is left out as the
same. Recall is the share of copies that pair with their original. A wrong pair joins pictures of two originals, one of
which is an original itself; precision is the share of all pairs with an original that are right.
"""

import argparse
import io
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image

from benchmarks.picture_variants import MIRRORED, VARIANTS
from pipelines.duplicates.fingerprint import FINGERPRINT, fingerprints
from pipelines.duplicates.index import Selection, rows_of
from pipelines.duplicates.search import find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.workers.evaluation_items import sample_of

SIDE_PX = 1024
MIN_WORDS = 40  # of a page; one with fewer is a title or blank
MIN_BYTES = {"photographs": 100_000, "icons": 0, "figures": 10_000}
MIN_SIDE_PX = {"photographs": 400, "icons": 48, "figures": 150}
SAME_BITS = 10


def pages(folder: Path, chance: random.Random) -> Iterator[Image.Image]:
    """A page of every PDF below a folder."""
    paths = sorted(path for path in folder.rglob("*.pdf") if not path.is_symlink())
    chance.shuffle(paths)
    pymupdf.TOOLS.mupdf_display_errors(False)
    for path in paths:
        try:
            with pymupdf.open(path) as document:
                page = document[chance.randrange(len(document))]
                if len(page.get_text().split()) < MIN_WORDS:
                    continue
                zoom = SIDE_PX / max(page.rect.width, page.rect.height)
                drawn = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        except (RuntimeError, ValueError):
            continue  # broken or locked files are among public test collections
        if min(drawn.width, drawn.height) >= 200:
            yield Image.frombytes("RGB", (drawn.width, drawn.height), bytes(drawn.samples))


def pictures(folder: Path, kind: str, chance: random.Random) -> Iterator[Image.Image]:
    """The pictures below a folder, on white, at most 1,024 pixels wide and high."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
    chance.shuffle(paths)
    for path in paths:
        if path.is_symlink() or path.stat().st_size < MIN_BYTES[kind]:
            continue
        try:
            with Image.open(path) as image:
                whole = image.convert("RGBA")
        except OSError:
            continue
        if min(whole.size) >= MIN_SIDE_PX[kind]:
            canvas = Image.new("RGBA", whole.size, "white")
            canvas.alpha_composite(whole)
            canvas.thumbnail((SIDE_PX, SIDE_PX))
            yield canvas.convert("RGB")


def record_of(image: Image.Image) -> np.ndarray:
    """The fingerprint of a picture without a text."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    record: np.ndarray = fingerprints([sample_of(buffer.getvalue(), "")])[0]
    return record


def distinct(found: Iterator[Image.Image], num: int) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """The first `num` pictures that are not within 10 bits of an earlier one, nor plain."""
    seen = np.zeros((0, 32), np.uint8)
    for image in found:
        record = record_of(image)
        distance = np.bitwise_count(seen ^ record["phash"]).sum(axis=1)
        if record["detail"] < Dedupe.min_detail or (len(seen) and distance.min() <= SAME_BITS):
            continue
        seen = np.concatenate([seen, record["phash"][None]])
        yield image, record
        if len(seen) == num:
            return


def measure(found: Iterator[Image.Image], num: int, settings: Dedupe, save: Path | None) -> dict[str, Any]:
    """Recall by variant, and the numbers of right and wrong pairs with an original.

    Args:
        save: a name's beginning, for pictures of the originals that are joined.
    """
    variants = {**VARIANTS, **(MIRRORED if settings.flips else {})}
    records, base, names, originals = [], [], [], []
    for number, (image, record) in enumerate(distinct(found, num)):
        originals.append(image)
        records.append(record)
        records += [record_of(make(image)) for make in variants.values()]
        base += [number] * (1 + len(variants))
        names += ["", *variants]
    ids = [f"{k:032x}" for k in range(len(records))]
    rows = rows_of(np.array(records, FINGERPRINT), ids, np.arange(len(records)), settings)
    edges = find_edges(Selection({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}), settings)
    pairs = [(int(a), int(b)) for a, b in zip(edges["winner"], edges["loser"], strict=True)]
    with_original = [(a, b) for a, b in pairs if not names[a] or not names[b]]
    hits = {(base[a], names[a] or names[b]) for a, b in with_original if base[a] == base[b]}
    num_originals = names.count("")
    wrong = [(a, b) for a, b in with_original if base[a] != base[b]]
    for a, b in wrong:
        if save is not None and not names[a] and not names[b]:
            side_by_side(originals[base[a]], originals[base[b]]).save(f"{save}-{base[a]}-{base[b]}.png")
    return {
        "originals": num_originals,
        "recall": {name: sum(hit == name for _, hit in hits) / num_originals for name in variants},
        "right": len(with_original) - len(wrong),
        "wrong": len(wrong),
        "originals_joined": sum(not names[a] and not names[b] for a, b in wrong),
    }


def side_by_side(a: Image.Image, b: Image.Image) -> Image.Image:
    """Two pictures in one."""
    canvas = Image.new("RGB", (a.width + b.width + 8, max(a.height, b.height)), "blue")
    canvas.paste(a, (0, 0))
    canvas.paste(b, (a.width + 8, 0))
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in ("pdfs", "photographs", "icons", "figures"):
        parser.add_argument(f"--{kind}", type=Path)
    parser.add_argument("--num", type=int, default=60, help="originals of each kind")
    parser.add_argument("--before", action="store_true", help="without views")
    parser.add_argument("--flips", action="store_true", help="mirror images count as copies")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="pictures of distinct originals that are joined")
    args = parser.parse_args()
    settings = Dedupe(views=not args.before, flips=args.flips)
    since = time.process_time()
    result = {}
    for kind in ("pdfs", "photographs", "icons", "figures"):
        folder, chance = getattr(args, kind), random.Random(7)
        if folder is not None:
            found = pages(folder, chance) if kind == "pdfs" else pictures(folder, kind, chance)
            save = None if args.save is None else args.save / kind
            result[kind] = measure(found, args.num, settings, save)
            print(f"{kind}: {result[kind]['originals']} originals, {time.process_time() - since:.0f} s", flush=True)
    print("| change | " + " | ".join(result) + " |\n|---|" + "---:|" * len(result))
    for name in next(iter(result.values()))["recall"]:
        print(f"| {name} | " + " | ".join(f"{each['recall'][name]:.3f}" for each in result.values()) + " |")
    shares = [each["right"] / max(1, each["right"] + each["wrong"]) for each in result.values()]
    print("| precision | " + " | ".join(f"{share:.4f}" for share in shares) + " |")
    print("| originals joined | " + " | ".join(str(each["originals_joined"]) for each in result.values()) + " |")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
