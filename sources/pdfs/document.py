"""Opening a PDF with the engine that can, or naming the cause why none can."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pymupdf
import pypdfium2
import pypdfium2.raw as pdfium_c

from sources.base.source import InputError, unreadable_file

ENCRYPTED = "the PDF asks for a password; set VELLUM_PDF_PASSWORDS, or give --set passwords=@FILE"
PERMITTED = 0b111100  # to print, modify, copy and annotate: bits 3 to 6 of the permissions (ISO 32000-1, table 22)
# The only page of a dynamic form says this until a viewer has built the real ones: English, German, French, Spanish,
# Italian, Portuguese, Japanese, Chinese.
FORM_NOTICES = (
    "please wait", "bitte warten", "veuillez patienter", "espere", "attendere", "aguarde", "お待ちください", "请稍候",
)  # fmt: skip
NOTICE_CHARS = 200  # the notice is at the beginning of the page


class _MupdfDocument(pymupdf.Document):
    """A document without its outline: reading a table of contents takes up to 30 ms, and no page needs it."""

    def __init__(self, path: Path) -> None:
        pymupdf.Document.__init__(self, path, filetype="pdf")

    def _loadOutline(self) -> None:
        return None


@dataclass
class Document:
    """An open file.

    Args:
        mupdf: the document in the first engine; None if it cannot open the file.
        password: the one that opens the file, None if there is none.
        flags: facts that hold for all pages: `repaired`, `owner_restricted`.
        form: how an XFA form has its pages: `dynamic` if a viewer has to build them, `maybe` if the page's text must
            tell, None for all other files.
    """

    path: Path
    num_pages: int
    mupdf: pymupdf.Document | None
    password: str | None = None
    flags: tuple[str, ...] = ()
    form: Literal["dynamic", "maybe"] | None = None
    _pdfium: pypdfium2.PdfDocument | None = field(default=None, repr=False)

    def pdfium(self) -> pypdfium2.PdfDocument:
        """Return the document in the second engine, opened when it is first needed. Raises PdfiumError."""
        if self._pdfium is None:
            self._pdfium = pypdfium2.PdfDocument(self.path, password=self.password)
            self._pdfium.init_forms()
        return self._pdfium

    def close(self) -> None:
        if self.mupdf is not None:
            self.mupdf.close()
        if self._pdfium is not None:
            self._pdfium.close()


@contextmanager
def open_document(path: Path, passwords: Sequence[str]) -> Iterator[Document]:
    """Open a file for as long as its pages are read.

    Args:
        passwords: tried in order on encrypted files, after the empty one.
    Raises:
        InputError: no engine can open the file, or it has no pages.
    """
    _check_header(path)
    try:
        document = _open_mupdf(path, passwords)
    except InputError as error:
        if error.cause == "encrypted":
            raise
        document = _open_pdfium(path, passwords, error)
    try:
        size = path.stat().st_size
        if document.num_pages > size:  # a page takes more than a byte: the count is forged
            message = f"the file says it has {document.num_pages} pages but is only {size} bytes long"
            raise InputError("damaged", message)
        yield document
    finally:
        document.close()
        pymupdf.TOOLS.store_shrink(100)


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise unreadable_file(error) from error
    if not head:
        raise InputError("empty_file", "the file is empty (0 bytes)")
    if b"%PDF-" not in head:
        raise InputError("not_a_pdf", f"no PDF header in the first 1,024 bytes; the file begins with {head[:8]!r}")


def _open_mupdf(path: Path, passwords: Sequence[str]) -> Document:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document: pymupdf.Document = _MupdfDocument(path)
    except Exception as error:  # the library raises many types, also built-in ones
        # MuPDF's message has the file's name, which for remote inputs is temporary and differs between runs.
        reason = str(error).replace(f"file '{path}'", "the file")
        raise InputError("damaged", f"the PDF cannot be opened: {reason}") from error
    try:
        password = None
        if document.needs_pass:
            password = next((word for word in ("", *passwords) if document.authenticate(word)), None)
            if password is None:
                raise InputError("encrypted", ENCRYPTED)
        num_pages = len(document)
        if num_pages == 0:
            raise InputError("no_pages", "the PDF has no page that can be found")
        return Document(
            path=path,
            num_pages=num_pages,
            mupdf=document,
            password=password or None,
            flags=_flags(document),
            form=_form(document),
        )
    except InputError:
        document.close()
        raise
    except Exception as error:  # a forged number of pages, a broken catalogue
        document.close()
        raise InputError("damaged", f"the PDF's pages cannot be counted: {error}") from error


def _open_pdfium(path: Path, passwords: Sequence[str], first_error: InputError) -> Document:
    """Open a file that the first engine cannot open. Raises its error, or a more truthful one."""
    for password in (None, *passwords):
        try:
            found = pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
                continue
            if error.err_code == pdfium_c.FPDF_ERR_SECURITY:
                message = "the PDF is encrypted in a way that needs more than a password, such as a certificate"
                raise InputError("unsupported_encryption", message) from error
            raise first_error from error
        if len(found) == 0:
            found.close()
            raise first_error
        found.init_forms()
        document = Document(path=path, num_pages=len(found), mupdf=None, password=password, flags=("repaired",))
        document._pdfium = found
        return document
    raise InputError("encrypted", ENCRYPTED) from first_error


def _flags(document: pymupdf.Document) -> tuple[str, ...]:
    flags = []
    if document.is_repaired:
        flags.append("repaired")
    if document.permissions & PERMITTED != PERMITTED:
        flags.append("owner_restricted")
    return tuple(flags)


def _form(document: pymupdf.Document) -> Literal["dynamic", "maybe"] | None:
    catalog = document.pdf_catalog()
    if document.xref_get_key(catalog, "AcroForm/XFA")[0] == "null":
        return None
    if document.xref_get_key(catalog, "NeedsRendering") == ("bool", "true"):
        return "dynamic"
    return "maybe" if document.page_count == 1 else None


def is_form_notice(text: str) -> bool:
    """Return True if the text of a form's page begins with the notice that the form is still to be built."""
    beginning = text[:NOTICE_CHARS].lower()
    return any(notice in beginning for notice in FORM_NOTICES)
