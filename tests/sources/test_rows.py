"""Rows of files by number: every format, in any order, with broken rows and hostile files."""

import bz2
import gzip
import json
import lzma
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.base.source import InputError, ItemError, file_digest
from sources.rows import bytes_file
from sources.rows.bytes_file import BytesFile
from sources.rows.line_index import STRIDE, Lines, index_lines
from sources.rows.open_rows import open_rows
from sources.rows.row import Rows

ROWS = [{"text": f"row {k} é 字", "number": k} for k in range(200)]


def opened(path: Path, file_format: str = "auto", max_row_bytes: int = 1_000_000, **options: Any) -> Rows | BytesFile:
    return open_rows(path, file_digest(path), file_format, max_row_bytes, **options)


def rows_of(path: Path, **options: Any) -> list[Any]:
    """The rows, or the causes of rows that are errors, read in a random order."""
    rows = opened(path, **options)
    assert isinstance(rows, Rows)
    found: dict[int, Any] = {}
    order = list(range(len(rows)))
    random.Random(3).shuffle(order)
    for number in [*order[: len(order) // 2], *sorted(order[len(order) // 2 :])]:
        try:
            found[number] = rows[number]
        except ItemError as error:
            found[number] = error.cause
    return [found[number] for number in range(len(rows))]


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
FILES = {
    "lines": LINES,
    "lines_with_bom": b"\xef\xbb\xbf" + LINES + b"\n",
    "blank_lines": LINES.replace(b"\n", b"\r\n\r\n   \r\n") + b"\n \n",
    "utf16": LINES.decode().encode("utf-16"),
    "gzip": gzip.compress(LINES),
    "gzip_of_two": gzip.compress(LINES[: len(LINES) // 2]) + gzip.compress(LINES[len(LINES) // 2 :]),
    "bzip2": bz2.compress(LINES),
    "xz": lzma.compress(LINES),
    "xz_of_utf16": lzma.compress(LINES.decode().encode("utf-16")),
    "array": json.dumps(ROWS).encode(),
    "array_indented": b" \n" + json.dumps(ROWS, indent=2, ensure_ascii=False).encode() + b"\n",
    "array_gzip": gzip.compress(json.dumps(ROWS).encode()),
    "zstd": pa.compress(LINES, "zstd", asbytes=True),
    "zstd_of_two": pa.compress(LINES[:5000], "zstd", asbytes=True) + pa.compress(LINES[5000:], "zstd", asbytes=True),
}


@pytest.mark.parametrize("name", FILES)
def test_rows_are_the_same_in_every_format(tmp_path: Path, name: str) -> None:
    assert rows_of(write(tmp_path / "input", FILES[name])) == ROWS


def test_rows_of_parquet_are_read_in_any_order(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "input", row_group_size=70)
    assert rows_of(tmp_path / "input") == ROWS


def test_a_broken_row_costs_only_itself(tmp_path: Path) -> None:
    lines = [
        b'{"text": "a"}',
        b'{"text": "b',
        b"[1]",
        b'{"text": "\xff"}',
        b'{"text": "c"}',
        b"[" * 100_000,
        b'{"n": NaN}',
    ]
    found = rows_of(write(tmp_path / "input", b"\n".join(lines)))
    assert found[:-1] == [{"text": "a"}, "not_json", "not_an_object", "wrong_encoding", {"text": "c"}, "not_json"]
    assert list(found[-1]) == ["n"]


def test_encodings_are_tried_in_order(tmp_path: Path) -> None:
    mixed = '{"text": "é"}\n'.encode() + '{"text": "中文"}\n'.encode("gb18030")
    found = rows_of(write(tmp_path / "input", mixed), encodings=("utf-8", "gb18030"))
    assert found == [{"text": "é"}, {"text": "中文"}]


@pytest.mark.parametrize("long", [b'{"text": "' + b"x" * 700_000 + b'"}', b" " * 700_000])
def test_a_huge_line_costs_only_itself(tmp_path: Path, long: bytes) -> None:
    path = write(tmp_path / "input", b'{"a": 1}\n' + long + b'\n{"a": 2}\n' + long)
    expected = ["row_too_long"] if long.strip() else []
    assert rows_of(path, max_row_bytes=100_000) == [{"a": 1}, *expected, {"a": 2}, *expected]
    array = write(tmp_path / "array", b'[{"a": 1},' + long + b',{"a": 2}]' if long.strip() else b'[{"a": 1},{"a": 2}]')
    assert rows_of(array, max_row_bytes=500_000) == [{"a": 1}, *expected, {"a": 2}]


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (b', {"a" 2}, {"a": 3}]', "is not JSON at byte 12"),
        (b"", "breaks off at byte 10"),
        (b' {"a": 2}]', "no comma after the element"),
        (b', {"a": 2', "is not JSON at byte 12"),
    ],
)
def test_a_broken_array_keeps_what_comes_before(tmp_path: Path, end: bytes, message: str) -> None:
    rows = opened(write(tmp_path / "input", b' [{"a": 1}' + end))
    assert isinstance(rows, Rows)
    assert rows[0] == {"a": 1}
    assert len(rows) == 2
    with pytest.raises(ItemError, match=message):
        rows[1]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"[]", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(LINES)[:-200], "damaged"),
        (lzma.compress(LINES)[:-20], "damaged"),
        (bz2.compress(LINES)[:-20], "damaged"),
        (FILES["zstd"][:-20], "damaged"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
        (b"PAR1 and no more", "not_parquet"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_text"),
        (b'{\n "text": "a",\n "b": 2\n}', "not_rows"),
        (b"\xff\xfe" + b"\0\xd8" * 9, "not_unicode"),
    ],
)
def test_files_without_rows_are_errors_of_the_input(tmp_path: Path, data: bytes, cause: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(write(tmp_path / "input", data))
    assert caught.value.cause == cause


def test_a_decompression_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytes_file, "BOMB_BYTES", 1_000_000)
    with pytest.raises(InputError, match="would become more than") as caught:
        opened(write(tmp_path / "input", gzip.compress(b'{"a": 1}\n' * 1_000_000)))
    assert caught.value.cause == "decompression_bomb"


def test_a_damaged_row_group_costs_its_own_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [f"{k:07}" * 50 for k in range(300)]}), tmp_path / "input", row_group_size=100)
    place = pq.ParquetFile(tmp_path / "input").metadata.row_group(1).column(0).data_page_offset
    data = bytearray((tmp_path / "input").read_bytes())
    data[place : place + 40] = b"\xff" * 40
    found = rows_of(write(tmp_path / "broken", bytes(data)))
    assert found[100:200] == ["unreadable_row"] * 100
    assert [row["text"] for row in (*found[:100], *found[200:])] == [
        f"{k:07}" * 50 for k in (*range(100), *range(200, 300))
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([b"", b" ", b"\r", b"a", b" b", b"\t\r", b"cc" * 9, b"d" * 3000]), max_size=300),
    st.booleans(),
)
def test_lines_are_those_of_a_plain_loop(lines: list[bytes], ends: bool) -> None:
    import os
    import tempfile

    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(b"\n".join(lines) + b"\n" * ends)
        file.flush()
        patch.setattr("sources.rows.line_index.BLOCK_BYTES", 17)
        patch.setattr("sources.rows.line_index.READ_BYTES", 29)
        content = BytesFile(os.dup(file.fileno()))
        expected = [line for line in lines if line.strip()]
        assert index_lines(content)[1] == len(expected)
        found = Lines(content, os.urandom(8).hex(), 2000)
        for number in [*range(len(expected)), *range(len(expected) - 1, -1, -7), *range(0, len(expected), STRIDE + 3)]:
            if len(expected[number]) > 2000:
                with pytest.raises(ItemError):
                    found[number]
            else:
                assert found[number] == expected[number]
