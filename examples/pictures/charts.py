"""The picture of docs/sources/charts.md: every kind of chart in both languages, and every style of tables."""

from functools import partial

from PIL import Image

from examples.pictures.sheet import Sheet
from sources.charts.drawing import draw_legibly
from sources.charts.kinds import KINDS
from sources.charts.records import TABLE_STYLES
from sources.charts.schema.texts import LANGUAGES
from sources.charts.style import sample_style
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.rng import generator

SEED = 4


def chart(kind: str, language: str, table_style: str | None = None) -> tuple[Image.Image, str]:
    """A chart of a kind; Chinese ones are drawn by Vega-Lite where it can.

    Args:
        table_style: the style of a table; the first table of this style is drawn.
    """
    number = 0
    while True:
        random = generator(SEED, number, f"{kind}/{language}")
        style = sample_style(random, language)
        made = KINDS[kind].make(kind, load_vocabulary(BUNDLED), language, style, random)
        if table_style is None or getattr(made, "table_style", None) == table_style:
            break
        number += 1
    renderer = KINDS[kind].renderers(made)[-1] if language == "zh" else "matplotlib"
    _, picture = draw_legibly(made, renderer)
    return Image.fromarray(picture.pixels), f"{kind if table_style is None else table_style}, {renderer}"


SHEET = Sheet(
    file="charts.webp",
    drawings=[
        *(partial(chart, kind, language) for kind in KINDS for language in LANGUAGES),
        *(partial(chart, "table", LANGUAGES[k % 2], table_style) for k, table_style in enumerate(TABLE_STYLES)),
    ],
    columns=8,
    cell_px=(300, 225),
    caption_px=18,
    gap_px=6,
    background="#D8D8D8",
    quality=78,
)
