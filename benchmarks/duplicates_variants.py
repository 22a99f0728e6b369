"""Which copies of pictures are found, and which distinct pictures are joined, by kind of picture and of change.

    python -m benchmarks.duplicates_variants --pdfs DIR --photographs DIR --icons DIR --figures DIR [--num 12]
    python -m benchmarks.duplicates_variants --before …      # without views, which is what was compared before

Nothing but pixels is compared: no picture carries a text. Originals are pages of different PDFs, photographs, icons on
white and figures, the first `--num` of a seeded shuffle. An original is left out as a version of an earlier one if it
is within 10 bits of it, if half of the words of the two pages' texts are the same (a form filled in, a redacted table,
a paper with highlights), or if their names say that they are one picture in other colours (`grid-d`, `grid-l`).

The originals are compared with the copies of one kind at a time. Recall is the share of copies that pair with their
original. A wrong pair joins an original with another one or with its copy; precision is the share of all pairs with an
original that are right.
"""

import argparse
import io
import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pymupdf
from PIL import Image

from benchmarks.picture_variants import MIRRORED, VARIANTS
from pipelines.duplicates.fingerprint import FINGERPRINT, fingerprints
from pipelines.duplicates.index import Selection, rows_of
from pipelines.duplicates.search import find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.duplicates.text import similarity, text_fingerprint
from pipelines.workers.evaluation_items import sample_of

SIDE_PX = 1024
MIN_WORDS = 40  # of a page; one with fewer is a title or blank
MIN_BYTES = {"photographs": 100_000, "icons": 0, "figures": 10_000}
MIN_SIDE_PX = {"photographs": 400, "icons": 48, "figures": 150}
SAME_BITS = 10
SAME_TEXT = 0.33  # of the word triples of two texts, when half of their words are the same
COLOURING = re.compile(r"-(?:[dl]|dark|light|(?:cold|dark|radioactive|warm)-no-logo)$", re.IGNORECASE)


class Original(NamedTuple):
    """A picture, the text of the page that it is, and the name of a picture without its colouring."""

    image: Image.Image
    text: str = ""
    name: str = ""


def pages(folder: Path, chance: random.Random) -> Iterator[Original]:
    """A page of every PDF below a folder."""
    paths = sorted(path for path in folder.rglob("*.pdf") if not path.is_symlink())
    chance.shuffle(paths)
    pymupdf.TOOLS.mupdf_display_errors(False)
    for path in paths:
        try:
            with pymupdf.open(path) as document:
                page = document[chance.randrange(len(document))]
                text = page.get_text()
                if len(text.split()) < MIN_WORDS:
                    continue
                zoom = SIDE_PX / max(page.rect.width, page.rect.height)
                drawn = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):
            continue  # broken or locked files are among public test collections
        if min(drawn.width, drawn.height) >= 200:
            yield Original(Image.frombytes("RGB", (drawn.width, drawn.height), bytes(drawn.samples)), text=text)


def pictures(folder: Path, kind: str, chance: random.Random) -> Iterator[Original]:
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
            yield Original(canvas.convert("RGB"), name=COLOURING.sub("", path.stem))


def record_of(image: Image.Image) -> np.ndarray:
    """The fingerprint of a picture without a text."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    record: np.ndarray = fingerprints([sample_of(buffer.getvalue(), "")])[0]
    return record


def distinct(found: Iterator[Original], num: int) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """The first `num` pictures that are neither plain nor a version of an earlier one."""
    seen = np.zeros((0, 32), np.uint8)
    sketches = np.zeros((0, text_fingerprint("")["sketch"].shape[1]), np.uint8)
    names: set[str] = set()
    for image, text, name in found:
        record = record_of(image)
        sketch = text_fingerprint(text)["sketch"]
        is_near = (np.bitwise_count(seen ^ record["phash"]).sum(axis=1) <= SAME_BITS).any()
        is_said = bool(text) and (similarity(sketches, np.repeat(sketch, len(sketches), axis=0)) >= SAME_TEXT).any()
        if record["detail"] < Dedupe.min_detail or is_near or is_said or name in names:
            continue
        seen, sketches = np.concatenate([seen, record["phash"][None]]), np.concatenate([sketches, sketch])
        names |= {name} - {""}
        yield image, record
        if len(seen) == num:
            return


def measure(found: Iterator[Original], num: int, settings: Dedupe, save: Path | None) -> dict[str, Any]:
    """Recall by variant, and the numbers of right and wrong pairs with an original.

    Args:
        save: a name's beginning, for pictures of what is joined wrongly.
    """
    variants = {**VARIANTS, **(MIRRORED if settings.flips else {})}
    originals, records = map(list, zip(*distinct(found, num), strict=True))
    num = len(originals)
    recall: dict[str, float] = {}
    num_right = 0
    wrong: set[tuple[int, str, int, str]] = set()  # number of the original and name of the variant, twice
    for name, make in variants.items():
        copies = [record_of(make(image)) for image in originals]
        found_here = set()
        for a, b in pairs_among([*records, *copies], settings):
            kinds = "" if a < num else name, "" if b < num else name
            if "" in kinds and a % num == b % num:
                found_here.add(a % num)
            elif "" in kinds:
                wrong.add((a % num, kinds[0], b % num, kinds[1]))
        recall[name] = len(found_here) / num
        num_right += len(found_here)
    for a, kind_a, b, kind_b in wrong:
        if save is not None:
            both = [variants[kind](originals[k]) if kind else originals[k] for k, kind in ((a, kind_a), (b, kind_b))]
            side_by_side(*both).save(f"{save}-{a}-{b}-{kind_a or kind_b}.png")
    joined = sum(not kind_a and not kind_b for _, kind_a, _, kind_b in wrong)
    return {
        "originals": num, "recall": recall, "right": num_right, "wrong": len(wrong), "originals_joined": joined,
    }  # fmt: skip


def pairs_among(records: list[np.ndarray], settings: Dedupe) -> list[tuple[int, int]]:
    """The pairs that the search finds among fingerprints, by their places."""
    ids = [f"{k:032x}" for k in range(len(records))]
    rows = rows_of(np.array(records, FINGERPRINT), ids, np.arange(len(records)), settings)
    edges = find_edges(Selection({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}), settings)
    return [(int(a), int(b)) for a, b in zip(edges["winner"], edges["loser"], strict=True)]


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
    parser.add_argument("--num", type=int, default=12, help="originals of each kind; 12 take 2 minutes a kind, 60 ten")
    parser.add_argument("--before", action="store_true", help="without views")
    parser.add_argument("--flips", action="store_true", help="mirror images count as copies")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="pictures of what is joined wrongly")
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
