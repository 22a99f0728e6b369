"""Time and size of grey page images: our PNG compared with Pillow's, in one run.

python benchmarks/encode.py --corpus /usr/share [--pages 120]
"""

import argparse
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image

from sources.images.encoding import encode

SIDE_PX = 1024


def grey_pages(folder: Path, num_pages: int) -> list[np.ndarray]:
    """Return (height, width) uint8 pages from all PDFs below a folder, spread evenly."""
    paths = [path for path in sorted(folder.rglob("*.pdf")) if not path.is_symlink()]
    if not paths:
        raise SystemExit(f"--corpus {folder}: no PDF below it")
    pages = []
    for path in paths:
        with pymupdf.open(path) as document:
            for number in range(0, len(document), max(1, len(document) * len(paths) // num_pages)):
                page = document[number]
                zoom = SIDE_PX / max(page.rect.width, page.rect.height)
                pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csGRAY)
                pages.append(np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width))
    return pages


def pillow(page: np.ndarray, **options: int) -> bytes:
    """Encode the page as PNG with Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "PNG", **options)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=120)
    args = parser.parse_args()
    pages = grey_pages(args.corpus, args.pages)
    contenders: dict[str, Callable[[np.ndarray], bytes]] = {
        "ours": lambda page: encode(page, "png").data,
        "Pillow level 1": lambda page: pillow(page, compress_level=1),
        "Pillow level 6": lambda page: pillow(page, compress_level=6),
    }
    result: dict[str, Any] = {"pages": len(pages)}
    for name, run in contenders.items():
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(run(pages[0])))), pages[0]), f"{name} is not lossless"
        since = time.perf_counter()
        size = sum(len(run(page)) for page in pages)
        ms = (time.perf_counter() - since) / len(pages) * 1000
        result[name] = {"ms": round(ms, 2), "kb": round(size / len(pages) / 1000, 1)}
        print(f"{name}: {ms:.2f} ms, {size / len(pages) / 1000:.1f} KB per page")
    result["ratio"] = round(result["Pillow level 1"]["ms"] / result["ours"]["ms"], 1)
    print(f"Pillow level 1 / ours: {result['ratio']} times the time")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
