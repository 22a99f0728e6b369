"""Archives as inputs: what is listed, what is copied out, and what is refused."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.storage.names import file_name, is_archive, member_of, printable
from pipelines.workers import archive as archive_module
from pipelines.workers.archive import extract, list_members, unpack
from sources.base.source import InputError


def nothing() -> None:
    """Do nothing, in place of a heartbeat."""


def make_zip(path: Path, files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


FILES = {"b.pdf": b"two", "folder/a.PDF": b"one", "notes.txt": b"no", ".hidden/c.pdf": b"no", "__MACOSX/._b.pdf": b"no"}


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_files_of_the_kind_are_listed_and_copied_out(tmp_path: Path, make) -> None:
    path = make(tmp_path / "archive", FILES)
    assert list_members(path, (".pdf",)) == ["b.pdf", "folder/a.PDF"]
    extract(path, "folder/a.PDF", tmp_path / "out", nothing)
    assert (tmp_path / "out").read_bytes() == b"one"
    with pytest.raises(InputError, match="no file of this name"):
        extract(path, "gone.pdf", tmp_path / "out", nothing)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_a_compressed_tar_is_unpacked_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.tar.{kind}"
    if kind == "zst":
        plain = make_tar(tmp_path / "plain", FILES).read_bytes()
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(plain)
    else:
        make_tar(path, FILES, f"w:{kind}")
    unpack(path, tmp_path / "unpacked", nothing)
    assert list_members(tmp_path / "unpacked", (".pdf",)) == ["b.pdf", "folder/a.PDF"]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError):
        unpack(path, tmp_path / "cut", nothing)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_lead_elsewhere_are_only_names(tmp_path: Path, make) -> None:
    names = ["../../outside.pdf", "/etc/absolute.pdf", "a\\..\\b.pdf"]
    path = make(tmp_path / "archive", dict.fromkeys(names, b"data"))
    inside = tmp_path / "deep/folder"
    inside.mkdir(parents=True)
    for name in list_members(path, (".pdf",)):
        extract(path, name, inside / "out", nothing)
    assert sorted(list_members(path, (".pdf",))) == sorted(names)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["archive", "out"]


def test_links_in_archives_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"link{kind.decode()}.pdf")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    link = zipfile.ZipInfo("link.pdf")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive_of_links:
        archive_of_links.writestr(link, "/etc/passwd")
    assert list_members(tmp_path / "a.tar", (".pdf",)) == list_members(tmp_path / "a.zip", (".pdf",)) == []


def test_an_archive_in_an_archive_is_an_error_of_its_own(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", FILES).read_bytes()
    path = make_zip(tmp_path / "outer.zip", {"inner.zip": inner, "a.pdf": b"data"})
    assert list_members(path, (".pdf",)) == ["a.pdf", "inner.zip"]
    with pytest.raises(InputError) as found:
        extract(path, "inner.zip", tmp_path / "out", nothing)
    assert found.value.cause == "nested_archive"


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "BOMB_BYTES", 100_000)  # of 100 MB
    zeros = bytes(5_000_000)
    path = make_zip(tmp_path / "bomb.zip", {"a.pdf": zeros})
    with pytest.raises(InputError) as found:
        extract(path, "a.pdf", tmp_path / "out", nothing)
    assert found.value.cause == "archive_bomb"
    bomb = make_tar(tmp_path / "bomb.tar.xz", {"a.pdf": zeros}, "w:xz")
    with pytest.raises(InputError) as found:
        unpack(bomb, tmp_path / "out", nothing)
    assert found.value.cause == "archive_bomb"
    assert (tmp_path / "out").stat().st_size <= 2_000_000
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 3)
    with pytest.raises(InputError) as found:
        list_members(make_zip(tmp_path / "many.zip", {f"{k}.pdf": b"" for k in range(4)}), (".pdf",))
    assert found.value.cause == "archive_too_large"


def test_a_file_that_is_not_as_long_as_promised_is_damaged(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.pdf": b"x" * 1000}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[100] ^= 1  # its checksum shows
    path.write_bytes(data)
    with pytest.raises(InputError) as found:
        extract(path, "a.pdf", tmp_path / "out", nothing)
    assert found.value.cause == "damaged"
    cut = make_tar(tmp_path / "a.tar", {"a.pdf": b"x" * 100_000})
    cut.write_bytes(cut.read_bytes()[:50_000])
    with pytest.raises(InputError) as found:
        extract(cut, "a.pdf", tmp_path / "out", nothing)
    assert found.value.cause == "damaged"


ENCRYPTED = 0x1  # a flag of files in zips


def test_an_encrypted_file_says_so(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.pdf": b"data"})
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + place] |= ENCRYPTED
    path.write_bytes(data)
    with pytest.raises(InputError) as found:
        extract(path, "a.pdf", tmp_path / "out", nothing)
    assert found.value.cause == "encrypted"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no more", b"no archive at all" * 100])
def test_what_is_no_archive_is_damaged(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(InputError) as found:
        list_members(path, (".pdf",))
    assert found.value.cause == "damaged"
    with pytest.raises(InputError) as found:
        unpack(path, tmp_path / "out", nothing)
    assert found.value.cause == "damaged"


def test_thousands_of_files_are_found_without_reading_the_archive_again(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {f"{k:04d}.pdf": b"%d" % k for k in range(3000)})
    names = list_members(path, (".pdf",))
    assert len(names) == 3000
    opened = len(archive_module._open_archives._archives)
    for name in names[::500]:
        extract(path, name, tmp_path / "out", nothing)
        assert (tmp_path / "out").read_bytes() == b"%d" % int(name[:4])
    assert len(archive_module._open_archives._archives) == opened


def test_the_last_of_two_files_of_one_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    make_tar(path, {"a.pdf": b"old"})
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo("a.pdf")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"new"))
    assert list_members(path, (".pdf",)) == ["a.pdf"]
    extract(path, "a.pdf", tmp_path / "out", nothing)
    assert (tmp_path / "out").read_bytes() == b"new"


def test_names_of_members() -> None:
    assert member_of("gs://bucket/some.ZIP!/a/b.pdf") == ("gs://bucket/some.ZIP", "a/b.pdf")
    assert member_of("x.tar.gz!/y.zip!/z.pdf") == ("x.tar.gz", "y.zip!/z.pdf")
    assert member_of("what!/a.pdf") is None
    assert is_archive("a.tgz")
    assert not is_archive("a.pdf")


@pytest.mark.parametrize("raw", [b"plain.pdf", b"caf\xe9.pdf", "日本.pdf".encode(), b"a\\xe9.pdf", b"\\x5c\xff\\xzz"])
def test_a_printed_name_is_text_and_leads_back_to_the_file(raw: bytes) -> None:
    name = os.fsdecode(raw)
    assert os.fsencode(file_name(printable(name))) == raw
    printable(name).encode()


def test_two_names_are_never_printed_alike() -> None:
    assert printable(os.fsdecode(b"caf\xe9.pdf")) != printable("caf\\xe9.pdf")
