"""The picture of docs/sources/charts.md: every kind of chart in both languages, and the ten looks of tables.

python examples/charts.py [--seed 4] [--output docs/charts.webp]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sources.charts.drawing import draw_legibly
from sources.charts.fonts import faces_for, font_file
from sources.charts.kinds import KINDS
from sources.charts.records import LOOKS
from sources.charts.style import draw_style
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.charts.vocabulary_schema import LANGUAGES
from sources.rng import generator

ROOT = Path(__file__).resolve().parent.parent
CELL = (300, 225)
CAPTION_PX = 18
COLUMNS = 8
GAP_PX = 6
QUALITY = 78


def cell(kind: str, language: str, seed: int, look: str | None = None) -> tuple[np.ndarray, str]:
    """A chart of a kind, and the caption: Chinese ones are drawn by Vega-Lite where it can."""
    number = 0
    while True:  # until a chart with this look is drawn
        random = generator(seed, number, f"{kind}/{language}")
        style = draw_style(random, language)
        chart = KINDS[kind].make(kind, load_vocabulary(BUNDLED), language, style, random)
        if look is None or getattr(chart, "look", None) == look:
            break
        number += 1
    renderer = KINDS[kind].renderers(chart)[-1] if language == "zh" else "matplotlib"
    _, picture = draw_legibly(chart, renderer)
    return picture.pixels, f"{kind if look is None else look}, {renderer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/charts.webp")
    args = parser.parse_args()
    cells = [cell(kind, language, args.seed) for kind in KINDS for language in LANGUAGES]
    cells += [cell("table", LANGUAGES[k % 2], args.seed, look) for k, look in enumerate(LOOKS)]
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
