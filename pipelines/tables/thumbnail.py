"""The small pictures of a report."""

import io

from PIL import Image

THUMBNAIL_PX = 384
THUMBNAIL_QUALITY = 70


def thumbnail(data: bytes) -> bytes:
    """A small JPEG of an encoded image."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()
