"""Archives are read within bounds; whatever is wrong in one is one sentence and costs only itself."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from sources.base.stores import NO_STORES
from sources.web.archive.chunks import dechunked
from sources.web.archive.files import archives_of
from sources.web.archive.index import ArchiveIndex, TooLongError
from sources.web.archive.records import MAX_FLAWS, Flaw, Record, records
from sources.web.archive.streams import RecordError
from sources.web.seeds import read_seeds
from tests.sources.web.archives import DATE, HTML, wacz, warc

A, B, C = (
    ("http://a.test/", "<h1>A</h1>", HTML),
    ("http://b.test/", "<h1>B</h1>" * 9, HTML),
    ("http://c.test/", "C", HTML),
)
URLS = [A[0], B[0], C[0]]


def read(data: bytes) -> tuple[list[str], list[str]]:
    """Return the URLs of the responses in a WARC file, and what is wrong in it."""
    found = list(records(io.BytesIO(data)))
    return (
        [each.url for each in found if isinstance(each, Record) and each.kind == "response"],
        [each.why for each in found if isinstance(each, Flaw)],
    )


def parsed(data: bytes) -> list[Record]:
    return [each for each in records(io.BytesIO(data)) if isinstance(each, Record)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    yield tmp_path
    assert not list(scratch.iterdir())


def index_of(folder: Path, *paths: Path) -> ArchiveIndex:
    (archive,) = archives_of(list(map(str, paths)), NO_STORES)
    return ArchiveIndex(archive, folder / "scratch")


def members(data: bytes) -> list[bytes]:
    """Return the gzip members of a file."""
    found = []
    while data:
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        reader.decompress(data)
        found.append(data[: len(data) - len(reader.unused_data)])
        data = reader.unused_data
    return found


@pytest.mark.parametrize("compressed", [True, False])
def test_records_are_those_that_warcio_finds(*, compressed: bool) -> None:
    data = warc([A, B, C], compressed=compressed)
    theirs = [
        (each.rec_headers.get_header("WARC-Record-ID"), each.content_stream().read())
        for each in ArchiveIterator(io.BytesIO(data))
    ]
    ours = []
    for each in records(io.BytesIO(data)):
        assert isinstance(each, Record)
        raw = data if not compressed else zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data[each.member :])
        begin = each.body + (0 if compressed else each.member)
        ours.append((each.fields["warc-record-id"], raw[begin : begin + each.length]))
    assert ours == theirs


def test_a_file_compressed_as_a_whole_is_read(folder: Path) -> None:
    path = folder / "whole.warc.gz"
    path.write_bytes(gzip.compress(warc([A, B, C], compressed=False)))
    index = index_of(folder, path)
    assert list(index.pages()) == URLS
    found = index.read(C[0], index.moment(C[0]) or 0, 1000)
    assert found is not None
    assert (found.body, found.date, found.file) == (b"C", DATE, "whole.warc.gz")
    index.close()


def _with_length(data: bytes, number: int, more: int) -> bytes:
    """Change the Content-Length of a record of an uncompressed file by some bytes."""
    parts = data.split(b"\r\nContent-Length: ")
    length, rest = parts[number + 1].split(b"\r\n", 1)
    parts[number + 1] = b"%d\r\n%s" % (int(length) + more, rest)
    return b"\r\nContent-Length: ".join(parts)


PLAIN = warc([A, B, C], compressed=False)
PARTS = members(warc([A, B, C]))
BOMB = gzip.compress(b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 999999999999\r\n\r\n" + bytes(10_000_000))
HUGE_HEAD = gzip.compress(b"WARC/1.0\r\nWARC-Type: response\r\nX: " + b"x" * 10_000_000)
NO_LINE = gzip.compress(b"x" * 10_000_000)


@pytest.mark.parametrize(
    ("data", "urls", "why"),
    [
        (PLAIN[:-5], URLS[:2], "the file ends before it does"),
        (b"".join(PARTS)[:-5], URLS[:2], "its gzip data break off"),
        (b"".join([*PARTS[:2], PARTS[2][:60], PARTS[3]]), [URLS[0], URLS[2]], "its gzip data are damaged"),
        (b"".join([*PARTS[:2], b"garbage", *PARTS[2:]]), URLS, "no WARC record begins here"),
        (_with_length(PLAIN, 2, 9), [URLS[0], URLS[2]], "its length is wrong: no record follows it"),
        (_with_length(PLAIN, 2, -9), [URLS[0], URLS[2]], "its length is wrong: no record follows it"),
        (_with_length(PLAIN, 2, 99999), [URLS[0], URLS[2]], "the file ends before it does"),
        (_with_length(PLAIN, 2, 10**11), [URLS[0], URLS[2]], "is more than is read"),
        (PLAIN.replace(b"Content-Length", b"Content-Lengthy"), [], "it has no Content-Length"),
        (b"".join([*PARTS[:2], BOMB, *PARTS[2:]]), URLS, "is more than is read"),
        (b"".join([*PARTS[:2], HUGE_HEAD, *PARTS[2:]]), URLS, "its head is too long"),
        (b"".join([*PARTS[:2], NO_LINE, *PARTS[2:]]), URLS, "its head is too long"),
        (b"\x28\xb5\x2f\xfd rest", [], "compressed with zstd"),
        (b"filedesc://x.arc 0.0.0.0 1 text/plain 1\n", [], "it is an ARC file"),
        (b"<html>no archive</html>", [], "no WARC record begins here"),
    ],
)
def test_a_flaw_costs_only_its_record(data: bytes, urls: list[str], why: str) -> None:
    found, flaws = read(data)
    assert found == urls
    assert why in flaws[0]
    if urls:
        assert len(flaws) == 1


def test_a_file_of_flaws_is_left() -> None:
    _, flaws = read(gzip.compress(b"WARC/1.0\r\n\r\n") * (MAX_FLAWS + 50))
    assert len(flaws) == MAX_FLAWS + 1
    assert "the rest is left out" in flaws[-1]


def test_requests_find_what_was_fetched_next_to_the_page(folder: Path) -> None:
    first, second = folder / "1.warc.gz", folder / "2.warc.gz"
    picture = "http://a.test/p.png?_=1600000000123"
    first.write_bytes(warc([A, (picture, b"old", "image/png")], date="2020-01-01T00:00:00Z"))
    second.write_bytes(
        warc([("https://a.test/p.png?_=1700000000123", b"new", "image/png")], date="2022-01-01T00:00:00Z")
        + warc([(picture, b"gone", HTML)], status="404 Not Found", date="2020-01-01T00:00:00Z")
    )
    index = index_of(folder, first, second)
    assert list(index.pages()) == [A[0]]
    moment = index.moment(A[0])
    assert moment is not None
    for url, expected in (
        (picture, b"old"),
        ("http://a.test/p.png?_=1800000000123", b"old"),
        ("http://a.test/q", None),
    ):
        found = index.read(url, moment, 1000)
        assert (None if found is None else found.body) == expected
    with pytest.raises(TooLongError):
        index.read(picture, moment, 2)
    index.close()


def test_a_redirect_to_https_is_not_taken_for_the_page(folder: Path) -> None:
    path = folder / "a.warc"
    moved = warc([(A[0], "", HTML)], compressed=False, status="301 Moved", headers={"Location": "https://a.test/"})
    path.write_bytes(moved + warc([("https://a.test/", "page", HTML)], compressed=False, date="2021-03-04T05:06:09Z"))
    index = index_of(folder, path)
    found = index.read("https://a.test/", 0, 1000)
    assert found is not None
    assert found.body == b"page"
    index.close()


def test_a_revisit_stands_for_the_response_that_it_names(folder: Path) -> None:
    path = folder / "a.warc.gz"
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    (digest,) = (each.fields["warc-payload-digest"] for each in parsed(warc([A])) if each.url == A[0])
    twin = digest.replace("sha1", "SHA-1")
    for url, named, of in (("http://b.test/", twin, C[0]), ("http://d.test/", "x:y", A[0]), (C[0], "sha1:NO", C[0])):
        writer.write_record(writer.create_revisit_record(url, named, of, DATE))
    path.write_bytes(warc([A]) + out.getvalue())
    index = index_of(folder, path)
    for url in ("http://b.test/", "http://d.test/"):
        found = index.read(url, 0, 1000)
        assert found is not None
        assert found.body == A[1].encode()
    with pytest.raises(RecordError, match="not in the archive"):
        index.read(C[0], 0, 1000)
    index.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wacz(folder: Path, method: int) -> None:
    """It has no index, a list of pages, and names that lead out of the folder, which are never used."""
    inner = {"archive/a.warc.gz": warc([A, B]), "../../archive/b.warc.gz": warc([C]), "archive/c.txt": b"no"}
    path = wacz(folder / "a.wacz", inner, [B[0], "http://missing.test/"], method)
    index = index_of(folder, path)
    assert list(index.pages()) == [B[0], "http://missing.test/"]
    assert index.moment("http://missing.test/") is None
    found = index.read(A[0], 0, 1000)
    assert found is not None
    assert (found.body, found.file) == (A[1].encode(), "a.wacz/a.warc.gz")
    index.close()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"no zip", "it is no ZIP file"), (None, "without WARC files"), (b"PK\x05\x06" + bytes(18), "without WARC files")],
)
def test_a_broken_wacz_is_one_failure(folder: Path, content: bytes | None, why: str) -> None:
    path = wacz(folder / "a.wacz", {"other/a.warc": b""})
    if content is not None:
        path.write_bytes(content)
    index = index_of(folder, path)
    assert not list(index.pages())
    assert [why in each.why for each in index.failures] == [True]
    index.close()


def test_frames_and_data_are_no_pages(folder: Path) -> None:
    path = folder / "a.warc"
    request = (
        b"WARC/1.0\r\nWARC-Type: request\r\nWARC-Target-URI: %s\r\nContent-Type: application/http; msgtype=request\r\n"
        b"Content-Length: %d\r\n\r\n%s\r\n\r\n"
    )
    asked = [(A[0], b"document"), (B[0], b"iframe"), (C[0], b"empty"), (C[0], b"document")]
    http = [b"GET / HTTP/1.1\r\nSec-Fetch-Dest: %s\r\n\r\n" % wanted for _, wanted in asked]
    requests = [request % (url.encode(), len(head), head) for (url, _), head in zip(asked, http, strict=True)]
    path.write_bytes(PLAIN + b"".join(requests))
    index = index_of(folder, path)
    assert list(index.pages()) == [A[0], C[0]]
    index.close()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"3\r\nabc\r\nff\r\nde", b"abcde"),
        (b"<h1>decoded already</h1>", b"<h1>decoded already</h1>"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_chunks(body: bytes, expected: bytes) -> None:
    assert dechunked(body) == expected


def test_archives_named_together_are_read_together(tmp_path: Path) -> None:
    for name in ("a.warc.gz", "b.warc", "c.wacz", "list.txt"):
        (tmp_path / name).write_bytes(b"http://listed.test/\n")
    named = read_seeds([f"{tmp_path}/*"])
    assert [(each.name, len(each.paths)) for each in named.archives] == [("a.warc.gz and 1 more", 2), ("c.wacz", 1)]
    assert named.pages == ["http://listed.test/"]
    with pytest.raises(ValueError, match="matches no file"):
        read_seeds([f"{tmp_path}/*.warc.zst"])
    with pytest.raises(ValueError, match="No such file"):
        read_seeds([f"{tmp_path}/none.warc"])
