"""Published pairs: layouts, several images, boxes, and what can be wrong with them."""

import base64
import http.server
import io
import json
import os
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from sources.base.sample import Sample
from sources.base.source import InputError, ItemError
from sources.images.decoding import read_image
from sources.pairs import Pairs

Row = dict[str, Any]
TURNS = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A circle."}]


def picture(number: int = 0, size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).ellipse((5 + number, 5, 30 + number, 30), fill=0)
    return image


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


PNG = encoded(picture())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for number in range(3):
        (tmp_path / f"images/{number}.png").write_bytes(encoded(picture(number)))
    return tmp_path


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_tar(path: Path, files: Mapping[str, bytes | tarfile.TarInfo], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            member = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(data) if isinstance(data, bytes) else 0
            tar.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return path


def outcomes(path: Path, **options: Any) -> list[Any]:
    """Samples, or the causes of the errors in their place."""
    found: list[Any] = []
    with Pairs(**options).open(path) as items:
        for item in range(len(items)):
            try:
                found.append(items[item])
            except ItemError as error:
                found.append(error.cause)
    return found


def sample(path: Path, **options: Any) -> Sample:
    (found,) = outcomes(path, **options)
    assert isinstance(found, Sample), found
    return found


HUB = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image": pa.array([{"bytes": PNG, "path": "a.png"}, {"bytes": b"no image", "path": None}, None], HUB),
            "caption": ["A dark circle.", "b", "c"],
        }
    )
    pq.write_table(table, tmp_path / "input")
    first, *others = outcomes(tmp_path / "input")
    assert (first.text, first.images[0].data, first.image_sizes()) == ("<image>\nA dark circle.", PNG, [(60, 40)])
    assert first.fingerprint is not None
    assert others == ["not_an_image", "no_image"]


def test_parquet_with_several_images_and_a_conversation(tmp_path: Path) -> None:
    images = [{"bytes": encoded(picture(k)), "path": None} for k in range(2)]
    texts = [{"user": "Which circle is further right?", "assistant": "The second.", "source": "made"}]
    pq.write_table(pa.Table.from_pylist([{"images": images, "texts": texts}]), tmp_path / "input")
    found = sample(tmp_path / "input")
    assert found.messages is not None
    assert found.messages[0].content == "<image>\n<image>\nWhich circle is further right?"
    assert len(found.images) == 2


def test_conversations_name_their_images(folder: Path) -> None:
    rows = [
        {"image": "images/0.png", "conversations": TURNS},
        {
            "image": ["images/0.png", "images/1.png"],
            "conversations": [{"from": "human", "value": "<image><image>?"}, TURNS[1]],
        },
        {"conversations": [{"from": "human", "value": "No picture."}, TURNS[1]]},
        {"image": ["images/0.png", "images/1.png"], "conversations": TURNS},
        {"conversations": TURNS},
        {
            "image": "images/0.png",
            "conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "<image>"}],
        },
        {"image": "images/9.png", "conversations": TURNS},
    ]
    (folder / "data.json").write_text(json.dumps(rows, indent=1))
    found = outcomes(folder / "data.json")
    assert [len(each.images) for each in found[:3]] == [1, 2, 0]
    assert found[3:] == ["image_count", "image_count", "image_count", "not_found"]
    assert found[0].messages[0].content == "<image>\nWhat is it?"


def test_names_that_lead_out_of_the_folder_are_errors(folder: Path) -> None:
    inside = folder / "inside"
    inside.mkdir()
    (inside / "link.png").symlink_to(folder / "images/0.png")
    (inside / "folder").symlink_to(folder / "images")
    (inside / "ok.png").symlink_to(inside / "real.png")
    (inside / "real.png").write_bytes(PNG)
    os.mkfifo(inside / "pipe.png")
    names = ["../images/0.png", str(folder / "images/0.png"), "link.png", "folder/0.png", "x/../../images/0.png"]
    rows = [{"image": name, "text": "a"} for name in [*names, "a\nb", "pipe.png", "folder", "ok.png", "real.png"]]
    found = outcomes(write(inside / "input", rows))
    assert found[:8] == ["outside_folder"] * 5 + ["wrong_image_name", "not_a_file", "outside_folder"]
    assert all(isinstance(each, Sample) for each in found[8:])


def test_images_may_be_in_another_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = write(tmp_path_factory.mktemp("rows") / "input", [{"image": "0.png", "text": "a"}])
    assert outcomes(elsewhere) == ["not_found"]
    assert sample(elsewhere, image_folder=str(folder / "images")).image_sizes() == [(60, 40)]


def test_the_digest_follows_the_images(folder: Path) -> None:
    path = write(folder / "input", [{"image": "images/0.png", "text": "a"}, {"image": "images/8.png", "text": "a"}])
    before = Pairs().digest_of(path)
    assert Pairs().digest_of(path) == before
    (folder / "images/8.png").write_bytes(PNG)
    after = Pairs().digest_of(path)
    assert after != before
    assert len(after) == 64


def test_images_in_base64(tmp_path: Path) -> None:
    large = encoded(picture(size=(400, 300)), "BMP")
    plain = base64.b64encode(large).decode()
    values = [plain, "data:image/png;base64," + base64.b64encode(PNG).decode(), plain[:-7] + "*******", "data:,x"]
    found = outcomes(write(tmp_path / "input", [{"image": value, "text": "a"} for value in values]))
    assert [found[0].image_sizes(), found[1].image_sizes(), *found[2:]] == [
        [(400, 300)],
        [(60, 40)],
        "invalid_base64",
        "invalid_base64",
    ]


def test_webdataset(tmp_path: Path) -> None:
    link = tarfile.TarInfo("0004.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    files = {
        "a/0000.png": PNG,
        "a/0000.txt": "A circle é.".encode(),
        "a/0000.json": b'{"license": "cc0-1.0", "url": "https://example.org/0"}',
        "b/0000.0.png": PNG,
        "b/0000.1.png": PNG,
        "b/0000.txt": b"Two.",
        "0002.png": PNG,
        "0003.png": PNG,
        "0003.txt": b"\xff",
        "0004.jpg": link,
        "0004.txt": b"a",
        "../0005.png": PNG,
        "../0005.txt": b"a",
        "._0006.png": b"hidden",
        "0007.png": b"broken",
        "0007.txt": b"a",
    }
    for name, mode in (("input.tar", "w"), ("input.tar.gz", "w:gz")):
        found = outcomes(write_tar(tmp_path / name, files, mode))
        assert [found[0].text, found[0].provenance.license, found[0].provenance.uri] == [
            "<image>\nA circle é.",
            "cc0-1.0",
            "https://example.org/0",
        ]
        assert [len(found[1].images), found[1].text] == [2, "<image>\n<image>\nTwo."]
        assert found[2:] == ["no_text", "wrong_encoding", "not_a_file", "unsafe_name", "not_an_image"]


def test_a_tar_that_breaks_off_keeps_what_comes_before(tmp_path: Path) -> None:
    files = {f"{k:04}.{suffix}": data for k in range(3) for suffix, data in (("png", PNG), ("txt", b"a"))}
    data = write_tar(tmp_path / "whole", files).read_bytes()
    (tmp_path / "broken").write_bytes(data[: 5 * 1024 + 100])
    found = outcomes(tmp_path / "broken")
    assert isinstance(found[0], Sample)
    assert found[-1] == "damaged"


@pytest.mark.parametrize(
    ("options", "box", "expected"),
    [
        ({}, [6, 4, 30, 20], (6, 4, 30, 20)),
        ({"box_format": "xywh"}, [6, 4, 24, 16], (6, 4, 30, 20)),
        ({"box_format": "cxcywh", "box_scale": "unit"}, [0.3, 0.3, 0.4, 0.4], (6, 4, 30, 20)),
        ({"box_scale": "1000"}, [100, 100, 500, 500], (6, 4, 30, 20)),
        ({"side_px": 30}, [6, 4, 30, 20], (3, 2, 15, 10)),
    ],
)
def test_boxes_in_every_form(folder: Path, options: Any, box: list[float], expected: tuple[float, ...]) -> None:
    row = {"image": "images/0.png", "text": "a", "objects": {"bbox": [box], "category": ["circle"]}, "word": ["a"]}
    path = write(folder / "input", [row])
    columns = {"boxes": "objects.bbox", "labels": "objects.category"}
    (element,) = sample(path, columns=columns, **options).elements
    assert (element.role, element.box) == ("circle", pytest.approx(expected, abs=1e-4))
    words = sample(path, columns={"boxes": "objects.bbox", "words": "word"}, **options).words
    assert words.texts == ["a"]
    np.testing.assert_allclose(words.boxes, [expected], atol=1e-4)


@pytest.mark.parametrize(
    "boxes", [[[0, 0, 100, 10]], [[9, 9, 1, 1]], [[1, 2, 3]], "a", [[0, 0, 1, 1]] * 2, [[0, 0, None, 1]]]
)
def test_wrong_boxes_are_an_error_of_the_row(folder: Path, boxes: Any) -> None:
    row = {"image": "images/0.png", "text": "a", "boxes": boxes, "labels": ["x"]}
    assert outcomes(write(folder / "input", [row]), columns={"boxes": "boxes", "labels": "labels"}) == ["wrong_boxes"]


def test_other_marks_of_images(folder: Path) -> None:
    path = write(folder / "input", [{"image": "images/0.png", "text": "See [IMG] here."}])
    assert sample(path, image_mark="[IMG]").text == "See <image> here."


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"text": "a"}, {}, "no column of images is known; it has text"),
        ({"image": "a"}, {}, "no column of text is known; it has image"),
        ({"image": "a", "text": "b"}, {"columns": {"image": "photo"}}, "no column 'photo' for image"),
    ],
)
def test_wrong_columns_are_an_error_of_the_input(tmp_path: Path, row: Row, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        outcomes(write(tmp_path / "input", [row]), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "text"}, "format must be one of"),
        ({"columns": {"image_url": "url"}}, "must be allowed with http: true"),
        ({"columns": {"image_url": "url", "image": "a"}, "http": True}, "one of image and image_url"),
        ({"columns": {"labels": "a"}}, "without their boxes"),
        ({"image_mark": ""}, "image_mark"),
        ({"box_scale": "100"}, "box_scale must be one of"),
        ({"side_px": -1}, "side_px must be"),
        ({"max_megapixels": 0}, "max_megapixels must be"),
    ],
)
def test_wrong_settings_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pairs(**options)


# Addresses


@pytest.fixture
def address() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = PNG if self.path == "/a.png" else b""
            self.send_response(200 if data else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_addresses_are_fetched_only_where_it_is_asked_and_allowed(tmp_path: Path, address: str) -> None:
    rows = [{"url": f"{address}/{name}", "image": f"{address}/a.png", "text": "a"} for name in ("a.png", "b.png")]
    path = write(tmp_path / "input", [*rows, {"url": "file:///etc/passwd", "text": "a"}])
    assert outcomes(path)[:2] == ["url", "url"]
    asked = {"columns": {"image_url": "url"}, "http": True}
    assert outcomes(path, **asked) == ["address_refused"] * 3
    found = outcomes(path, **asked, http_allow=(address.removeprefix("http://"),))
    assert found[0].image_sizes() == [(60, 40)]
    assert found[1:] == ["not_found", "address_refused"]


# Images


@pytest.mark.parametrize(
    ("data", "extension", "is_kept"),
    [
        (PNG, "png", True),
        (encoded(picture(), "JPEG"), "jpg", True),
        (encoded(picture(mode="L"), "JPEG"), "jpg", True),
        (encoded(picture(), "WEBP"), "webp", True),
        (encoded(picture().quantize(8)), "png", True),
        (encoded(picture(mode="CMYK"), "JPEG"), "jpg", False),
        (encoded(picture().convert("RGBA")), "png", True),
        (encoded(picture().convert("LA")), "png", False),
        (encoded(picture(), "BMP"), "png", False),
        (encoded(picture(), "GIF"), "png", False),
        (encoded(picture(), "TIFF"), "png", False),
        (encoded(picture(), "GIF", save_all=True, append_images=[picture(9)]), "png", False),
        (encoded(Image.fromarray(np.full((40, 60), 999, np.uint16))), "png", False),
    ],
)
def test_images_are_kept_or_made_readable(data: bytes, extension: str, is_kept: bool) -> None:
    found = read_image(data, max_pixels=10_000)
    assert (found.encoded.data == data) is is_kept
    shown = Image.open(io.BytesIO(found.encoded.data))
    assert shown.size == (60, 40) == (found.encoded.width, found.encoded.height) == found.size
    assert shown.mode in ("RGB", "RGBA", "L", "P")
    assert found.encoded.extension == extension
    np.testing.assert_allclose(np.asarray(shown.convert("L")), found.grey, atol=6)


def test_what_is_transparent_becomes_white() -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert read_image(encoded(image), max_pixels=100).grey.min() == 255


def test_a_turned_photograph_is_turned_back() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = read_image(encoded(picture(), "JPEG", exif=exif.tobytes()), max_pixels=10_000)
    assert found.grey.shape == (60, 40)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (PNG[:-60], "damaged_image"),
        (encoded(picture(), "JPEG")[:-300], "damaged_image"),
        (encoded(Image.new("1", (2000, 2000))), "image_too_large"),
    ],
)
def test_what_is_no_image_is_an_error(data: bytes, cause: str) -> None:
    with pytest.raises(ItemError) as caught:
        read_image(data, max_pixels=1_000_000)
    assert caught.value.cause == cause
