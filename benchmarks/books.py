"""Books: speed against a bare parser, the text kept, and the captions of figures against marks made by hand.

python -m benchmarks.books FOLDER [--rounds 5]
python -m benchmarks.books --pdfs COLLECTIONS

FOLDER holds EPUB files; the marks (book_captions.yaml) are of the IDPF's collection of samples
(https://github.com/IDPF/epub3-samples), each packed as `<name>.epub`. The bare loop opens each archive, parses every
document of the spine with lxml, collects its text, draws every SVG with resvg, and decodes, scales and encodes every
picture that its documents show. The text of a book is compared with the text of its documents, as a bag of words and in
its order. COLLECTIONS holds the PDFs of book_captions_pdf.yaml, anywhere below it; their captions are compared with the
marks.
"""

import argparse
import contextlib
import difflib
import io
import posixpath
import re
import statistics
import time
import zipfile
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import resvg_py
import yaml
from lxml import etree
from PIL import Image

from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.source import ItemError, file_digest
from sources.books.source import Books

MARKS = Path(__file__).with_name("book_captions.yaml")
PDF_MARKS = Path(__file__).with_name("book_captions_pdf.yaml")
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
NO_TEXT = ("script", "style", "head", "rt", "rp", "nav", "math", "svg")
SIDE_PX = 1024
MAX_WORDS = 20_000  # of a book whose order is compared


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.books", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pdfs", type=Path, help="compare the captions of PDFs only")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.pdfs:
        compare_pdf_captions(args.pdfs)
        return
    if args.folder is None:
        parser.error("a folder of EPUB files, or --pdfs, is needed")
    books = sorted(args.folder.glob("*.epub"))
    compare_speed(books, args.rounds)
    compare_texts(books)
    compare_captions(args.folder)


def ours(path: Path) -> list[str]:
    """Return the texts of a book's samples."""
    texts = []
    with Books().open(path) as items:
        for item in range(len(items)):
            try:
                texts.append(items[item].text or "")
            except ItemError:
                continue
    return texts


def bare(path: Path) -> str:
    """Return the text of a book's documents, and decode their pictures."""
    texts = []
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        seen: set[str] = set()
        for name in _spine(archive):
            if name.endswith("svg"):
                _draw(archive.read(name).decode())
            if name not in names or not name.endswith(("html", "htm")):
                continue
            root = etree.fromstring(archive.read(name), etree.XMLParser(recover=True, resolve_entities=False))
            body = next(root.iter("{*}body"), root)
            for part in list(body.iter("{*}img", "{*}svg")):
                if etree.QName(part).localname == "svg":
                    _draw(etree.tostring(part, encoding="unicode", with_tail=False))
                else:
                    source = posixpath.join(posixpath.dirname(name), unquote(part.get("src", "")))
                    _decode(archive, posixpath.normpath(source), names - seen)
                    seen.add(posixpath.normpath(source))
            texts.append(" ".join(_texts(body)))
    return "\n".join(texts)


def _spine(archive: zipfile.ZipFile) -> list[str]:
    container = etree.fromstring(archive.read("META-INF/container.xml"))
    package = next(container.iter("{*}rootfile")).get("full-path", "")
    root = etree.fromstring(archive.read(package))
    items = {
        item.get("id"): posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(item.get("href", ""))))
        for item in root.iter("{*}item")
        if "nav" not in item.get("properties", "").split()
    }
    return [items[ref.get("idref")] for ref in root.iter("{*}itemref") if ref.get("idref") in items]


def _texts(element: etree._Element) -> list[str]:
    if not isinstance(element.tag, str) or etree.QName(element).localname in NO_TEXT:
        return []
    found = [element.text or ""]
    for child in element:
        found += [*_texts(child), child.tail or ""]
    return found


def _draw(drawing: str) -> None:
    with contextlib.suppress(ValueError):
        resvg_py.svg_to_bytes(svg_string=drawing, width=SIDE_PX, dpi=96)


def _decode(archive: zipfile.ZipFile, name: str, names: set[str]) -> None:
    if name in names and name.endswith("svg"):
        _draw(archive.read(name).decode())
    elif name in names:
        with Image.open(io.BytesIO(archive.read(name))) as image:
            small = image.convert("RGB")
            small.thumbnail((SIDE_PX, SIDE_PX))
            small.save(io.BytesIO(), "JPEG" if image.format == "JPEG" else "PNG", quality=90, compress_level=1)


def compare_speed(books: list[Path], rounds: int) -> None:
    """Print the processor time of both, sides alternating."""
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    num_sections = 0
    for _ in range(rounds):
        for side, read in (("bare", bare), ("ours", ours)):
            start = time.process_time()
            read_all = [read(path) for path in books]
            times[side].append(time.process_time() - start)
            if side == "ours":
                num_sections = sum(map(len, read_all))
    mine, other = (statistics.median(times[side]) for side in ("ours", "bare"))
    print(f"{len(books)} books, {num_sections} sections: {mine:.2f} s, {num_sections / mine:.0f} sections/s;", end=" ")
    print(f"bare loop {other:.2f} s; ratio {other / mine:.2f} (median of {rounds})")


def compare_texts(books: list[Path]) -> None:
    """Print which share of the words of the documents our samples have, and in their order."""
    kept, total, in_order, compared = 0, 0, 0, 0
    for path in books:
        theirs = WORD.findall(bare(path))
        mine = WORD.findall(_prose(path))
        total += len(theirs)
        kept += sum((Counter(theirs) & Counter(mine)).values())
        if theirs:
            first, second = theirs[:MAX_WORDS], mine[:MAX_WORDS]
            matches = difflib.SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
            in_order += sum(match.size for match in matches)
            compared += min(len(first), len(second))
    print(f"text: {kept / total:.4f} of {total:,} words kept; {in_order / compared:.4f} of {compared:,} in order")


def _prose(path: Path) -> str:
    """Return the text of a book's samples without formulas, which the bare loop leaves out, and marks of notes."""
    text = re.sub(r"\[\^\d+\]:?", " ", "\n".join(ours(path)).replace(IMAGE_PLACEHOLDER, " "))
    with zipfile.ZipFile(path) as archive:
        has_formulas = any(b"<math" in archive.read(name) for name in archive.namelist() if name.endswith("html"))
    return re.sub(r"\$\$?[^$]*\$\$?", " ", text) if has_formulas else text


def compare_captions(folder: Path) -> None:
    """Print precision and recall of the links between figures and captions."""
    right = given = wanted = figures = 0
    for book, marks in yaml.safe_load(MARKS.read_text("utf-8")).items():
        found = captions(folder / f"{book}.epub")
        for name, caption in marks.items():
            figures += 1
            mine = found.get(name, "")
            given += bool(mine)
            wanted += caption is not None
            is_right = caption is not None and mine.startswith(caption)
            right += is_right
            if bool(mine) != (caption is not None) or (mine and not is_right):
                print(f"  {book}/{name}: {mine[:60]!r}, marked {caption!r}")
    print(f"captions of {figures} figures: precision {right / given:.3f}, recall {right / wanted:.3f}")


def compare_pdf_captions(folder: Path) -> None:
    """Print precision and recall of the captions that figures of PDFs are given, page by page."""
    right = given = wanted = 0
    for name, pages in yaml.safe_load(PDF_MARKS.read_text("utf-8")).items():
        path = next(folder.rglob(name), None)
        if path is None:
            print(f"  {name} is not there")
            continue
        found: dict[int, list[str]] = {}
        for figure, caption in captions(path).items():
            if caption:
                found.setdefault(int(re.findall(r"\d+", figure)[0]), []).append(caption)
        for page in sorted({*found, *pages}):
            mine, marked = found.get(page, []), pages.get(page, [])
            matched = [mark for mark in marked if any(caption.startswith(mark) for caption in mine)]
            right, given, wanted = right + len(matched), given + len(mine), wanted + len(marked)
            if len(matched) < max(len(marked), len(mine)):
                print(f"  {name} page {page}: {[caption[:40] for caption in mine]}, marked {marked}")
    print(f"captions of {wanted} figures in PDFs: precision {right / given:.3f}, recall {right / wanted:.3f}")


def captions(path: Path) -> dict[str, str]:
    """Return the caption of each figure by the name of its file."""
    from sources.books.book import open_book

    with open_book(path, file_digest(path), 1024) as book:
        figures = [block.figure for block in book.blocks if block.figure is not None]
        return {posixpath.basename(figure.name): figure.caption for figure in figures}


if __name__ == "__main__":
    main()
