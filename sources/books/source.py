"""Books: EPUB, PDF and HTML as text with their figures, as figures with captions, or laid out on pages."""

import importlib.metadata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.source import InputError, Items, ReadingCosts, Source, file_digest
from sources.base.use_cases import CAPTION, TRANSCRIPTION
from sources.books.card import CARD
from sources.optional_dependencies import check_installed

CODE_VERSION = 3  # raise it when the same book gives other bytes
PACKAGES = {"lxml": "lxml", "resvg_py": "resvg-py"}
CORE = ("pillow", "pymupdf", "pypdfium2", "wordfreq", "zlib-ng")
SETTINGS = ("samples", "max_tokens", "max_images", "mentions", "side_px", "min_side_px", "quality")
LOCATORS = {"sections": "section", "captions": "figure", "pages": "page"}  # of each kind of samples
PAGE_PACKAGES = {"fontTools": "fonttools", "matplotlib": "matplotlib"}
SMALLEST_PAGE_PX = 512
PAGES_VERSION = 1  # raise it when the same book gives other pages
HTML = (".html", ".htm", ".xhtml")
MIN_SIDE_PX, MAX_SIDE_PX = 16, 8192


@dataclass(frozen=True, kw_only=True)
class Books(Source):
    """Sections of books with their figures, the figures with their captions, or pages that the books are laid out on.

    Args:
        samples: `sections` gives text with `<image>` in place of each figure; `captions` gives one sample
            for each figure that has a caption; `pages` lays the book out on pages, with the box of every word.
        text: of `pages`: `plain`, or `markdown` with headings, lists and tables.
        max_tokens: greatest number of tokens in a section; text is estimated, an image has 576.
        max_images: greatest number of images in a section.
        mentions: paragraphs that mention a figure, after its caption.
        side_px: long side of an image at most, and of drawings (SVG) and pages, in pixels.
        min_side_px: a picture whose long side is shorter is an icon.
        quality: 1 to 100, of photographs, which are encoded as JPEG; other figures are PNG.
    """

    name: ClassVar[str] = "books"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (".epub", ".pdf", *HTML)
    use_cases: ClassVar[tuple[str, ...]] = (TRANSCRIPTION, CAPTION)
    item_noun: ClassVar[str] = "section"

    samples: str = "sections"
    max_tokens: int = 3072
    max_images: int = 4
    mentions: int = 0
    side_px: int = 1024
    min_side_px: int = 64
    quality: int = 90
    text: str = "plain"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("books need", PACKAGES, "books")
        if self.samples not in LOCATORS:
            raise ValueError(f"samples must be {', '.join(LOCATORS)}, got {self.samples!r}")
        if self.samples == "pages":
            check_installed("pages of books need", PAGE_PACKAGES, "ocr")
            if self.side_px < SMALLEST_PAGE_PX:
                raise ValueError(f"side_px must be at least {SMALLEST_PAGE_PX} for pages, got {self.side_px}")
        if self.text not in ("plain", "markdown"):
            raise ValueError(f"text must be plain or markdown, got {self.text!r}")
        if not 64 <= self.max_tokens <= 1_000_000:
            raise ValueError(f"max_tokens must be between 64 and 1,000,000, got {self.max_tokens}")
        if not 1 <= self.max_images <= 1000:
            raise ValueError(f"max_images must be between 1 and 1,000, got {self.max_images}")
        if not 0 <= self.mentions <= 10:
            raise ValueError(f"mentions must be between 0 and 10, got {self.mentions}")
        if not MIN_SIDE_PX <= self.side_px <= MAX_SIDE_PX:
            raise ValueError(f"side_px must be between {MIN_SIDE_PX} and {MAX_SIDE_PX} pixels, got {self.side_px}")
        if not 1 <= self.min_side_px <= self.side_px:
            raise ValueError(f"min_side_px must be between 1 and side_px, got {self.min_side_px}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality must be between 1 and 100, got {self.quality}")

    def max_side_px(self) -> int:
        return self.side_px

    def costs(self) -> ReadingCosts:
        """All pages of a PDF are read before the first section is known: 40 ms each."""
        return ReadingCosts(item_s=240)

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": self.name,
            "code": CODE_VERSION,
            **_versions(),
            **{name: getattr(self, name) for name in SETTINGS},
            **(_of_pages(self.text) if self.samples == "pages" else {}),
        }

    def locator(self, item: int) -> str:
        return f"{LOCATORS[self.samples]}={item + 1}"

    def digest_of(self, path: Path) -> str:
        """Return the digest of a file; an HTML book's includes the pictures next to it."""
        digest = file_digest(path)
        if path.suffix.lower() not in HTML:
            return digest
        from sources.books.book import figure_names

        try:
            names = figure_names(path)
        except InputError:
            return digest
        return sha256("".join((digest, *map(file_digest, names))).encode()).hexdigest() if names else digest

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        # This import needs the packages of an extra.
        from sources.books.samples import Wanted, open_samples

        wanted = Wanted(source=self.name, **{name: getattr(self, name) for name in SETTINGS}, text=self.text)
        with open_samples(path, wanted, digest or self.digest_of(path), self.locator) as items:
            yield items


@lru_cache(maxsize=1)
def _versions() -> Mapping[str, str]:
    return {package: importlib.metadata.version(package) for package in (*PACKAGES.values(), *CORE)}


@lru_cache(maxsize=4)
def _of_pages(text: str) -> Mapping[str, Any]:
    """Return what the pixels and texts of pages depend on in addition."""
    from sources.text.fonts import fonts_digest, installed_for
    from sources.text.languages import LANGUAGES

    fonts = sorted({font for name in LANGUAGES for font in installed_for(name)}, key=lambda f: (f.path, f.index))
    versions = {name: importlib.metadata.version(name) for name in (*PAGE_PACKAGES.values(), "pymupdf", "numpy")}
    return {"pages": PAGES_VERSION, "text": text, "fonts": fonts_digest(fonts), **versions}
