"""One-page PDFs for tests, written operator by operator: hidden text, scans, damage, forms."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.pdf_files import CATALOG, FONT, pdf_bytes, stream

WIDTH, HEIGHT = 595, 842
TREE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
VISIBLE = (
    "The station opens before the first train, and the clock above the door is lit.",
    "A porter sweeps the platform while the baker carries warm bread to the kiosk.",
    "Nobody waits on the far side, where the timetable hangs behind cracked glass.",
)
HIDDEN = "Nobodysees thesewords"


def write_page(
    path: Path,
    content: bytes,
    *,
    resources: bytes = b"",
    objects: Sequence[bytes] = (),
    catalog: bytes = CATALOG,
    extra: bytes = b"",
) -> Path:
    """Write a page of A4 with the font /F.

    Args:
        content: the content stream's operators.
        resources: further entries of the page's resources.
        objects: objects 6 and up.
        extra: further entries of the page.
    """
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R " % (WIDTH, HEIGHT)
        + b"/Resources << /Font << /F 5 0 R >> "
        + resources
        + b" >> "
        + extra
        + b" >>"
    )
    path.write_bytes(pdf_bytes([catalog, TREE, page, stream(content), FONT, *objects]))
    return path


def text_at(x: float, y: float, text: str, size: float = 11, before: bytes = b"") -> bytes:
    """Return the operators that show text with its base line at (x, y), in points from the bottom left."""
    return b"BT /F %g Tf %s 1 0 0 1 %g %g Tm (%s) Tj ET\n" % (size, before, x, y, text.encode("latin-1"))


def visible_text(first_y: float = 780) -> bytes:
    """Return three lines of black text."""
    return b"".join(text_at(60, first_y - 16 * k, line) for k, line in enumerate(VISIBLE))


def scan_pixels(seed: int = 0) -> Image.Image:
    """Return a grey picture of a page of text with a scanner's noise, at 100 dpi."""
    image = Image.new("L", (WIDTH * 100 // 72, HEIGHT * 100 // 72), 250)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=15)
    for k in range(40):
        draw.text((83, 60 + 24 * k), VISIBLE[k % 3], fill=20, font=font)
    noise = np.random.default_rng(seed).integers(-4, 5, (image.height, image.width))
    return Image.fromarray((np.asarray(image, np.int16) + noise).clip(0, 255).astype(np.uint8))


def image_object(image: Image.Image, cut: float = 1.0) -> bytes:
    """Return a grey picture as a JPEG image object; `cut` keeps only the first part of its data."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=70)
    data = buffer.getvalue()
    head = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray" % image.size
    )
    return stream(data[: int(len(data) * cut)], head + b" /Filter /DCTDecode")


def layer_text(before: bytes = b"") -> bytes:
    """Return the text of `scan_pixels` at the places where it is in the picture."""
    lines = []
    for k in range(40):
        y = HEIGHT - (60 + 24 * k + 14) * 0.72
        lines.append(text_at(60, y, VISIBLE[k % 3], size=10.3, before=before))
    return b"".join(lines)


def scan_page(path: Path, over: bytes = b"", under: bytes = b"", num_strips: int = 1) -> Path:
    """Write a scan, cut into strips, with operators before and after the picture."""
    image = scan_pixels()
    objects, paint = [], b""
    for k in range(num_strips):
        top, bottom = image.height * k // num_strips, image.height * (k + 1) // num_strips
        objects.append(image_object(image.crop((0, top, image.width, bottom))))
        height, y = HEIGHT * (bottom - top) / image.height, HEIGHT * (1 - bottom / image.height)
        paint += b"q %d 0 0 %g 0 %g cm /I%d Do Q\n" % (WIDTH, height, y, k)
    names = b" ".join(b"/I%d %d 0 R" % (k, 6 + k) for k in range(num_strips))
    resources = b"/XObject << " + names + b" >> /ExtGState << /T << /ca 0 >> >>"
    return write_page(path, under + paint + over, resources=resources, objects=objects)
