"""A picture of many drawings side by side, each of which can be drawn again alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sources.text.fonts import fonts_for

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs/pictures"
CAPTION_FONT_PX = 12

Drawing = Callable[[], tuple[Image.Image, str]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Drawings in rows of equal cells.

    Args:
        file: path in docs/pictures.
        drawings: each gives an image and its caption. An image larger than a cell is made smaller.
        cell_px: width and height of a cell.
        caption_px: height of the caption below a cell; 0 for no captions.
        quality: of the WebP file; None for a PNG of 256 colours.
    """

    file: str
    drawings: Sequence[Drawing]
    columns: int
    cell_px: tuple[int, int]
    caption_px: int = 0
    gap_px: int = 0
    background: str = "#FFFFFF"
    quality: int | None = 80

    def place(self, k: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge of cell `k`, without its caption."""
        x = self.gap_px + k % self.columns * (self.cell_px[0] + self.gap_px)
        y = self.gap_px + k // self.columns * (self.cell_px[1] + self.caption_px + self.gap_px)
        return x, y, x + self.cell_px[0], y + self.cell_px[1]

    def cell(self, k: int) -> tuple[Image.Image, str]:
        """Draw cell `k`: its pixels and its caption."""
        image, caption = self.drawings[k]()
        image = image.convert("RGB")
        image.thumbnail(self.cell_px, Image.Resampling.LANCZOS)
        cell = Image.new("RGB", self.cell_px, self.background)
        cell.paste(image, ((cell.width - image.width) // 2, (cell.height - image.height) // 2))
        return cell, caption

    def save(self) -> Path:
        """Draw all cells and write the file."""
        rows = -(-len(self.drawings) // self.columns)
        width = self.columns * (self.cell_px[0] + self.gap_px) + self.gap_px
        height = rows * (self.cell_px[1] + self.caption_px + self.gap_px) + self.gap_px
        sheet = Image.new("RGB", (width, height), self.background)
        draw = ImageDraw.Draw(sheet)
        font = ImageFont.truetype(str(fonts_for("en", ("sans",))[0].path), CAPTION_FONT_PX)
        for k in range(len(self.drawings)):
            cell, caption = self.cell(k)
            left, top, _, bottom = self.place(k)
            sheet.paste(cell, (left, top))
            if self.caption_px:
                draw.text((left + 3, bottom + 1), caption, fill="#222222", font=font)
        path = FOLDER / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.quality is None:
            sheet.quantize(256).save(path, optimize=True)
        else:
            sheet.save(path, quality=self.quality, method=6)
        return path
