"""Scans with known text: pages of PDFs printed as pictures and degraded as a scanner or a camera would."""

import json
import random as random_module
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image

from sources.base.illegible import Illegible
from sources.ocr.degradation.degrade import degrade
from sources.ocr.rendered_text import RenderedText

DPI = 130
STRENGTH = 0.5
MIN_WORDS = 40


def make_scans(pdfs: Sequence[Path], folder: Path, count: int) -> int:
    """Write degraded pictures of pages drawn from PDFs, and `text.jsonl` with the words of each page.

    Every fifth picture is a TIFF, as scanners write them; the others are JPEG.

    Args:
        count: number of pictures; fewer if the pages do not suffice.
    Returns:
        Number of pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = [(path, number) for path in pdfs for number in range(_num_pages(path))]
    random_module.Random(0).shuffle(places)
    made = 0
    with (folder / "text.jsonl").open("w", encoding="utf-8") as file:
        for path, number in places:
            if made == count:
                break
            random = random_module.Random(f"{path.name} {number}")
            with pymupdf.open(path) as document:
                page = document[number]
                words = [word[4] for word in page.get_text("words")]
                if len(words) < MIN_WORDS:
                    continue
                picture = page.get_pixmap(dpi=DPI)
                pixels = np.frombuffer(picture.samples, np.uint8).reshape(picture.height, picture.width, 3)
            plain = RenderedText(pixels=pixels, texts=[], quads=np.zeros((0, 4, 2)))
            try:
                scan = degrade(plain, STRENGTH, random).rendered.pixels
            except Illegible:
                continue
            name = f"{made:05d}.{'tiff' if made % 5 == 0 else 'jpg'}"
            options = {"compression": "tiff_lzw"} if made % 5 == 0 else {"quality": 85}
            Image.fromarray(scan).save(folder / name, dpi=(DPI, DPI), **options)
            row = {"image": name, "page": f"{path.name} {number + 1}", "text": " ".join(words)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            made += 1
    return made


def _num_pages(path: Path) -> int:
    try:
        with pymupdf.open(path) as document:
            return 0 if document.needs_pass else int(document.page_count)
    except (pymupdf.FileDataError, pymupdf.EmptyFileError):
        return 0
