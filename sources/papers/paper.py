"""A paper: its files, the main one of them, and its PDF."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sources.base.source import InputError
from sources.papers.archive import MAX_FILE_BYTES, Members, MissingFile, PaperFiles, open_files
from sources.papers.blocks import Content
from sources.papers.compilation import compile_pdf
from sources.papers.content import read_content
from sources.papers.tokens import decode

SUFFIXES = (".tex", ".ltx", ".tar.gz", ".tgz", ".gz", ".zip")  # the longest first where one ends in another
_CLASS = re.compile(r"^[^%\n]*\\document(?:class|style)\b", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_USED = re.compile(
    r"\\(?:input|include|subfile|import|bibliography|usepackage|includegraphics)\*?(?:\[[^\]]*\])?\s*\{([^{}]*)\}"
)
_STANDALONE = re.compile(r"\\documentclass\s*(?:\[[^\]]*\])?\s*\{\s*(?:standalone|subfiles)\s*\}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper.

    Args:
        main: name of its main file.
        pdf: its PDF.
        flags: facts about it: `compiled`.
    """

    files: PaperFiles
    main: str
    pdf: Path
    flags: Sequence[str] = ()

    def content(self) -> Content:
        """Return its content. Raises InputError."""
        return read_content(self.files, self.main)


@contextmanager
def open_paper(path: Path, *, compile: bool) -> Iterator[Paper | None]:
    r"""Open a paper; None for a .tex that is a part of another one next to it.

    Args:
        compile: a missing PDF is compiled.
    Raises:
        InputError: it has no LaTeX source, no PDF, or cannot be read.
    """
    with ExitStack() as stack:
        files, own = stack.enter_context(open_files(path))
        if own is not None and not is_document(files, own):
            if isinstance(files.names(), tuple) and is_part(path):
                yield None
                return
            raise InputError("not_latex", "the file is no LaTeX document: it has no \\documentclass")
        main = own or main_of(files)
        beside = pdf_beside(path)
        if beside is not None:
            yield Paper(files, main, beside)
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vellum-")))
        within = f"{main.rpartition('.')[0]}.pdf"
        if isinstance(files, Members) and files.has(within):
            pdf = folder / "paper.pdf"
            try:
                pdf.write_bytes(files.read(within, MAX_FILE_BYTES))
            except MissingFile as error:
                raise InputError("damaged", str(error)) from error
            yield Paper(files, main, pdf)
            return
        if not compile:
            raise InputError("no_pdf", "the paper has no PDF next to it, and compile=never")
        yield Paper(files, main, compile_pdf(files, main, folder, used_by(files, main)), ("compiled",))


def pdf_beside(path: Path) -> Path | None:
    """Return the PDF of the same name next to a paper; None if there is none."""
    name = path.name
    suffix = next((suffix for suffix in (*SUFFIXES, ".tar") if name.lower().endswith(suffix)), "")
    found = path.with_name(f"{name[: len(name) - len(suffix)]}.pdf")
    return found if found.is_file() and found != path else None


def is_document(files: PaperFiles, name: str) -> bool:
    r"""Return True if a file has \documentclass."""
    try:
        return bool(_CLASS.search(decode(files.read(name))))
    except MissingFile as error:
        raise InputError("too_large", str(error)) from error


def main_of(files: PaperFiles) -> str:
    r"""Return the main file of an archive: one with \documentclass that no other reads, the usual name first."""
    texts: dict[str, str] = {}
    for name in files.names():
        if name.lower().endswith((".tex", ".ltx")):
            try:
                texts[name] = decode(files.read(name))
            except MissingFile:
                continue
    documents = [name for name, text in texts.items() if _CLASS.search(text)]
    if not documents:
        if not texts:
            raise InputError("no_source", "the archive holds no .tex file")
        raise InputError("not_latex", "no file of the archive is a LaTeX document: none has \\documentclass")
    read = {
        used.strip().removesuffix(".tex") for text in texts.values() for used in _USED.findall(_COMMENT.sub("", text))
    }

    def order(name: str) -> tuple[bool, bool, bool, bool, int, str]:
        stem = name.rpartition(".")[0]
        return (
            stem in read,
            bool(_STANDALONE.search(texts[name])),
            not (files.has(f"{stem}.bbl") or files.has(f"{stem}.pdf")),
            stem.rpartition("/")[2].lower() not in ("main", "ms", "paper", "article", "manuscript"),
            name.count("/"),
            name,
        )

    return min(documents, key=order)


def is_part(path: Path) -> bool:
    r"""Return True if a LaTeX document next to a .tex, or in the folder above, reads it with \input or \include."""
    for folder, name in ((path.parent, path.stem), (path.parent.parent, f"{path.parent.name}/{path.stem}")):
        for other in sorted(folder.glob("*.tex"))[:200]:
            if other == path:
                continue
            try:
                with other.open("rb") as file:
                    text = _COMMENT.sub("", decode(file.read(2_000_000)))
            except OSError:
                continue
            used = {each.strip().removeprefix("./").removesuffix(".tex") for each in _USED.findall(text)}
            if name in used:
                return True
    return False


def used_by(files: PaperFiles, main: str, depth: int = 0) -> tuple[str, ...]:
    """Return the files of a folder that a file names and the folder has, those that they name included."""
    try:
        text = _COMMENT.sub("", decode(files.read(main)))
    except MissingFile:
        return ()
    found: dict[str, None] = {}
    stem = main.rpartition(".")[0]
    for given in [stem, *(part for each in _USED.findall(text) for part in each.split(","))]:
        for suffix in ("", ".tex", ".sty", ".bbl", ".pdf", ".png", ".jpg", ".cls"):
            name = given.strip() + suffix
            if name != main and name not in found and files.has(name) and name != f"{stem}.pdf":
                found[name] = None
                if suffix in ("", ".tex") and name.endswith(".tex") and depth < 10:
                    found |= dict.fromkeys(used_by(files, name, depth + 1))
    return tuple(found)
