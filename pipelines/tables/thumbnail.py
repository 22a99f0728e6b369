"""The small pictures of a report."""

import io

from PIL import Image

THUMBNAIL_PX = 384
THUMBNAIL_QUALITY = 70


def thumbnail(data: bytes, side_px: int = THUMBNAIL_PX) -> bytes:
    """A small JPEG of an encoded image, whose longer side is at most `side_px`."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (side_px, side_px))
    image.thumbnail((side_px, side_px), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()
