"""The picture of docs/sources/diagrams.md: every kind of diagram in both languages and all looks."""

from functools import partial

from PIL import Image

from examples.pictures.sheet import Sheet
from sources.charts.schema.texts import LANGUAGES
from sources.diagrams.registry import KINDS
from sources.diagrams.style import LOOKS, sample_style
from sources.rng import generator

SEED = 3


def diagram(kind: str, language: str, look: str) -> tuple[Image.Image, str]:
    """The first diagram of a kind in a language and a look."""
    number = 0
    while True:
        random = generator(SEED, number, f"{kind}/{language}")
        style = sample_style(random, language)
        if style.look == look:
            made = KINDS[kind].make(language, style, random)
            return Image.fromarray(made.canvas.picture().pixels), f"{kind}, {look}"
        number += 1


SHEET = Sheet(
    file="diagrams.webp",
    drawings=[
        partial(diagram, kind, language, tuple(LOOKS)[(k + j) % len(LOOKS)])
        for k, kind in enumerate(KINDS)
        for j, language in enumerate(LANGUAGES)
    ],
    columns=4,
    cell_px=(360, 270),
    caption_px=18,
    gap_px=6,
    background="#D8D8D8",
    quality=78,
)
