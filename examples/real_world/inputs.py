"""Files of unpacked packages, sorted by what they are read as, and decompressed."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SUFFIXES = {"pdfs": ".pdf", "books": ".epub", "notebooks": ".ipynb"}
_DOCUMENT_CLASS = re.compile(rb"\\document(class|style)\b")
_MANUAL = re.compile(r"(?P<name>.+)\.(?P<section>[1-9])[a-z]*\.gz")
MANUALS = 400  # of each package, for a text of each language and not ten of one


def sort_files(kind: str, unpacked: Sequence[Path], folder: Path) -> int:
    """Copy the files of one kind into `folder/PACKAGE/`, each content once, in the order of their names.

    Returns:
        Number of files.
    """
    seen: set[bytes] = set()
    count = 0
    for package in unpacked:
        for path in _with_suffix(package, SUFFIXES[kind]):
            data = _read(path)
            digest = hashlib.sha256(data).digest()
            if digest in seen:
                continue
            seen.add(digest)
            target = folder / package.name / _flat(path, package)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            count += 1
    return count


def sort_papers(unpacked: Sequence[Path], folder: Path) -> int:
    """Copy LaTeX documents that have a PDF of the same name, each with the whole folder that it may read from.

    Returns:
        Number of documents.
    """
    count = 0
    for package in unpacked:
        for path in _with_suffix(package, ".tex"):
            pdf = _beside(path, ".pdf")
            if pdf is None or not _DOCUMENT_CLASS.search(_read(path)):
                continue
            target = folder / package.name / path.parent.relative_to(package).as_posix().replace("/", "_")
            target.mkdir(parents=True, exist_ok=True)
            for each in (path, pdf, *_inputs(path)):
                name = each.name.removesuffix(".gz")
                if not (target / name).exists():
                    (target / name).write_bytes(_read(each))
            count += 1
    return count


def _inputs(path: Path) -> Iterator[Path]:
    """Yield the files next to a LaTeX document that have no document class: what it may read."""
    for suffix in (".tex", ".sty", ".bbl"):
        for each in _with_suffix(path.parent, suffix):
            if each.parent == path.parent and (suffix != ".tex" or not _DOCUMENT_CLASS.search(_read(each))):
                yield each


def write_manuals(unpacked: Sequence[Path], folder: Path, workers: int) -> int:
    """Typeset manual pages as plain text, one JSONL file for each package.

    Returns:
        Number of manual pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for package in unpacked:
        pages = sorted(
            path for path in package.rglob("*.gz") if "/man/" in path.as_posix() and _MANUAL.fullmatch(path.name)
        )
        step = max(1, len(pages) // MANUALS)
        with (
            ThreadPoolExecutor(workers) as pool,
            (folder / f"{package.name}.jsonl").open("w", encoding="utf-8") as file,
        ):
            for path, text in zip(pages[::step], pool.map(typeset, pages[::step]), strict=True):
                if text:
                    row = {"text": text, "url": f"man:{path.relative_to(package).as_posix()}"}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    count += 1
    return count


def typeset(path: Path) -> str:
    """Return a gzipped manual page as plain text, a line for each paragraph; empty if it only names another page.

    Lines without a limit need no hyphens and no wider spaces. The running head and foot are left out.
    """
    source = _read(path)
    if source.lstrip().startswith(b".so "):
        return ""
    command = ["groff", "-k", "-t", "-mandoc", "-Tutf8", "-rLL=9999n", "-P-c", "-P-b", "-P-o", "-P-u"]
    found = subprocess.run(command, input=source, capture_output=True, check=False)
    text = "\n".join(found.stdout.decode("utf-8", "replace").strip().split("\n")[1:-1])
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def copy_sites(unpacked: Sequence[Path], folder: Path) -> list[str]:
    """Copy the HTML folders of packages into one folder to serve, and return the paths of their first pages."""
    starts = []
    for package in unpacked:
        pages = _with_suffix(package, "index.html")
        tops = [
            path.parent
            for path in pages
            if not any(other in path.parent.parents for other in (p.parent for p in pages))
        ]
        for number, top in enumerate(tops):
            name = f"{package.name}-{number}"
            if not (folder / name).exists():
                shutil.copytree(top, folder / name, ignore_dangling_symlinks=True)
                _decompress(folder / name)
            starts.append(f"{name}/index.html")
    return starts


def _decompress(folder: Path) -> None:
    for path in sorted(folder.rglob("*.html.gz")):
        path.with_suffix("").write_bytes(_read(path))
        path.unlink()


def _with_suffix(folder: Path, suffix: str) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.name.endswith((suffix, f"{suffix}.gz")))
    return sorted(path for path in found if path.is_file())  # links to files that are not there are none


def _beside(path: Path, suffix: str) -> Path | None:
    stem = path.name.removesuffix(".gz").removesuffix(".tex")
    candidates = (path.with_name(f"{stem}{suffix}"), path.with_name(f"{stem}{suffix}.gz"))
    return next((each for each in candidates if each.is_file()), None)


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" and path.suffix == ".gz" else data


def _flat(path: Path, package: Path) -> str:
    return "_".join(path.relative_to(package).parts[-3:]).removesuffix(".gz")
