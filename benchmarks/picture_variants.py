"""How a picture comes back: cropped, turned, stamped, encoded again, in a window. Each is a function of an image."""

import io
import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

Picture = Image.Image
Variant = Callable[[Picture], Picture]
BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS
WINDOW = 1280, 900
# Background, bars, height of the bars above, width of the bar on the left, share of the pane that the page takes.
WINDOWS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int], int, int, float]] = {
    "viewer": ((82, 86, 89), (50, 54, 57), 56, 0, 0.9),
    "light": ((229, 229, 229), (245, 245, 245), 88, 220, 0.9),
    "browser": ((255, 255, 255), (222, 225, 230), 104, 0, 0.95),
    "dark": ((30, 30, 34), (45, 45, 48), 72, 160, 0.8),
}


def encoded(image: Picture, kind: str, quality: int) -> Picture:
    """The picture after lossy encoding."""
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def cropped(image: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    """The picture without these shares of its width and height."""
    width, height = image.size
    return image.crop(
        (round(width * left), round(height * top), width - round(width * right), height - round(height * bottom))
    )


def bordered(image: Picture, share: float) -> Picture:
    """The picture on white, `share` of the long side wider on each side."""
    margin = round(max(image.size) * share)
    canvas = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), "white")
    canvas.paste(image, (margin, margin))
    return canvas


def stamped(
    image: Picture,
    text: str,
    *,
    opacity: int,
    degrees: float,
    size: float,
    tiled: bool = False,
    colour: tuple[int, int, int] = (120, 120, 120),
) -> Picture:
    """The picture with a translucent text across it.

    Args:
        opacity: 0 to 255.
        size: of the letters, as a share of the width.
    """
    font = ImageFont.load_default(max(10, round(image.width * size)))
    mark = Image.new("RGBA", (int(font.getlength(text)) + 10, round(font.size * 1.6)))
    ImageDraw.Draw(mark).text((5, 0), text, font=font, fill=(*colour, opacity))
    mark = mark.rotate(degrees, BICUBIC, expand=True)
    layer = Image.new("RGBA", image.size)
    if tiled:
        for y in range(0, image.height, round(mark.height * 1.1) + 8):
            for x in range(0, image.width, round(mark.width * 1.1) + 8):
                layer.alpha_composite(mark, (x, y))
    else:
        layer.paste(mark, ((image.width - mark.width) // 2, (image.height - mark.height) // 2))
    whole = image.convert("RGBA")
    whole.alpha_composite(layer)
    return whole.convert("RGB")


def in_window(image: Picture, kind: str) -> Picture:
    """A screenshot of a window that shows the picture, one of `WINDOWS`."""
    background, bars, top, side, share = WINDOWS[kind]
    chance = random.Random(kind)
    width, height = WINDOW
    canvas = Image.new("RGB", WINDOW, background)
    draw = ImageDraw.Draw(canvas)
    ink = (230, 230, 230) if sum(bars) < 380 else (40, 40, 40)
    draw.rectangle((0, 0, width, top), fill=bars)
    for k in range(8):
        draw.rectangle((20 + k * 46, top - 34, 44 + k * 46, top - 14), outline=ink)
    title = f"Document {chance.randint(10, 99)}.pdf - page {chance.randint(1, 40)}"
    draw.text((width // 2 - 120, 8), title, font=ImageFont.load_default(18), fill=ink)
    if side:
        draw.rectangle((0, top, side, height), fill=bars)
        for k in range(14):
            line = f"{k + 1}. Section {chance.randint(1, 99)}"
            draw.text((14, top + 18 + k * 34), line, font=ImageFont.load_default(15), fill=ink)
    draw.rectangle((width - 14, top, width, height), fill=bars)
    draw.rectangle((width - 12, top + 40, width - 2, top + 160), fill=ink)
    pane = width - side - 14, height - top
    zoom = min(pane[0] * share / image.width, pane[1] * share / image.height)
    page = image.resize((round(image.width * zoom), round(image.height * zoom)), LANCZOS)
    canvas.paste(page, (side + (pane[0] - page.width) // 2, top + (pane[1] - page.height) // 2))
    return canvas


def _crop(left: float, top: float, right: float, bottom: float) -> Variant:
    return lambda image: cropped(image, left, top, right, bottom)


def _turn(degrees: float, fill: str = "white", *, expand: bool = False) -> Variant:
    return lambda image: image.rotate(degrees, BICUBIC, expand=expand, fillcolor=fill)


def _window(kind: str) -> Variant:
    return lambda image: in_window(image, kind)


VARIANTS: Mapping[str, Variant] = {
    "JPEG 20": lambda image: encoded(image, "JPEG", 20),
    "WebP 30": lambda image: encoded(image, "WEBP", 30),
    "blur 2 px": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "a quarter": lambda image: image.resize((max(1, image.width // 4), max(1, image.height // 4)), LANCZOS),
    "20 % darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "20 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "greyscale": lambda image: image.convert("L").convert("RGB"),
    "border 2 %": lambda image: bordered(image, 0.02),
    "border 6 %": lambda image: bordered(image, 0.06),
    "crop 3 %": _crop(0.03, 0.03, 0.03, 0.03),
    "crop 5 %": _crop(0.05, 0.05, 0.05, 0.05),
    "crop 8 %": _crop(0.08, 0.08, 0.08, 0.08),
    "crop left 8 %": _crop(0.08, 0, 0, 0),
    "crop top 6 %": _crop(0, 0.06, 0, 0),
    "crop right 3 %": _crop(0, 0, 0.03, 0),
    "crop bottom 5 %": _crop(0, 0, 0, 0.05),
    "crop 2, 7, 5, 3 %": _crop(0.02, 0.07, 0.05, 0.03),
    "rotation 1°": _turn(1),
    "rotation 2°": _turn(2),
    "rotation −3°": _turn(-3),
    "rotation −2°, whole": _turn(-2, expand=True),
    "stamp, grey": lambda image: stamped(image, "CONFIDENTIAL", opacity=90, degrees=40, size=0.13),
    "stamp, red": lambda image: stamped(image, "DRAFT", opacity=110, degrees=-35, size=0.25, colour=(200, 30, 30)),
    "stamps, tiled": lambda image: stamped(image, "sample copy", opacity=80, degrees=30, size=0.05, tiled=True),
    "stamps, dark": lambda image: stamped(
        image, "PREVIEW", opacity=130, degrees=45, size=0.05, tiled=True, colour=(0, 0, 0)
    ),
    **{f"window, {kind}": _window(kind) for kind in WINDOWS},
    "crop 5 %, JPEG 30": lambda image: encoded(cropped(image, 0.05, 0.05, 0.05, 0.05), "JPEG", 30),
}
MIRRORED: Mapping[str, Variant] = {
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
}
