"""Make docs/ocr.webp: every kind of page in both languages, some degraded, some with word boxes; and scenes.

python examples/ocr.py [--seed 4] [--output docs/ocr.webp]
"""

import argparse
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sources.ocr.source import SCENE, Ocr
from sources.ocr.templates.registry import KINDS, supported_languages
from sources.text.fonts import fonts_for

ROOT = Path(__file__).resolve().parent.parent
CELL = (250, 330)
CAPTION_PX = 16
COLUMNS = 9
GAP_PX = 6
NUM_SCENES = 5
QUALITY = 60
BOX = (214, 40, 40)


def cell(kind: str, language: str, seed: int, number: int) -> tuple[Image.Image, str]:
    """Return a sample of a kind and its caption; every third shows its word boxes, every second is degraded."""
    strength = 0.9 if number % 2 else 0.0
    source = Ocr(
        seed=seed, kinds={kind: 1}, languages=(language,), strength=strength, tasks={"grounding": 1, "text": 1}
    )
    sample = source.make(number, source.digest)
    picture = Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")
    if number % 3 == 0:
        draw = ImageDraw.Draw(picture)
        for box in sample.words.boxes:
            draw.rectangle([float(edge) for edge in box], outline=BOX, width=2)
    return picture, f"{kind}, {language}" + (f", {sample.flags[2]}" if strength else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/ocr.webp")
    args = parser.parse_args()
    wanted = [(kind, language) for kind in KINDS for language in supported_languages(kind)]
    wanted += [(SCENE, ("en", "zh")[k % 2]) for k in range(NUM_SCENES)]
    rows = -(-len(wanted) // COLUMNS)
    width, height = CELL[0] + GAP_PX, CELL[1] + CAPTION_PX + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), "#D8D8D8")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(fonts_for("en", ("sans",))[0].path), 12)
    for k, (kind, language) in enumerate(wanted):
        picture, caption = cell(kind, language, args.seed, k)
        picture.thumbnail(CELL, Image.Resampling.LANCZOS)
        x, y = GAP_PX + k % COLUMNS * width, GAP_PX + k // COLUMNS * height
        sheet.paste(picture, (x + (CELL[0] - picture.width) // 2, y + (CELL[1] - picture.height) // 2))
        draw.text((x + 3, y + CELL[1] + 1), caption, fill="#222222", font=font)
    sheet.save(args.output, quality=QUALITY, method=6)
    print(f"{args.output}: {len(wanted)} pictures, {args.output.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
