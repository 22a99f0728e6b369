"""Papers: every page with the markup of exactly that page, or figures with their captions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.source import InputError, Items, Source, file_digest
from sources.base.use_cases import CAPTION, TRANSCRIPTION
from sources.optional_dependencies import check_installed
from sources.papers.card import CARD
from sources.pdfs.source import Pdfs

CODE_VERSION = 5  # raise it when the same paper gives other bytes
PACKAGES = {"latex2mathml": "latex2mathml", "rapidfuzz": "rapidfuzz"}
SETTINGS = ("samples", "compile")
PAGE_SETTINGS = ("side_px", "max_dpi", "grey", "format", "quality")
LATEX = (".tex", ".ltx")


@dataclass(frozen=True, kw_only=True)
class Papers(Source):
    """Pages of papers as images with their markup, from LaTeX sources with or without PDFs.

    Args:
        samples: `pages` gives every page with its markup; `captions` gives one sample for each figure with a caption.
        compile: `auto` compiles a paper that has no PDF next to it with pdfLaTeX; `never` makes it an error.
        side_px: long side of a page's image, in pixels, and of a figure's at most.
        max_dpi: maximum resolution of small pages, in pixels per inch.
        grey: `png` encodes pages without colour as lossless grey PNG; `none` treats them like other pages.
        format: `jpeg`, `png` or `webp`, for all other pages.
        quality: 1 to 100, for jpeg and webp.
    """

    name: ClassVar[str] = "papers"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (*LATEX, ".gz", ".tgz", ".zip")
    companion: ClassVar[str] = ".pdf"
    item_noun: ClassVar[str] = "page"
    use_cases: ClassVar[tuple[str, ...]] = (TRANSCRIPTION, CAPTION)

    samples: str = "pages"
    compile: str = "auto"
    side_px: int = 1024
    max_dpi: int = 300
    grey: str = "png"
    format: str = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("papers need", PACKAGES, "papers")
        if self.samples not in ("pages", "captions"):
            raise ValueError(f"samples must be pages or captions, got {self.samples!r}")
        if self.compile not in ("auto", "never"):
            raise ValueError(f"compile must be auto or never, got {self.compile!r}")
        _ = self._pages  # checks the others

    @cached_property
    def _pages(self) -> Pdfs:
        return Pdfs(**{name: getattr(self, name) for name in PAGE_SETTINGS})

    def max_side_px(self) -> int:
        return self.side_px

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            **self._pages.fingerprint(),
            "source": self.name,
            "papers": CODE_VERSION,
            **{name: getattr(self, name) for name in SETTINGS},
        }

    def locator(self, item: int) -> str:
        return f"{'page' if self.samples == 'pages' else 'figure'}={item + 1}"

    def load(self) -> None:
        from sources.papers import samples  # noqa: F401

    def members(self, names: list[str]) -> list[str] | None:
        """An archive without compressed papers in it is one paper; in others PDFs belong to the papers next to them."""
        papers = [name for name in names if name.lower().endswith((".gz", ".tgz", ".zip"))]
        if not papers:
            return None
        stems = {_stem(name) for name in papers}
        return sorted(
            [*papers, *(name for name in names if name.lower().endswith(".pdf") and _stem(name) not in stems)]
        )

    def digest_of(self, path: Path) -> str:
        """Return the digest of a paper, which includes its PDF and, for a .tex, the files that it names."""
        from sources.papers.archive import Folder
        from sources.papers.paper import pdf_beside, used_by

        files = [path]
        if path.suffix.lower() in LATEX:
            files += [path.parent / name for name in used_by(Folder(path.parent), path.name)]
        pdf = pdf_beside(path)
        files += [pdf] if pdf else []
        digests = [file_digest(path)]
        for file in files[1:]:
            try:
                digests.append(file_digest(file))
            except InputError:
                continue
        return digests[0] if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest()

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        # Only readers import the engines and what the extra installs.
        from sources.papers.samples import open_samples

        with open_samples(
            path,
            self._pages,
            source=self.name,
            digest=digest or self.digest_of(path),
            compile=self.compile == "auto",
            captions=self.samples == "captions",
            locator=self.locator,
        ) as items:
            yield items


def _stem(name: str) -> str:
    stem = name.lower()
    for suffix in (".tar.gz", ".tgz", ".gz", ".zip", ".pdf"):
        stem = stem.removesuffix(suffix)
    return stem
