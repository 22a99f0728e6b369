"""PDFs for tests: made on demand by real producers, or byte by byte for hostile files.

Every function writes one file into a folder and returns its path. We wrote the texts.
"""

import random
import subprocess
import textwrap
import zlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pymupdf

TIMEOUT_S = 120  # per run of a producer

ENGLISH = """\
A page is more than the words on it. A reader sees a title before a paragraph, a caption under a picture, and a
number in the corner that says where in the book the page belongs. A model that is trained on pages learns the same
habits only if its data keep them: the picture of the page, the words in the order in which a person reads them, and
the place of every word in the picture.

Most pages are made by a handful of programs. A browser prints an article, a typesetting system sets a thesis, an
office suite exports a report, and a scanner copies what was on paper long before any of them existed. Each writes
the same page in its own way. One places every letter by itself, another writes whole lines, a third draws the
letters as small pictures. Whoever collects pages has to read them all, and has to notice when a page cannot be read.

Three questions help to judge a page. Is there anything on it? Blank pages are common, and they teach nothing. Can its
text be trusted? A font without a map to Unicode gives text that looks right on paper and is noise in a file. Has it
been seen before? The same report is published under many names, and a model that sees one page a thousand times
learns that page by heart instead of learning to read.

None of these questions needs a large model. Counting dark pixels finds blank pages, counting strange characters finds
garbled text, and comparing a short fingerprint of the picture finds copies. What they need is care: a rule that is
wrong for one page in a hundred is wrong for a million pages in a collection of a hundred million."""

CHINESE = """\
训练视觉语言模型需要大量的页面数据。每一页都包含图像、文字以及文字在图像中的位置。网页、论文、报告和扫描的书籍各有不同的版式，读者却能很快找到标题、正文和图注。

收集数据的人首先要问三个问题：这一页有没有内容？文字是否可靠？以前是否见过同样的页面？空白的页面没有用处，乱码的文字会误导模型，重复的页面则浪费计算。

一个好的数据集不仅要大，还要干净。我们保留每一个分数和每一个判断，这样以后可以重新调整阈值，而不必再次处理所有的文件。"""

ARABIC = """\
تتعلم النماذج التي تقرأ الصور والنصوص معا من صفحات حقيقية. لكل صفحة صورة ونص، ولكل كلمة مكان في الصورة.

تقرأ هذه اللغة من اليمين إلى اليسار، أما الأرقام مثل 2024 والكلمات مثل PDF فتقرأ من اليسار إلى اليمين."""

HEBREW = """\
מודל שקורא תמונה וטקסט לומד מדפים אמיתיים. לכל דף יש תמונה וטקסט, ולכל מילה יש מקום בתמונה.

השפה הזאת נקראת מימין לשמאל, אבל מספרים כמו 2024 ומילים כמו PDF נקראים משמאל לימין."""


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of one of the texts above, each as one line."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


# Real producers


def chromium(folder: Path, name: str, html: str) -> Path:
    """Print HTML with a browser; page size and margins come from the HTML's @page rule."""
    source, target = folder / f"{name}.html", folder / f"{name}.pdf"
    source.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
    profile = folder / f"{name}-profile"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [
        f"--user-data-dir={profile}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]
    _run(command)
    return target


def groff(folder: Path, name: str, source: str) -> Path:
    """Set -ms source with groff."""
    target = folder / f"{name}.pdf"
    command = ["groff", "-Tpdf", "-ms", "-K", "utf8", "-P-pa4"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=True, timeout=TIMEOUT_S)
    target.write_bytes(done.stdout)
    return target


def libreoffice(folder: Path, name: str, suffix: str, source: str) -> Path:
    """Export a flat OpenDocument file (`fodt`, `fods` or `fodp`) as PDF."""
    (folder / f"{name}.{suffix}").write_text(source, encoding="utf-8")
    profile = (folder / "libreoffice").as_uri()
    command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf"]
    _run([*command, "--outdir", str(folder), str(folder / f"{name}.{suffix}")])
    return folder / f"{name}.pdf"


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)


def _html(texts: Sequence[str], style: str = "", direction: str = "ltr") -> str:
    body = "".join(f"<p>{escape(text)}</p>" for text in texts)
    base = "@page { size: A4; margin: 20mm } body { font: 11pt/1.35 'Liberation Serif'; margin: 0 }"
    return f"<style>{base}{style}</style><body dir={direction}>{body}</body>"


def one_column_chromium(folder: Path) -> Path:
    return chromium(folder, "one-column-chromium", _html(paragraphs(ENGLISH)))


def one_column_groff(folder: Path) -> Path:
    """Justified, hyphenated and with ligatures."""
    body = "".join(f".LP\n{text}\n" for text in paragraphs(ENGLISH))
    return groff(folder, "one-column-groff", f".nr HM 2c\n.nr FM 2c\n.hy 1\n{body}")


def one_column_libreoffice(folder: Path) -> Path:
    return libreoffice(folder, "one-column-libreoffice", "fodt", fodt(paragraphs(ENGLISH)))


def fodt(
    texts: Sequence[str], num_columns: int = 1, writing_mode: str = "lr-tb", font: str = "Liberation Serif"
) -> str:
    """Return a flat OpenDocument text with A4 pages."""
    body = "".join(f'<text:p text:style-name="P">{escape(text)}</text:p>' for text in texts)
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in [("office", "office"), ("style", "style"), ("text", "text")]
    )
    spaces += ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    fonts = " ".join(f'style:font-name{kind}="F"' for kind in ("", "-asian", "-complex"))
    return textwrap.dedent(f"""\
        <?xml version="1.0" encoding="UTF-8"?>
        <office:document {spaces} xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
          office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text">
        <office:font-face-decls><style:font-face style:name="F" svg:font-family="'{font}'"/></office:font-face-decls>
        <office:styles>
          <style:style style:name="P" style:family="paragraph">
            <style:paragraph-properties fo:margin-bottom="0.2cm" style:writing-mode="{writing_mode}"/>
            <style:text-properties {fonts} fo:font-size="11pt" style:font-size-asian="11pt"
              style:font-size-complex="11pt"/>
          </style:style>
        </office:styles>
        <office:automatic-styles>
          <style:page-layout style:name="L"><style:page-layout-properties fo:page-width="21cm"
            fo:page-height="29.7cm" fo:margin="2cm" style:writing-mode="{writing_mode}">
            <style:columns fo:column-count="{num_columns}" fo:column-gap="0.6cm"/>
          </style:page-layout-properties></style:page-layout>
        </office:automatic-styles>
        <office:master-styles>
          <style:master-page style:name="Standard" style:page-layout-name="L"/>
        </office:master-styles>
        <office:body><office:text>{body}</office:text></office:body>
        </office:document>""")


def two_columns_chromium(folder: Path) -> Path:
    """A title across two columns."""
    style = "div { columns: 2; column-gap: 8mm; text-align: justify } h1 { column-span: all; font-size: 20pt }"
    texts = "".join(f"<p>{escape(text)}</p>" for text in paragraphs(ENGLISH))
    html = f"<div><h1>What pages teach, and what they do not teach</h1>{texts}</div>"
    return chromium(folder, "two-columns-chromium", _html([], style) + html)


def two_columns_groff(folder: Path) -> Path:
    """Title and abstract across the page, two columns below with broken words."""
    body = "".join(f".LP\n{text}\n" for text in paragraphs(ENGLISH) * 2)
    head = ".TL\nWhat pages teach\n.AB\nHow three simple questions judge a page before a model sees it.\n.AE\n"
    return groff(folder, "two-columns-groff", f".nr HM 2c\n.nr FM 2c\n{head}.2C\n{body}")


def three_columns_libreoffice(folder: Path) -> Path:
    return libreoffice(
        folder,
        "three-columns-libreoffice",
        "fodt",
        fodt([*paragraphs(ENGLISH), *paragraphs(ENGLISH)], num_columns=3),
    )


def chinese_chromium(folder: Path) -> Path:
    return chromium(folder, "chinese", _html(paragraphs(CHINESE), "body { font-family: 'Noto Serif CJK SC' }"))


def vertical_chinese_chromium(folder: Path) -> Path:
    style = "body { font-family: 'Noto Serif CJK SC'; writing-mode: vertical-rl; height: 160mm }"
    return chromium(folder, "vertical-chinese", _html(paragraphs(CHINESE), style))


def arabic_chromium(folder: Path) -> Path:
    return chromium(folder, "arabic", _html(paragraphs(ARABIC), "body { font-family: 'Noto Naskh Arabic' }", "rtl"))


def hebrew_chromium(folder: Path) -> Path:
    return chromium(folder, "hebrew", _html(paragraphs(HEBREW), "body { font-family: 'Noto Sans Hebrew' }", "rtl"))


def hebrew_libreoffice(folder: Path) -> Path:
    source = fodt(paragraphs(HEBREW), writing_mode="rl-tb", font="Noto Sans Hebrew")
    return libreoffice(folder, "hebrew-libreoffice", "fodt", source)


def arabic_libreoffice(folder: Path) -> Path:
    source = fodt(paragraphs(ARABIC), writing_mode="rl-tb", font="Noto Naskh Arabic")
    return libreoffice(folder, "arabic-libreoffice", "fodt", source)


def two_columns_hebrew_chromium(folder: Path) -> Path:
    style = "body { font-family: 'Noto Sans Hebrew'; columns: 2; column-fill: balance }"
    return chromium(folder, "two-columns-hebrew", _html(paragraphs(HEBREW) * 3, style, "rtl"))


def table_chromium(folder: Path) -> Path:
    """A landscape table whose cells have several lines and are vertically centred."""
    rows = [
        (
            "browser",
            "prints articles and shop receipts, and writes text run by run",
            "one file a page visited",
        ),
        (
            "typesetter",
            "sets theses and papers in one or two columns with mathematics, and breaks words",
            "small",
        ),
        (
            "office suite",
            "exports letters, reports and slides",
            "fonts are embedded in part, with a map to Unicode",
        ),
        ("scanner", "copies paper as one picture a page, sometimes with invisible words above it", "large"),
    ]
    style = (
        "@page { size: A4 landscape } table { border-collapse: collapse; width: 100% }"
        "td, th { border: 1px solid; padding: 2mm; width: 33% }"
    )
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    html = f"<h2>Who writes PDFs</h2><table><tr><th>Producer</th><th>What</th><th>Size</th></tr>{cells}</table>"
    return chromium(folder, "table", _html([], style) + html)


# Made with PyMuPDF


def _save(document: pymupdf.Document, path: Path, **options: object) -> Path:
    document.save(path, no_new_id=True, **options)
    document.close()
    return path


def text_document(num_pages: int = 1, width: float = 595, height: float = 842) -> pymupdf.Document:
    """Return pages of English text in Helvetica, 11 points, each with its number in the first line."""
    document = pymupdf.open()
    lines = [line for text in paragraphs(ENGLISH) for line in [*textwrap.wrap(text, 80), ""]]
    for k in range(num_pages):
        page = document.new_page(width=width, height=height)
        page.insert_text((60, 60), [f"Page {k + 1} of a document with {num_pages} pages.", "", *lines], fontsize=11)
    return document


def plain(folder: Path, num_pages: int = 1) -> Path:
    return _save(text_document(num_pages), folder / f"plain-{num_pages}.pdf")


def blank_between(folder: Path) -> Path:
    """Three pages, the second without a mark."""
    document = text_document(2)
    document.new_page(pno=1)
    return _save(document, folder / "blank-between.pdf")


def encrypted(folder: Path, password: str = "sesame") -> Path:
    """A file that opens only with the user's password."""
    options = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "owner_pw": "owner", "user_pw": password}
    return _save(text_document(), folder / "encrypted.pdf", **options)


def encrypted_for_owner(folder: Path) -> Path:
    """A file that opens without a password; only changes need one."""
    options = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "owner_pw": "owner", "user_pw": ""}
    return _save(text_document(), folder / "encrypted-for-owner.pdf", **options)


def rotated(folder: Path) -> Path:
    """The same page at 0, 90, 180 and 270 degrees."""
    document = text_document(4)
    for k, page in enumerate(document):
        page.set_rotation(90 * k)
    return _save(document, folder / "rotated.pdf")


def cropped(folder: Path) -> Path:
    """A crop box inside the media box, with the word `outside` beyond all four sides; also rotated by 90 degrees."""
    document = text_document(2)
    for k, page in enumerate(document):
        for point in [(60, 20), (5, 400), (560, 400), (60, 835)]:
            page.insert_text(point, "outside", fontsize=8)
        page.set_cropbox(pymupdf.Rect(50, 40, 550, 500))
        page.set_rotation(90 * k)
    return _save(document, folder / "cropped.pdf")


def form(folder: Path) -> Path:
    """Filled text fields, a ticked box, a free-text annotation and a highlight."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 60), "Request for a data set", fontsize=16)
    for k, (label, value) in enumerate([("Title", "Pages of public reports"), ("Licence", "CC0-1.0")]):
        page.insert_text((60, 113 + 40 * k), label)
        widget = pymupdf.Widget()
        widget.field_name, widget.field_value = label, value
        widget.field_type = pymupdf.PDF_WIDGET_TYPE_TEXT
        widget.rect = pymupdf.Rect(140, 98 + 40 * k, 420, 120 + 40 * k)
        page.add_widget(widget)
    box = pymupdf.Widget()
    box.field_name, box.field_value, box.field_type = "agreed", True, pymupdf.PDF_WIDGET_TYPE_CHECKBOX
    box.rect = pymupdf.Rect(140, 180, 156, 196)
    page.add_widget(box)
    page.insert_text((60, 193), "Agreed")
    page.add_freetext_annot(pymupdf.Rect(60, 240, 420, 270), "Checked by hand: all pages are public.", fontsize=11)
    page.add_highlight_annot(pymupdf.Rect(60, 45, 220, 65))
    return _save(document, folder / "form.pdf")


def landscape(folder: Path) -> Path:
    return _save(text_document(width=842, height=595), folder / "landscape.pdf")


def poster(folder: Path) -> Path:
    """A0: 2384 × 3370 points."""
    document = pymupdf.open()
    page = document.new_page(width=2384, height=3370)
    lines = [line for text in paragraphs(ENGLISH) for line in [*textwrap.wrap(text, 60), ""]]
    page.insert_text((200, 300), ["Pages as data", "", *lines], fontsize=48)
    return _save(document, folder / "poster.pdf")


def tiny(folder: Path) -> Path:
    """A page of 72 × 36 points, which is not enlarged beyond 300 dpi."""
    document = pymupdf.open()
    document.new_page(width=72, height=36).insert_text((6, 20), "a small stamp", fontsize=8)
    return _save(document, folder / "tiny.pdf")


def coloured(folder: Path) -> Path:
    document = text_document()
    document[0].draw_rect(pymupdf.Rect(60, 700, 300, 780), color=(0.8, 0.1, 0.1), fill=(0.9, 0.8, 0.2))
    return _save(document, folder / "coloured.pdf")


def scan(folder: Path, *, ocr_layer: bool = False, seed: int = 0) -> Path:
    """One grey, speckled picture per page, as from a scanner; optionally with invisible words (render mode 3)."""
    source = text_document()
    pixmap = source[0].get_pixmap(dpi=110, colorspace=pymupdf.csGRAY)
    pixels = bytearray(pixmap.samples)
    speckles = random.Random(seed)
    for _ in range(len(pixels) // 400):
        pixels[speckles.randrange(len(pixels))] = speckles.randrange(120, 220)
    pixmap = pymupdf.Pixmap(pymupdf.csGRAY, pixmap.width, pixmap.height, bytes(pixels), False)
    document = pymupdf.open()
    page = document.new_page()
    page.insert_image(page.rect, stream=pixmap.tobytes("jpg", jpg_quality=60))
    if ocr_layer:
        for x0, _, _, y1, word, *_ in source[0].get_text("words"):
            page.insert_text((x0, y1 - 3), word, fontsize=11, render_mode=3)
    return _save(document, folder / ("scan-with-words.pdf" if ocr_layer else "scan.pdf"))


def cmyk_jpeg(folder: Path) -> Path:
    """A page that is one CMYK JPEG: yellow above, black below."""
    import io

    from PIL import Image

    image = Image.new("CMYK", (600, 800), (0, 0, 255, 0))
    image.paste((0, 0, 0, 255), (0, 600, 600, 800))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    page.insert_image(page.rect, stream=buffer.getvalue())
    return _save(document, folder / "cmyk-jpeg.pdf")


def without_unicode_map(folder: Path) -> Path:
    """A browser's page whose fonts (Identity-H) lost their ToUnicode maps: it looks right, but its text is noise."""
    document = pymupdf.open(one_column_chromium(folder))
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "ToUnicode")[0] == "xref":
            document.xref_set_key(xref, "ToUnicode", "null")
    # The character map in a font subset would still identify the letters: remove it from the font's program.
    return _save(document, folder / "without-unicode-map.pdf", garbage=4)


# Made byte by byte


def pdf_bytes(objects: Sequence[bytes], root: int = 1) -> bytes:
    """Return a PDF file of these objects, numbered from 1, with a valid cross-reference table."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(
        out + b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, start)
    )


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n" % (len(data), extra) + data + b"\nendstream"


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
A4 = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
GOOD_CONTENT = stream(
    b"BT /F 12 Tf 60 720 Td 14 TL "
    + b"".join(b"(A good page stands next to a bad one, line %d.) ' " % k for k in range(9))
    + b"ET"
)


def _two_pages(bad_page: bytes, *others: bytes) -> bytes:
    """Return a bad page (object 3) and a good one (object 4); `others` are objects 7 and up."""
    pages = b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>"
    good = A4 + b"/Contents 5 0 R /Resources << /Font << /F 6 0 R >> >> >>"
    return pdf_bytes([CATALOG, pages, bad_page, good, GOOD_CONTENT, FONT, *others])


def _write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def deflated_zeros(num_bytes: int) -> bytes:
    """Return Flate data of `num_bytes` zero bytes (rounded up to a megabyte), without compressing them all."""
    chunk = 1 << 20
    packer = zlib.compressobj(9)
    head = packer.compress(b"\0" * chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    count = -(-num_bytes // chunk)
    adler = ((count * chunk) % 65521) << 16 | 1
    return head + block * (count - 1) + b"\x03\x00" + adler.to_bytes(4, "big")


def empty(folder: Path) -> Path:
    return _write(folder, "empty.pdf", b"")


def not_a_pdf(folder: Path) -> Path:
    return _write(folder, "not-a-pdf.pdf", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)


def header_only(folder: Path) -> Path:
    return _write(folder, "header-only.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 8)


def no_pages(folder: Path) -> Path:
    return _write(folder, "no-pages.pdf", pdf_bytes([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"]))


def truncated(folder: Path, share: float = 0.1) -> Path:
    """The first part of a 3-page file: with 0.1 no page is left, with 0.98 only the cross-reference table is lost."""
    data = plain(folder, 3).read_bytes()
    return _write(folder, f"truncated-{share}.pdf", data[: int(len(data) * share)])


def forged_count(folder: Path) -> Path:
    """One page, and a page tree that claims a thousand million."""
    page = A4 + b">>"
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>"
    return _write(folder, "forged-count.pdf", pdf_bytes([CATALOG, tree, page]))


def page_tree_loop(folder: Path) -> Path:
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 2 >>"
    loop = b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 3 0 R] /Count 2 >>"
    return _write(folder, "page-tree-loop.pdf", pdf_bytes([CATALOG, tree, loop]))


def endless_page(folder: Path) -> Path:
    """100,000 points on each side."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100000 100000] /Contents 5 0 R "
    bad = page + b"/Resources << /Font << /F 6 0 R >> >> >>"
    return _write(folder, "endless-page.pdf", _two_pages(bad))


def thread_page(folder: Path) -> Path:
    """100,000 points long and 2 wide: no pixel wide at 1024 pixels."""
    bad = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 2 100000] >>"
    return _write(folder, "thread-page.pdf", _two_pages(bad))


def image_bomb(folder: Path, side_px: int = 50_000) -> Path:
    """A page that paints one RGB image of 50,000 × 50,000 pixels: 7.5 GB from a file of 7 MB."""
    bad = A4 + b"/Contents 7 0 R /Resources << /XObject << /I 8 0 R >> >> >>"
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceRGB" % (
        side_px,
        side_px,
    )
    image = stream(deflated_zeros(side_px * side_px * 3), head + b" /Filter /FlateDecode")
    return _write(folder, "image-bomb.pdf", _two_pages(bad, stream(b"q 595 0 0 842 0 0 cm /I Do Q"), image))


def stream_bomb(folder: Path, num_bytes: int = 1_000_000_000) -> Path:
    """A page whose content stream inflates to 1 GB of nothing."""
    bad = A4 + b"/Contents 7 0 R >>"
    return _write(
        folder, "stream-bomb.pdf", _two_pages(bad, stream(deflated_zeros(num_bytes), b"/Filter /FlateDecode"))
    )


def object_stream_bomb(folder: Path, num_bytes: int = 1_000_000_000) -> Path:
    """A page whose annotations are in an object stream that inflates to 1 GB."""
    data = pdf_bytes([CATALOG])  # only to reuse the header
    out = bytearray(data[: data.index(b"1 0 obj")])
    offsets = {}

    def add(number: int, body: bytes) -> None:
        offsets[number] = len(out)
        out.extend(b"%d 0 obj\n" % number + body + b"\nendobj\n")

    fonts = b"/Resources << /Font << /F 6 0 R >> >>"
    add(1, CATALOG)
    add(2, b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>")
    add(
        3,
        A4 + b"/Contents 5 0 R /Annots 8 0 R " + fonts + b" >>",
    )
    add(4, A4 + b"/Contents 5 0 R " + fonts + b" >>")
    add(5, GOOD_CONTENT)
    add(6, FONT)
    add(
        7,
        stream(deflated_zeros(num_bytes), b"/Type /ObjStm /N 1 /First %d /Filter /FlateDecode" % (num_bytes - 10)),
    )
    offsets[9] = len(out)
    rows = [(0, 0, 65535)] + [(1, offsets[k], 0) for k in range(1, 8)] + [(2, 7, 0), (1, offsets[9], 0)]
    table = b"".join(bytes([kind]) + where.to_bytes(4, "big") + rest.to_bytes(2, "big") for kind, where, rest in rows)
    body = stream(table, b"/Type /XRef /Size 10 /W [1 4 2] /Root 1 0 R")
    out.extend(b"9 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % offsets[9])
    return _write(folder, "object-stream-bomb.pdf", bytes(out))


def nested_forms(folder: Path, depth: int = 20_000) -> Path:
    """Forms that paint forms, 20,000 deep."""
    bad = A4 + b"/Contents 7 0 R /Resources << /XObject << /X 8 0 R >> >> >>"
    form_head = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] "
    forms = [stream(b"/X Do", form_head + b"/Resources << /XObject << /X %d 0 R >> >>" % (9 + k)) for k in range(depth)]
    last = stream(b"0 0 50 50 re f", form_head)
    return _write(folder, "nested-forms.pdf", _two_pages(bad, stream(b"/X Do"), *forms, last))


def form_loop(folder: Path) -> Path:
    """A form that paints itself twice."""
    bad = A4 + b"/Contents 7 0 R /Resources << /XObject << /X 8 0 R >> >> >>"
    loop = stream(
        b"/X Do /X Do 0 0 50 50 re f",
        b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X 8 0 R >> >>",
    )
    return _write(folder, "form-loop.pdf", _two_pages(bad, stream(b"/X Do"), loop))


def nested_arrays(folder: Path, depth: int = 1_000_000) -> Path:
    """A page object with arrays nested a million deep."""
    bad = A4 + b"/Contents " + b"[" * depth + b"]" * depth + b" >>"
    return _write(folder, "nested-arrays.pdf", _two_pages(bad))


def broken_page(folder: Path) -> Path:
    """A page tree whose first entry is not a page."""
    return _write(folder, "broken-page.pdf", _two_pages(b"(not a page)"))


def no_unicode_at_all(folder: Path) -> Path:
    """Identity-H without ToUnicode and without an embedded font: glyph numbers and nothing else."""
    content = stream(b"BT /F 14 Tf 60 700 Td 18 TL " + b"<0102030405060708090a0b0c0d0e0f10> ' " * 8 + b"ET")
    page = A4 + b"/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /Lost /Encoding /Identity-H /DescendantFonts [6 0 R] >>"
    descendant = (
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Lost /FontDescriptor 7 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    descriptor = (
        b"<< /Type /FontDescriptor /FontName /Lost /Flags 4 /Ascent 900 /Descent -200 /FontBBox [0 -200 1000 900] >>"
    )
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return _write(
        folder,
        "no-unicode-at-all.pdf",
        pdf_bytes([CATALOG, tree, page, content, font, descendant, descriptor]),
    )


def type3_font(folder: Path) -> Path:
    """Letters drawn by small programs (a square and a triangle), with glyph names that identify the letters."""
    glyphs = [
        stream(b"800 0 0 0 700 700 d1 0 0 700 700 re f"),
        stream(b"800 0 0 0 700 700 d1 0 0 m 700 0 l 350 700 l f"),
    ]
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0]"
        b" /CharProcs << /a 6 0 R /b 7 0 R >> /Encoding << /Type /Encoding /Differences [97 /a /b] >>"
        b" /FirstChar 97 /LastChar 98 /Widths [800 800] /Resources << >> >>"
    )
    content = stream(b"BT /F 20 Tf 60 700 Td 30 TL (abba abab) ' (baab bbbb) ' ET")
    page = A4 + b"/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return _write(folder, "type3-font.pdf", pdf_bytes([CATALOG, tree, page, content, font, *glyphs]))
