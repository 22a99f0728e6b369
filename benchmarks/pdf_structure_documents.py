"""The marked pages of the benchmark of structure: where their PDFs come from, and their full Markdown."""

import gzip
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pymupdf
import yaml

PAGES = Path(__file__).with_name("pdf_structure_pages")
EXAMPLES = Path(__file__).parents[1] / "sources/pdfs/examples"
ELLIPSIS, JOIN = "⟨…⟩", "⟨+⟩"
TIMEOUT_S = 120  # for one document by a browser or an office suite


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """One page and its Markdown written by hand."""

    name: str
    path: Path
    page: int
    markdown: str


def expanded(markdown: str, text: str) -> str:
    """Replace every `first words ⟨…⟩ last words` by the words between them in a page's text; ⟨+⟩ joins two such pieces.

    Raises:
        ValueError: the words are not found in this order.
    """
    letters = [k for k, letter in enumerate(text) if _is_letter(letter)]
    dense = "".join(text[k] for k in letters)

    def fill(piece: str) -> str:
        if ELLIPSIS not in piece:
            return piece
        first, last = (_dense(end) for end in piece.split(ELLIPSIS))
        start = dense.find(first)
        end = dense.find(last, start + len(first))
        if start < 0 or end < 0:
            raise ValueError(f"not found on the page: {piece!r}")
        inner = text[letters[start] : letters[end + len(last) - 1] + 1]
        return " ".join(re.sub(r"(?<=\w)[-\u00ad]\s*\n\s*(?=[a-z])", "", inner).split())

    lines = []
    for line in markdown.split("\n"):
        mark = re.match(r"^(#+ |\s*- |\d+\. )?", line)
        prefix = mark[0] if mark else ""
        pieces = line[len(prefix) :].split(JOIN)
        lines.append(prefix + " ".join(fill(piece).strip() for piece in pieces) if ELLIPSIS in line else line)
    return "\n".join(lines)


def _is_letter(letter: str) -> bool:
    return not letter.isspace() and letter not in "-\u00ad"


def _dense(text: str) -> str:
    return "".join(filter(_is_letter, text))


def marked_pages(folder: Path, temporary: Path) -> Iterator[MarkedPage]:
    """Yield the marked pages: of packages, of our examples, and our own documents as two programs write them.

    Args:
        folder: where the packages' files are.
        temporary: where unpacked files and our own documents are written.
    Raises:
        ValueError: a document or program is missing, or a marked page does not fit its document.
    """
    documents: Mapping[str, Mapping[str, str]] = yaml.safe_load((PAGES / "documents.yaml").read_text())
    for marking in sorted(PAGES.glob("*.md")):
        name, _, number = marking.stem.rpartition("-")
        yield _page(marking, _document(name, documents[name], folder, temporary), int(number))
    for marking in sorted((PAGES / "examples").glob("*.md")):
        name, _, number = marking.stem.rpartition("-")
        yield _page(marking, EXAMPLES / f"{name}.pdf", int(number))
    for marking in sorted((PAGES / "own").glob("*.md")):
        for made in (_by_chromium, _by_libreoffice):
            page = _page(marking, made(marking.with_suffix(".html"), temporary), 1)
            yield MarkedPage(page.path.stem, page.path, 1, page.markdown)


def _page(marking: Path, document: Path, number: int) -> MarkedPage:
    with pymupdf.open(document) as opened:
        text = opened[number - 1].get_text(flags=pymupdf.TEXT_MEDIABOX_CLIP)
    try:
        return MarkedPage(marking.stem, document, number, expanded(marking.read_text(), text))
    except ValueError as error:
        raise ValueError(f"{marking.name}: {error}") from error


def _by_chromium(html: Path, folder: Path) -> Path:
    found = folder / f"chromium-{html.stem}.pdf"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={found}")
    return _made(found, _program("chromium", "chromium-browser", "google-chrome"), *options, str(html))


def _by_libreoffice(html: Path, folder: Path) -> Path:
    found = folder / f"libreoffice-{html.stem}.pdf"
    options = ("--headless", "--infilter=HTML (StarWriter)", "--convert-to", "pdf:writer_web_pdf_Export", "--outdir")
    written = _made(folder / f"{html.stem}.pdf", _program("soffice", "libreoffice"), *options, str(folder), str(html))
    return written.rename(found)


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise ValueError(f"{names[0]} is needed for our own documents and is not installed")


def _made(found: Path, *command: str) -> Path:
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
    if not found.exists():
        raise ValueError(f"{command[0]} wrote no {found.name}")
    return found


def _document(name: str, entry: Mapping[str, str], folder: Path, temporary: Path) -> Path:
    for path in sorted(folder.rglob(Path(entry["file"]).name)):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() == entry["sha256"]:
            if path.suffix != ".gz":
                return path
            unpacked = temporary / f"{name}.pdf"
            unpacked.write_bytes(gzip.decompress(data))
            return unpacked
    raise ValueError(f"{entry['file']} of package {entry['package']} is not in {folder}")
