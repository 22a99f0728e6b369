"""PDFs: every page as an image with its text in reading order and its word boxes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sources.base.card import SourceCard
from sources.base.secrets import secret
from sources.base.source import Items, ReadingCosts, Source
from sources.base.use_cases import TRANSCRIPTION
from sources.images.encoding import check_encoding
from sources.paddle_ocr.page import OCR_COSTS, OcrSettings
from sources.pdfs.card import CARD

if TYPE_CHECKING:
    from sources.pdfs.reading import PageReader

PASSWORDS = "VELLUM_PDF_PASSWORDS"  # variable of the environment
CODE_VERSION = 9  # increase it when this package, sources.text or sources.images give other bytes for the same page


@dataclass(frozen=True, kw_only=True)
class Pdfs(Source):
    """Pages of PDF files.

    Args:
        side_px: long side of a page's image, in pixels.
        max_dpi: maximum resolution of small pages, in pixels per inch.
        grey: `png` encodes pages without colour as lossless grey PNG; `none` treats them like other pages.
        format: `jpeg`, `png` or `webp`, for all other pages.
        quality: 1 to 100, for jpeg and webp.
        text: `plain` gives the lines as they are printed; `markdown` gives paragraphs with headings, lists, code and
            tables marked, and the parts of the page as elements.
        ocr: `paddle` has PaddleOCR read the pages whose text layer is missing or unusable; `none` leaves them without
            text.
        ocr_min_confidence: lines that PaddleOCR is less sure of are left out, 0 to 1.
        ocr_side_px: long side at which a page is drawn to be read, in pixels.
        ocr_models: folder with `det/` and `rec/` of PaddleOCR's ONNX packages; None: the models in the rapidocr wheel,
            for Chinese, English, Japanese and other languages in Latin letters.
        passwords: tried in order on encrypted files, after the empty one; `@FILE` names a file with one in each line.
            Those in the environment's VELLUM_PDF_PASSWORDS come after them. Never written to any output.
    """

    name: ClassVar[str] = "pdfs"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    convertible: ClassVar[tuple[str, ...]] = (".docx", ".doc", ".odt", ".rtf", ".pptx", ".ppt", ".odp")
    item_noun: ClassVar[str] = "page"
    use_cases: ClassVar[tuple[str, ...]] = (TRANSCRIPTION,)

    side_px: int = 1024
    max_dpi: int = 300
    grey: str = "png"
    format: str = "jpeg"
    quality: int = 90
    text: str = "plain"
    ocr: str = "none"
    ocr_min_confidence: float = 0.6
    ocr_side_px: int = 2048
    ocr_models: str | None = None
    passwords: tuple[str, ...] = field(default=(), metadata=secret(PASSWORDS))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 16 <= self.side_px <= 8192:
            raise ValueError(f"side_px must be between 16 and 8192 pixels, got {self.side_px}")
        if not 18 <= self.max_dpi <= 1200:
            raise ValueError(f"max_dpi must be between 18 and 1200, got {self.max_dpi}")
        if self.grey not in ("png", "none"):
            raise ValueError(f"grey must be png or none, got {self.grey!r}")
        if self.text not in ("plain", "markdown"):
            raise ValueError(f"text must be plain or markdown, got {self.text!r}")
        check_encoding(self.format, self.quality)
        if self.ocr not in ("none", "paddle"):
            raise ValueError(f"ocr must be none or paddle, got {self.ocr!r}")
        reader = self.reader()
        if reader is not None:
            reader.check("ocr=paddle", "pdfs.ocr_models")

    def reader(self) -> OcrSettings | None:
        """Return how pages without a usable text layer are read; None: they are not."""
        if self.ocr == "none":
            return None
        return OcrSettings(min_confidence=self.ocr_min_confidence, side_px=self.ocr_side_px, models=self.ocr_models)

    def costs(self) -> ReadingCosts:
        return OCR_COSTS if self.ocr == "paddle" else ReadingCosts()

    def max_side_px(self) -> int:
        return self.side_px

    def fingerprint(self) -> Mapping[str, Any]:
        settings = {name: getattr(self, name) for name in ("side_px", "max_dpi", "grey", "format", "quality", "text")}
        reader = self.reader()
        return {
            "source": self.name,
            "code": CODE_VERSION,
            **_versions(),
            **settings,
            **({} if reader is None else {"ocr": reader.identity()}),
        }

    def locator(self, item: int) -> str:
        return f"page={item + 1}"

    def load(self) -> None:
        from sources.pdfs import reading  # noqa: F401

        reader = self.reader()
        if reader is not None:
            reader.load()

    def open(self, path: Path, digest: str | None = None) -> AbstractContextManager[Items]:
        return self.page_reader().open(path, digest or self.digest_of(path))

    def page_reader(self) -> "PageReader":
        """Return what reads the pages of a file with these settings."""
        # Only readers import the engines, which takes 0.2 s.
        from sources.pdfs.page import Resolution
        from sources.pdfs.reading import PageReader

        return PageReader(
            source=self.name,
            use_case=TRANSCRIPTION,
            locator=self.locator,
            resolution=Resolution(side_px=self.side_px, max_dpi=self.max_dpi),
            grey=self.grey,
            format=self.format,
            quality=self.quality,
            text=self.text,
            passwords=self.passwords,
            ocr=self.reader(),
        )


@cache
def _versions() -> Mapping[str, str]:
    """Return the versions of the packages on which the bytes of a page depend."""
    return {name: metadata.version(name) for name in ("pymupdf", "pypdfium2", "pillow", "wordfreq", "zlib-ng")}
