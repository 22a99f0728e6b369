"""The picture of docs/sources/ocr.md: every kind of page in both languages, and scenes.

Every second sample is degraded, and every third has the boxes of its words drawn over it.
"""

import io
from functools import partial

from PIL import Image, ImageDraw

from examples.pictures.sheet import Sheet
from sources.ocr.mixture import SCENE
from sources.ocr.source import Ocr
from sources.ocr.templates.registry import KINDS, supported_languages

SEED = 4
NUM_SCENES = 5
BOX = (214, 40, 40)


def page(kind: str, language: str, number: int) -> tuple[Image.Image, str]:
    """A sample of a kind."""
    strength = 0.9 if number % 2 else 0.0
    source = Ocr(
        seed=SEED, kinds={kind: 1}, languages=(language,), strength=strength, tasks={"grounding": 1, "text": 1}
    )
    sample = source.make(number, source.digest)
    picture = Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")
    if number % 3 == 0:
        draw = ImageDraw.Draw(picture)
        for box in sample.words.boxes:
            draw.rectangle([float(edge) for edge in box], outline=BOX, width=2)
    return picture, f"{kind}, {language}" + (f", {sample.flags[2]}" if strength else "")


_WANTED = [
    *((kind, language) for kind in KINDS for language in supported_languages(kind)),
    *((SCENE, ("en", "zh")[k % 2]) for k in range(NUM_SCENES)),
]
SHEET = Sheet(
    file="ocr.webp",
    drawings=[partial(page, kind, language, k) for k, (kind, language) in enumerate(_WANTED)],
    columns=9,
    cell_px=(250, 330),
    caption_px=16,
    gap_px=6,
    background="#D8D8D8",
    quality=60,
)
