"""Make docs/charts.webp: every kind of chart in both languages, and the ten table styles.

python examples/charts.py [--seed 4] [--output docs/charts.webp]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sources.charts.drawing import draw_legibly
from sources.charts.fonts import faces_for, font_file
from sources.charts.kinds import KINDS
from sources.charts.records import TABLE_STYLES
from sources.charts.style import sample_style
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.charts.vocabulary_schema import LANGUAGES
from sources.rng import generator

ROOT = Path(__file__).resolve().parent.parent
CELL = (300, 225)
CAPTION_PX = 18
COLUMNS = 8
GAP_PX = 6
QUALITY = 78


def cell(kind: str, language: str, seed: int, table_style: str | None = None) -> tuple[np.ndarray, str]:
    """Return a chart of a kind and its caption. Chinese charts use Vega-Lite if it supports the kind."""
    number = 0
    while True:  # until a chart with this look is drawn
        random = generator(seed, number, f"{kind}/{language}")
        style = sample_style(random, language)
        chart = KINDS[kind].make(kind, load_vocabulary(BUNDLED), language, style, random)
        if table_style is None or getattr(chart, "table_style", None) == table_style:
            break
        number += 1
    renderer = KINDS[kind].renderers(chart)[-1] if language == "zh" else "matplotlib"
    _, picture = draw_legibly(chart, renderer)
    return picture.pixels, f"{kind if table_style is None else table_style}, {renderer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/charts.webp")
    args = parser.parse_args()
    cells = [cell(kind, language, args.seed) for kind in KINDS for language in LANGUAGES]
    cells += [cell("table", LANGUAGES[k % 2], args.seed, table_style) for k, table_style in enumerate(TABLE_STYLES)]
    rows = -(-len(cells) // COLUMNS)
    width, height = CELL[0] + GAP_PX, CELL[1] + CAPTION_PX + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), "#D8D8D8")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(font_file(faces_for("en")[0])), 12)
    for k, (pixels, caption) in enumerate(cells):
        x, y = GAP_PX + k % COLUMNS * width, GAP_PX + k // COLUMNS * height
        picture = Image.fromarray(pixels)
        picture.thumbnail(CELL, Image.Resampling.LANCZOS)
        sheet.paste(picture, (x + (CELL[0] - picture.width) // 2, y + (CELL[1] - picture.height) // 2))
        draw.text((x + 3, y + CELL[1] + 1), caption, fill="#222222", font=font)
    sheet.save(args.output, quality=QUALITY, method=6)
    print(f"{args.output}: {len(cells)} charts, {args.output.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
