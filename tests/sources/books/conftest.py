"""Books of a few lines, packed as EPUBs."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

MakeBook = Callable[..., Path]
CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OPS/book.opf"/></rootfiles></container>"""


def page(body: str) -> str:
    """Return an XHTML document."""
    return (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head><title>t</title></head><body>{body}</body></html>"
    )


def picture(width: int = 200, height: int = 120, shade: int = 60, image_format: str = "PNG") -> bytes:
    """Return an encoded picture with a dark square."""
    image = Image.new("L", (width, height), 255)
    image.paste(shade, (width // 4, height // 4, width // 2, height // 2))
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


@pytest.fixture
def book(tmp_path: Path) -> MakeBook:
    """Return a function that packs chapters (bodies of XHTML) and other files by their path below OPS/."""

    def make(*chapters: str, files: Mapping[str, bytes] = {}, spine: str = "", name: str = "book.epub") -> Path:
        items = "".join(
            f'<item id="c{k}" href="c{k}.xhtml" media-type="application/xhtml+xml"/>' for k in range(len(chapters))
        )
        order = spine or "".join(f'<itemref idref="c{k}"/>' for k in range(len(chapters)))
        package = (
            '<package xmlns="http://www.idpf.org/2007/opf"><metadata/>'
            f"<manifest>{items}</manifest><spine>{order}</spine></package>"
        )
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            members: dict[str, str | bytes] = {"META-INF/container.xml": CONTAINER, "OPS/book.opf": package}
            members |= {f"OPS/c{k}.xhtml": page(chapter) for k, chapter in enumerate(chapters)}
            members |= {name if name.startswith("META-INF") else f"OPS/{name}": files[name] for name in files}
            for member, content in members.items():  # without the time: the digest decides the length of pages
                archive.writestr(zipfile.ZipInfo(member), content)
        return path

    return make
