"""Make the bundled example PDFs: `python examples/make.py`, from the folder that contains `examples/`.

Needs chromium, LibreOffice, groff and the fonts named in `README.md`. Dates differ in each run, so the bytes do too.
"""

import random
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pymupdf
from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent
DOCUMENTS, PDFS = HERE / "documents", HERE.parent / "sources" / "pdfs" / "examples"
BOOKS = HERE.parent / "sources" / "books" / "examples"
PICTURES = HERE.parent / "sources" / "pictures" / "examples"
SCAN_DPI = 120


def main() -> None:
    PDFS.mkdir(exist_ok=True)
    typeset("reading-a-page")
    for name in ("judging-pages", "页面数据", "arabic", "slides"):
        print_from_browser(name)
    export_from_office("producers")
    fill_form("form.pdf")
    scan(PDFS / "reading-a-page.pdf", "scan.pdf", angle=0.4, ocr_layer=False)
    scan(PDFS / "judging-pages.pdf", "scan-with-ocr.pdf", angle=0, ocr_layer=True)
    shutil.copyfile(PDFS / "reading-a-page.pdf", PDFS / "copy-of-reading-a-page.pdf")
    encrypt(PDFS / "reading-a-page.pdf", "encrypted.pdf")
    picture_files()
    pack_book("measuring")
    shutil.copyfile(DOCUMENTS / "测量.html", BOOKS / "测量.html")
    (PDFS / "truncated.pdf").write_bytes((PDFS / "judging-pages.pdf").read_bytes()[:700])
    for path in sorted(PDFS.iterdir()):
        print(f"{path.stat().st_size:>8,} bytes  {path.name}")


def pack_book(name: str) -> None:
    """Pack a folder of chapters and figures as an EPUB."""
    container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles><rootfile '
    container += 'full-path="package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    BOOKS.mkdir(exist_ok=True)
    with zipfile.ZipFile(BOOKS / f"{name}.epub", "w") as archive:
        members = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode()}
        members |= {path.name: path.read_bytes() for path in sorted((DOCUMENTS / name).iterdir())}
        for member, content in members.items():
            compression = zipfile.ZIP_STORED if member == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(member), content, compression)


def typeset(name: str) -> None:
    """Convert `-ms` source to PDF with groff."""
    command = ["groff", "-Tpdf", "-ms", "-K", "utf8", "-P-pa4", str(DOCUMENTS / f"{name}.ms")]
    done = subprocess.run(command, check=True, capture_output=True)
    (PDFS / f"{name}.pdf").write_bytes(done.stdout)


def print_from_browser(name: str) -> None:
    """Convert HTML to PDF with Chromium."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={profile}", f"--print-to-pdf={PDFS / name}.pdf"]
        command += [(DOCUMENTS / f"{name}.html").absolute().as_uri()]
        subprocess.run(command, check=True, capture_output=True)


def export_from_office(name: str) -> None:
    """Convert HTML to PDF with LibreOffice Writer."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["soffice", f"-env:UserInstallation={Path(profile).as_uri()}", "--headless"]
        command += ["--infilter=HTML (StarWriter)", "--convert-to", "pdf:writer_pdf_Export"]
        command += ["--outdir", str(PDFS), str(DOCUMENTS / f"{name}.html")]
        subprocess.run(command, check=True, capture_output=True)


def fill_form(name: str) -> None:
    """Make a form with filled fields, ticked boxes, a note and a highlight."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 80), "Record of a data set", fontsize=20)
    page.insert_text(
        (60, 108), "One sheet for each collection of pages, filled in by whoever publishes it.", fontsize=11
    )
    rows = [
        ("Title", "Example documents"),
        ("Languages", "English, Chinese, Arabic"),
        ("Pages", "thirteen"),
        ("Licence", "CC0-1.0"),
        ("Made with", "a browser, groff, LibreOffice and PyMuPDF"),
    ]
    for k, (label, value) in enumerate(rows):
        top = 140 + 36 * k
        page.insert_text((60, top + 15), label, fontsize=11)
        field = pymupdf.Widget()
        field.field_name, field.field_value, field.field_type = label, value, pymupdf.PDF_WIDGET_TYPE_TEXT
        field.rect, field.text_fontsize = pymupdf.Rect(160, top, 500, top + 22), 11
        field.border_width, field.border_color = 0.5, (0.4, 0.4, 0.4)
        page.add_widget(field)
    for k, (label, ticked) in enumerate(
        [("contains no personal data", True), ("may be sold", True), ("is complete", False)]
    ):
        box = pymupdf.Widget()
        box.field_name, box.field_value, box.field_type = label, ticked, pymupdf.PDF_WIDGET_TYPE_CHECKBOX
        box.rect = pymupdf.Rect(60, 340 + 28 * k, 74, 354 + 28 * k)
        box.border_width, box.border_color = 0.5, (0.4, 0.4, 0.4)
        page.add_widget(box)
        page.insert_text((84, 352 + 28 * k), f"The collection {label}.", fontsize=11)
    page.add_highlight_annot(pymupdf.Rect(60, 62, 262, 86))
    note = "Note: the number of pages counts the blank one, and the copy only once."
    page.add_freetext_annot(pymupdf.Rect(60, 450, 500, 480), note, fontsize=11, text_color=(0.6, 0.1, 0.1))
    document.save(PDFS / name, garbage=4, deflate=True)


def scan(source: Path, name: str, *, angle: float, ocr_layer: bool) -> None:
    """Make a PDF of the first page of `source` as scanned: one grey picture, slightly rotated, speckled and blurred.

    Args:
        angle: rotation in degrees.
        ocr_layer: write the words invisibly over the picture, as OCR programs do.
    """
    page = pymupdf.open(source)[0]
    pixmap = page.get_pixmap(dpi=SCAN_DPI, colorspace=pymupdf.csGRAY)
    picture = Image.frombytes("L", (pixmap.width, pixmap.height), pixmap.samples)
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.5))
    picture = picture.point(lambda grey: 25 + grey * 220 // 255)
    pixels, speckles = picture.load(), random.Random(name)
    for _ in range(picture.width * picture.height // 900):
        pixels[speckles.randrange(picture.width), speckles.randrange(picture.height)] = speckles.randrange(90, 200)
    with tempfile.TemporaryDirectory() as folder:
        jpeg = Path(folder) / "scan.jpg"
        picture.save(jpeg, quality=45)
        document = pymupdf.open()
        copy = document.new_page(width=page.rect.width, height=page.rect.height)
        copy.insert_image(copy.rect, filename=jpeg)
    if ocr_layer:
        for x0, y0, x1, y1, word, *_ in page.get_text("words"):
            size = 0.8 * (y1 - y0)
            stretch = (x1 - x0) / max(1e-3, pymupdf.get_text_length(word, fontsize=size))
            anchor = pymupdf.Point(x0, y1 - 0.25 * (y1 - y0))
            copy.insert_text(anchor, word, fontsize=size, render_mode=3, morph=(anchor, pymupdf.Matrix(stretch, 1)))
    document.save(PDFS / name, garbage=4, deflate=True)


def picture_files() -> None:
    """Make files of pictures: a scan of two pages, one that lies on its side, one without text, and a broken one."""
    PICTURES.mkdir(exist_ok=True)
    pages = [drawn("slides.pdf", number, 120).convert("1", dither=Image.Dither.NONE) for number in (1, 2)]
    pages[0].save(PICTURES / "slides.tif", save_all=True, append_images=pages[1:], compression="group4", dpi=(120, 120))
    side = drawn("页面数据.pdf", 0, 110).convert("L").crop((0, 0, 909, 900)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown with a quarter turn to the right
    side.save(PICTURES / "页面.jpg", quality=60, exif=exif)
    shapes = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(shapes).polygon([(40, 200), (160, 30), (280, 200), (160, 160)], fill="teal")
    shapes.save(PICTURES / "arrow.png")
    (PICTURES / "truncated.jpg").write_bytes((PICTURES / "页面.jpg").read_bytes()[:4000])


def drawn(name: str, page: int, dpi: int) -> Image.Image:
    """Draw a page of an example PDF."""
    pixmap = pymupdf.open(PDFS / name)[page].get_pixmap(dpi=dpi)
    return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def encrypt(source: Path, name: str) -> None:
    """Encrypt a PDF with the password `pages`; to read it, set VELLUM_PDF_PASSWORDS=pages."""
    document = pymupdf.open(source)
    document.save(PDFS / name, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="pages", owner_pw="owner of the pages")


if __name__ == "__main__":
    main()
