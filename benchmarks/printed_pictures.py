"""Pictures of an evaluation set that are printed as figures on pages: how many are found, by kind and printed size.

    python -m benchmarks.printed_pictures --pdfs DIR --photographs DIR --icons DIR [--num 20]

Each picture is pasted, on white, into the middle of a page of its own, a third or a half of the page wide. Another as
many pages have no picture of the set. Recall is the share of pictures whose page is a copy; a wrong pair joins a
picture with another page. For each picture that is missed, the bits to the nearest block of its page are printed.
"""

import argparse
import itertools
import json
import random
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.duplicates_variants import Original, distinct, pages, pictures, record_of
from pipelines.duplicates.fingerprint import FINGERPRINT
from pipelines.duplicates.index import EVALUATION, NEW, Selection, rows_of
from pipelines.duplicates.search import find_edges
from pipelines.duplicates.settings import Dedupe
from sources.images.views import FIGURES, VIEWS

WIDTHS = (0.33, 0.5)  # of the page
MARGIN = 0.02  # white around a figure, of the page's width


def printed(page: Image.Image, picture: Image.Image, width: float) -> Image.Image:
    """The page with the picture in its middle, on white over the whole width."""
    side = round(page.width * width)
    scale = min(side / picture.width, 0.6 * page.height / picture.height)
    small = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    margin = round(MARGIN * page.width)
    found = page.copy()
    y = (page.height - small.height) // 2
    found.paste("white", (0, y - margin, page.width, y + small.height + margin))
    found.paste(small, ((page.width - small.width) // 2, y))
    return found


def measure(items: list[tuple[Image.Image, np.ndarray]], papers: list[Image.Image], width: float) -> dict[str, object]:
    """Recall, wrong pairs, and the distances of what is missed."""
    num = len(items)
    with_figures = [record_of(printed(page, picture, width)) for page, (picture, _) in zip(papers, items, strict=False)]
    records = [record for _, record in items] + with_figures + [record_of(page) for page in papers[num:]]
    kinds = [EVALUATION] * num + [NEW] * (len(records) - num)
    settings = Dedupe()
    rows = rows_of(
        np.array(records, FINGERPRINT), [f"{k:032x}" for k in range(len(records))], np.arange(len(records)), settings
    )
    rows["kind"] = kinds
    edges = find_edges(Selection({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}), settings)
    found = {(int(a), int(b)) for a, b in zip(edges["winner"], edges["loser"], strict=True) if a < num}
    right = {a for a, b in found if b == a + num}
    return {
        "pictures": num,
        "found": len(right),
        "wrong": len(found) - len(right),
        "bits of missed": [nearest_figure(records[k], records[k + num]) for k in range(num) if k not in right],
    }


def nearest_figure(picture: np.ndarray, page: np.ndarray) -> int | None:
    """The bits between a picture, or the block that it is itself, and the nearest block of a page; None: no block."""
    blocks = page["views"][[VIEWS.index(name) for name in FIGURES]]
    blocks = blocks[blocks.any(axis=1)]
    own = [picture["phash"], *(picture["views"][VIEWS.index(name)] for name in FIGURES)]
    bits = [int(np.bitwise_count(blocks ^ each).sum(axis=1).min()) for each in own if each.any() and len(blocks)]
    return min(bits, default=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", type=Path, required=True)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--icons", type=Path)
    parser.add_argument("--num", type=int, default=20, help="pictures of each kind, and pages")
    args = parser.parse_args()
    since = time.process_time()
    papers = [original.image for original in itertools.islice(pages(args.pdfs, random.Random(3)), 2 * args.num)]
    result = {}
    for kind in ("photographs", "icons"):
        folder: Path | None = getattr(args, kind)
        if folder is None:
            continue
        originals: list[Original] = list(itertools.islice(pictures(folder, kind, random.Random(5)), 4 * args.num))
        items = list(distinct(iter(originals), args.num))
        for width in WIDTHS:
            result[f"{kind}, {width:.0%} of the width"] = found = measure(items, papers, width)
            print(f"{kind}, {width:.0%}: {found}  {time.process_time() - since:.0f} s", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
