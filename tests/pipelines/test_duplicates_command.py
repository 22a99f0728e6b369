"""The duplicates command on a folder: what cannot be read is listed and costs nothing else, and is read once."""

import csv
import io
import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.commands import duplicates, picture_files
from pipelines.commands.wording import counted, for_terminal


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def _png(seed: int, side: int = 128) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8), np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(noise).resize((side, side), PIL.Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def _huge_png() -> bytes:
    """The header of a picture of 231 megapixels, which no memory should be spent on."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 16_500, 14_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\1\0IDAT"
        + b"\0" * 256
    )


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(_png(1, 256))
    (folder / "a-small.png").write_bytes(_png(1))
    (folder / "b.png").write_bytes(_png(2))
    (folder / "cut.png").write_bytes(_png(3)[:900])
    (folder / "huge.png").write_bytes(_huge_png())
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "turn\x1b[2J.png").write_bytes(b"no picture")
    images = [{"bytes": data} for data in (_png(4), b"no picture", _png(2, 100))]
    pq.write_table(pa.table({"image": images}), folder / "rows.parquet")
    return folder


UNREAD = {"cut.png", "huge.png", "phone.heic", "turn\x1b[2J.png", "rows.parquet#row=1"}


def test_bad_pictures_are_listed_and_the_others_compared(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert duplicates.main([str(photos), "--list", str(tmp_path / "copies.csv")]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip().endswith("5 samples: 2 duplicates in 2 groups; 5 files not read")
    assert len(printed.err.splitlines()) == len(UNREAD)
    assert "\x1b" not in printed.err + printed.out
    assert "huge.png: the image is too large to be decoded" in printed.err
    assert "HEIC is not read; convert it to PNG or JPEG" in printed.err
    with (tmp_path / "copies.csv").open() as file:
        rows = list(csv.DictReader(file))
    actions = {Path(row["name"]).name: row["action"] for row in rows}
    assert {name for name, action in actions.items() if action == "look"} == UNREAD
    assert {name for name, action in actions.items() if action == "remove"} == {"a-small.png", "rows.parquet#row=2"}
    assert {name for name, action in actions.items() if action == "keep"} == {"a.png", "b.png"}
    assert all(row["distance"].isdigit() for row in rows if row["action"] == "remove")


def test_the_list_is_json_by_its_name(photos: Path, tmp_path: Path) -> None:
    assert duplicates.main([str(photos), "--list", str(tmp_path / "copies.json")]) == 0
    rows = json.loads((tmp_path / "copies.json").read_text())
    assert [row["action"] for row in rows].count("remove") == 2
    assert duplicates.main([str(photos), "--list", str(tmp_path / "copies.txt")]) == 2


def test_only_what_changed_is_read_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    once = picture_files.read_collection
    monkeypatch.setattr(
        picture_files, "read_collection", lambda path, uri, skip: read.append(path.name) or once(path, uri, skip)
    )
    first = picture_files.read_pictures(str(photos))
    assert len(read) == 7
    read.clear()
    again = picture_files.read_pictures(str(photos))
    assert not read
    assert (again[0], again[1].tobytes(), again[2]) == (first[0], first[1].tobytes(), first[2])
    (photos / "b.png").write_bytes(_png(9))
    picture_files.read_pictures(str(photos))
    assert read == ["b.png"]
    read.clear()
    picture_files.read_pictures(str(photos), is_cached=False)
    assert len(read) == 7


def test_a_damaged_cache_is_made_again(photos: Path) -> None:
    first = picture_files.read_pictures(str(photos))
    (kept,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("duplicates/*.arrow")
    kept.write_bytes(kept.read_bytes()[:200])
    assert picture_files.read_pictures(str(photos))[0] == first[0]


def test_a_folder_without_a_readable_picture_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert duplicates.main([str(tmp_path)]) == 2
    assert "the first of 1 file: " in capsys.readouterr().err


def test_words_for_a_terminal() -> None:
    assert [counted(n, "file") for n in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]
    assert for_terminal("Größe 测.pdf") == "Größe 测.pdf"
    assert for_terminal("a\x1b[2J\u202egpj.\udcff\n") == r"a\x1b[2J\u202egpj.\xff\x0a"
