"""The contact sheet: thumbnails of kept samples in one JPEG, for the card."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps

COLUMNS, MAX_CELLS = 6, 24
CELL = (190, 240)  # pixels of a thumbnail's place, width and height
MARGIN = 18
PAPER, EDGE = (244, 240, 231), (205, 198, 184)
FORMATS = ("JPEG", "PNG", "WEBP")


def contact_sheet(thumbnails: Sequence[bytes]) -> bytes | None:
    """A JPEG of at most 24 of the thumbnails, spread evenly over all; None if none can be shown."""
    num = min(MAX_CELLS, len(thumbnails))
    chosen = [thumbnails[k * len(thumbnails) // num] for k in range(num)]
    images = [image for image in map(_decode, chosen) if image is not None]
    if not images:
        return None
    columns = min(COLUMNS, len(images))
    rows = -(-len(images) // columns)
    width, height = CELL
    sheet = Image.new("RGB", (columns * (width + MARGIN) + MARGIN, rows * (height + MARGIN) + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    for k, image in enumerate(images):
        x = MARGIN + k % columns * (width + MARGIN) + (width - image.width) // 2
        y = MARGIN + k // columns * (height + MARGIN) + (height - image.height) // 2
        draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline=EDGE)
        sheet.paste(image, (x, y))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _decode(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return ImageOps.contain(image.convert("RGB"), CELL)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
