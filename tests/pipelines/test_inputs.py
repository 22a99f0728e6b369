"""Inputs of a run: several flags, archives, web addresses, office documents; each bad one costs itself only."""

import functools
import http.server
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.stages.web_files import download
from pipelines.storage import Storage
from pipelines.workers import office
from sources.base.source import InputError
from sources.pdfs.source import Pdfs
from tests.conftest import Command
from tests.corpus import digests, write_pdf
from tests.emulators import Emulator
from tests.pipelines.test_archive import make_tar, make_zip

needs_office = pytest.mark.skipif(office.program() is None, reason="LibreOffice is not installed")
WORD = "http://schemas.openxmlformats.org"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{WORD}/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{WORD}/package/2006/relationships"><Relationship Id="r1" '
    f'Type="{WORD}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
}


def write_docx(path: Path, text: str) -> Path:
    """The smallest Word document with a paragraph."""
    body = f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
    document = f'<w:document xmlns:w="{WORD}/wordprocessingml/2006/main">{body}</w:document>'
    return make_zip(path, {name: part.encode() for name, part in {**PARTS, "word/document.xml": document}.items()})


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())


def causes(out: Path, below: Path) -> dict[str, str]:
    """The cause of every failed input by its name below a folder."""
    rows = pq.read_table(out / "errors").to_pylist()
    return {row["uri"].removeprefix(f"{below}/"): row["cause"] for row in rows}


def sources(out: Path) -> set[str]:
    return set(pq.read_table(out / "ledger", columns=["uri"])["uri"].to_pylist())


@pytest.mark.slow
def test_every_flag_counts(command: Command, tmp_path: Path) -> None:
    names = [str(write_pdf(tmp_path / f"{name}.pdf", 1, f"Text {name}")) for name in "abc"]
    result = command("--input", names[0], "--output", tmp_path / "out", "--input", names[1], names[2])
    assert result.returncode == 0, result.stderr
    assert sources(tmp_path / "out") == {"a.pdf", "b.pdf", "c.pdf"}


@pytest.mark.slow
def test_archives_are_folders_and_a_bad_one_costs_itself_only(command: Command, tmp_path: Path) -> None:
    files = {
        f"deep/{k}.pdf": write_pdf(tmp_path / "made" / f"{k}.pdf", 2, f"Member {k}").read_bytes() for k in range(8)
    }
    pieces = [dict(list(files.items())[k : k + 2]) for k in range(0, 8, 2)]
    folder = tmp_path / "in"
    folder.mkdir()
    make_zip(folder / "a.zip", pieces[0])
    make_tar(folder / "b.tar", pieces[1])
    make_tar(folder / "c.tar.gz", pieces[2], "w:gz")
    make_tar(folder / "d.tar.xz", pieces[3] | {"../up.pdf": files["deep/0.pdf"], "note.txt": b"no"}, "w:xz")
    make_zip(folder / "nested.zip", {"inner.zip": (folder / "a.zip").read_bytes()})
    (folder / "damaged.zip").write_bytes((folder / "a.zip").read_bytes()[:500])
    (folder / "damaged.tar.gz").write_bytes((folder / "c.tar.gz").read_bytes()[:500])
    make_zip(folder / "empty.zip", {"readme.txt": b"nothing to read"})
    make_zip(folder / "odd.zip", {"not.pdf": b"no PDF"})
    out = tmp_path / "out"
    planned = command("--input", folder, "--output", out, "--dry-run")
    assert "source pdfs: 13 inputs, 18 pages" in planned.stdout, planned.stderr
    assert not out.exists()

    result = command("--input", folder, "--output", out)
    assert result.returncode == 0, result.stderr
    assert manifest(out)["inputs"] == {"matched": 13, "read": 9, "failed": 4}
    assert causes(out, folder) == {
        "nested.zip!/inner.zip": "nested_archive",
        "damaged.zip!/": "damaged",
        "damaged.tar.gz!/": "damaged",
        "odd.zip!/not.pdf": "not_a_pdf",
    }
    names = {"a.zip", "b.tar", "c.tar.gz", "d.tar.xz"}
    members = {f"{name}!/{member}" for name, piece in zip(sorted(names), pieces, strict=True) for member in piece}
    assert sources(out) == members | {"d.tar.xz!/../up.pdf"}  # it has the bytes of a member of a.zip
    assert manifest(out)["samples"]["duplicates"] == {"same_content": 2}
    assert not list(out.glob(".staging/fetched/*"))
    assert not list(tmp_path.rglob("up.pdf"))

    again = command("--input", folder, "--output", out, "--workers", 1)
    assert "0 parts made" in again.stdout
    bare = tmp_path / "bare"
    for name, data in files.items():
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        (bare / name).write_bytes(data)
    assert "0 parts made" in command("--input", bare, "--output", out).stdout  # ids come from content


@pytest.mark.slow
def test_an_archive_without_a_pdf_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"readme.txt": b"nothing to read"})
    result = command("--input", path, "--output", tmp_path / "out")
    assert result.returncode == 2
    assert "the archive holds no file that ends in .pdf" in result.stderr


@pytest.mark.slow
def test_archives_in_a_bucket_are_folders(command: Command, gcs: Emulator, tmp_path: Path) -> None:
    files = {f"{k}.pdf": write_pdf(tmp_path / f"{k}.pdf", 1, f"Member {k}").read_bytes() for k in range(3)}
    make_zip(tmp_path / "a.zip", files)
    make_tar(tmp_path / "b.tgz", {"more.pdf": files["0.pdf"]}, "w:gz")
    for name in ("a.zip", "b.tgz"):
        Storage(f"{gcs.uri}/archives").write_bytes(name, (tmp_path / name).read_bytes())
    result = command("--input", f"{gcs.uri}/archives/*", "--output", f"{gcs.uri}/out", *gcs.options)
    assert result.returncode == 0, result.stderr
    account = json.loads(Storage(f"{gcs.uri}/out").read_bytes("manifest.json"))
    assert account["inputs"] == {"matched": 4, "read": 4, "failed": 0}
    assert account["samples"]["duplicates"] == {"same_content": 1}


@pytest.mark.slow
def test_a_run_in_which_every_input_failed_exits_1(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.pdf").write_bytes(b"This is not a PDF.")
    result = command("--input", tmp_path / "in", "--output", tmp_path / "out")
    assert result.returncode == 1
    assert result.stderr.strip() == "error: none of the 2 inputs could be read"
    assert manifest(tmp_path / "out")["inputs"]["failed"] == 2


@pytest.mark.slow
@needs_office
def test_office_documents_are_read_as_the_pdfs_made_of_them(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = write_docx(folder / "letter.docx", "A letter that is long enough to be kept as a page of text.")
    (folder / "note.rtf").write_bytes(
        rb"{\rtf1 A note in the rich text format, and one more sentence to be long enough.}"
    )
    (folder / "broken.pptx").write_bytes(b"PK no presentation")
    (folder / "locked.doc").write_bytes(office.OLE + bytes(5000))
    make_zip(folder / "mail.zip", {"copy.docx": good.read_bytes()})
    out = tmp_path / "out"
    result = command("--input", folder, "--output", out)
    assert result.returncode == 0, result.stderr
    assert manifest(out)["inputs"] == {"matched": 5, "read": 3, "failed": 2}
    assert causes(out, folder) == {"broken.pptx": "not_a_document", "locked.doc": "not_converted"}
    texts = pq.read_table(out / "data", columns=["text"])["text"].to_pylist()
    assert sorted(text.split("\n", 1)[1][:8] for text in texts) == ["A letter", "A note i"]
    assert manifest(out)["samples"]["duplicates"] == {"same_content": 1}
    assert command("--input", folder, "--output", tmp_path / "second", "--workers", 1).returncode == 0
    assert digests(tmp_path / "second") == digests(out)  # though LibreOffice writes the time into what it makes


@pytest.mark.slow
def test_without_libreoffice_a_document_is_an_error_that_says_what_to_install(command: Command, tmp_path: Path) -> None:
    write_docx(tmp_path / "in.docx", "A letter")
    write_pdf(tmp_path / "a.pdf", 1, "A page")
    out = tmp_path / "out"
    result = command("--input", tmp_path, "--output", out, env={"PATH": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    (row,) = pq.read_table(out / "errors").to_pylist()
    assert row["cause"] == "no_libreoffice"
    assert "apt install libreoffice" in row["message"]


@needs_office
def test_a_conversion_that_takes_too_long_is_killed_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/pid; wait\n")
    slow.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(slow))
    monkeypatch.setattr(office, "TIMEOUT_S", 1)
    with pytest.raises(InputError) as found:
        office.convert(write_docx(tmp_path / "a.docx", "text"), ".docx", tmp_path / "out", lambda: None)
    assert found.value.cause == "timeout"
    pid = int((tmp_path / "pid").read_text())
    assert not os.path.exists(f"/proc/{pid}") or "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `/moved` leads to another address, `/cut.pdf` promises more than it sends."""

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
        elif self.path == "/cut.pdf":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"%PDF-")
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


def test_what_is_on_the_web_is_fetched_through_the_guard(server: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = server
    (folder / "a.pdf").write_bytes(b"data")
    host = address.removeprefix("http://")
    allowed = Pdfs(http=True, http_allow=(host,))
    download(allowed, f"{address}/moved?/a.pdf", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"data"
    for source, uri, cause in (
        (Pdfs(), f"{address}/a.pdf", "http_not_allowed"),
        (Pdfs(http=True), f"{address}/a.pdf", "address_refused"),
        (allowed, f"{address}/gone.pdf", "not_found"),
        (allowed, f"{address}/cut.pdf", "unreadable"),
        (allowed, f"{address}/moved?/moved?/a.pdf", ""),
        (allowed, f"{address}/moved?http://169.254.169.254/latest/meta-data", "address_refused"),
        (allowed, f"{address}/moved?file:///etc/passwd", "address_refused"),
        (allowed, f"{address}/moved?{address}/moved", "unreadable"),
    ):
        if cause:
            with pytest.raises(InputError) as found:
                download(source, uri, tmp_path / "out")
            assert found.value.cause == cause, uri


@pytest.mark.slow
def test_addresses_are_inputs_where_they_are_allowed(
    command: Command, server: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = server
    write_pdf(folder / "a.pdf", 1, "On the web")
    write_pdf(tmp_path / "made" / "b.pdf", 1, "In an archive")
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.write(tmp_path / "made" / "b.pdf", "b.pdf")
    uris = [f"{address}/a.pdf", f"{address}/b.zip", f"{address}/gone.pdf"]
    refused = command("--input", *uris, "--output", tmp_path / "out")
    assert refused.returncode == 2
    assert "--set http=true" in refused.stderr
    allow = f"http_allow=['{address.removeprefix('http://')}']"
    result = command("--input", *uris, "--output", tmp_path / "out", "--set", "http=true", "--set", allow)
    assert result.returncode == 0, result.stderr
    assert sources(tmp_path / "out") == {f"{address}/a.pdf", f"{address}/b.zip!/b.pdf"}
    assert manifest(tmp_path / "out")["failures"] == {"not_found": 1}
