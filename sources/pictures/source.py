"""Pictures and scans: each page as an image with the text that PaddleOCR reads on it and its word boxes."""

import importlib.metadata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.source import Items, ReadingCosts, Source
from sources.images.encoding import check_encoding
from sources.paddle_ocr.page import OCR_COSTS, OcrSettings
from sources.pictures.card import CARD

CODE_VERSION = 2  # raise it when the same picture gives other bytes
MAX_PIXELS = 178_000_000  # what Pillow decodes at most
PACKAGES = ("pillow", "zlib-ng")


@dataclass(frozen=True, kw_only=True)
class Pictures(Source):
    """Pictures and scans, every page of a file for itself.

    Args:
        side_px: long side of an image at most, in pixels.
        max_pixels: a picture with more is an error.
        grey: `png` encodes pictures without colour as lossless grey PNG; `none` treats them like others.
        format: `jpeg`, `png` or `webp`, for all others.
        quality: 1 to 100, for jpeg and webp.
        ocr_min_confidence: lines that PaddleOCR is less sure of are left out, 0 to 1.
        ocr_side_px: long side at which a picture is read at most, in pixels.
        ocr_models: folder with `det/` and `rec/` of PaddleOCR's ONNX packages; None: the models in the rapidocr wheel,
            for Chinese, English, Japanese and other languages in Latin letters.
    """

    name: ClassVar[str] = "images"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".heic", ".heif", ".avif",
    )  # fmt: skip
    item_noun: ClassVar[str] = "page"

    side_px: int = 1024
    max_pixels: int = 100_000_000
    grey: str = "png"
    format: str = "jpeg"
    quality: int = 90
    ocr_min_confidence: float = 0.6
    ocr_side_px: int = 2048
    ocr_models: str | None = None
    items_per_unit: int = 16  # reading one takes seconds, and progress is counted in units

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 16 <= self.side_px <= 8192:
            raise ValueError(f"side_px must be between 16 and 8192 pixels, got {self.side_px}")
        if not 1 <= self.max_pixels <= MAX_PIXELS:
            raise ValueError(f"max_pixels must be between 1 and {MAX_PIXELS:,}, got {self.max_pixels:,}")
        if self.grey not in ("png", "none"):
            raise ValueError(f"grey must be png or none, got {self.grey!r}")
        check_encoding(self.format, self.quality)
        self.ocr().check("the images source", "images.ocr_models")

    def ocr(self) -> OcrSettings:
        """Return how pictures are read."""
        return OcrSettings(min_confidence=self.ocr_min_confidence, side_px=self.ocr_side_px, models=self.ocr_models)

    def max_side_px(self) -> int:
        return self.side_px

    def costs(self) -> ReadingCosts:
        return OCR_COSTS

    def fingerprint(self) -> Mapping[str, Any]:
        settings = {name: getattr(self, name) for name in ("side_px", "max_pixels", "grey", "format", "quality")}
        return {"source": self.name, "code": CODE_VERSION, **_versions(), **settings, "ocr": self.ocr().identity()}

    def locator(self, item: int) -> str:
        return f"page={item + 1}"

    def load(self) -> None:
        self.ocr().load()

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        from sources.pictures.picture_file import open_picture
        from sources.pictures.reading import PictureReader

        known = digest or self.digest_of(path)
        reader = PictureReader(
            source=self.name,
            locator=self.locator,
            side_px=self.side_px,
            grey=self.grey,
            format=self.format,
            quality=self.quality,
            ocr=self.ocr(),
        )
        with open_picture(path, self.max_pixels) as pages:
            yield Items(len(pages), lambda item: reader.sample(pages, item, known))


@lru_cache(maxsize=1)
def _versions() -> Mapping[str, str]:
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    with suppress(importlib.metadata.PackageNotFoundError):
        versions["pillow-heif"] = importlib.metadata.version("pillow-heif")
    return versions
