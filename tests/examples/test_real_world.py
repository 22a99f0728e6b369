"""The real-world run: what is taken from packages, and the recipe that it gives."""

import gzip
import json
import shutil
from pathlib import Path
from urllib.request import urlopen

import pymupdf
import pytest
from PIL import Image

from examples.real_world import inputs
from examples.real_world.plan import SIZES, different, recipe
from examples.real_world.scans import make_scans
from examples.real_world.site import serving
from pipelines.recipe_file import build_recipe


def write(path: Path, content: bytes, *, packed: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)


def pdf(text: str) -> bytes:
    with pymupdf.open() as document:
        document.new_page().insert_textbox((50, 50, 550, 750), text)
        return bytes(document.tobytes())


def test_files_are_decompressed_and_each_content_is_taken_once(tmp_path: Path) -> None:
    package = tmp_path / "some-doc"
    write(package / "usr/share/doc/some/manual.pdf.gz", b"one", packed=True)
    write(package / "usr/share/doc/some/copy.pdf", b"one")
    write(package / "usr/share/doc/some/other.pdf", b"two")
    assert inputs.sort_files("pdfs", [package], tmp_path / "pdfs") == 2
    found = {path.name: path.read_bytes() for path in (tmp_path / "pdfs").rglob("*.pdf")}
    assert found == {"doc_some_copy.pdf": b"one", "doc_some_other.pdf": b"two"}


def test_papers_come_with_what_they_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "tex-doc/usr/share/doc/thing"
    write(folder / "thing.tex", b"\\documentclass{article}\\input{part}")
    write(folder / "thing.pdf.gz", b"%PDF", packed=True)
    write(folder / "part.tex", b"text")
    write(folder / "alone.tex", b"\\documentclass{article}")
    assert inputs.sort_papers([tmp_path / "tex-doc"], tmp_path / "papers") == 1
    names = {path.name for path in (tmp_path / "papers").rglob("*.*")}
    assert names == {"thing.tex", "thing.pdf", "part.tex"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="manual pages are typeset by groff, which is not installed")
def test_manual_pages_become_text(tmp_path: Path) -> None:
    manual = tmp_path / "manpages/usr/share/man/man1/tell.1.gz"
    write(manual, b".TH TELL 1\n.SH NAME\ntell \\- says a word\n.SH DESCRIPTION\nIt \\fBsays\\fR it.\n", packed=True)
    write(manual.with_name("link.1.gz"), b".so man1/tell.1\n", packed=True)
    assert inputs.write_manuals([tmp_path / "manpages"], tmp_path / "text", workers=2) == 1
    row = json.loads((tmp_path / "text/manpages.jsonl").read_text("utf-8"))
    assert "It says it." in row["text"]
    assert "\x1b" not in row["text"]
    assert row["url"] == "man:usr/share/man/man1/tell.1.gz"


def test_sites_are_served(tmp_path: Path) -> None:
    write(tmp_path / "web-doc/usr/share/doc/web/html/index.html", b"<p>first</p>")
    write(tmp_path / "web-doc/usr/share/doc/web/html/part/index.html", b"<p>part</p>")
    (start,) = inputs.copy_sites([tmp_path / "web-doc"], tmp_path / "site")
    with serving(tmp_path / "site", 0) as root, urlopen(f"{root}/{start}", timeout=10) as answer:
        assert answer.read() == b"<p>first</p>"


def test_scans_hold_the_text_of_their_pages(tmp_path: Path) -> None:
    (tmp_path / "long.pdf").write_bytes(pdf(" ".join(f"word{k}" for k in range(60))))
    (tmp_path / "short.pdf").write_bytes(pdf("too short"))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert make_scans(sorted(tmp_path.glob("*.pdf")), tmp_path / "scans", 5) == 1
    row = json.loads((tmp_path / "scans/text.jsonl").read_text("utf-8"))
    assert row["page"] == "long.pdf 1"
    assert row["text"].split()[59] == "word59"
    with Image.open(tmp_path / "scans" / row["image"]) as image:
        assert max(image.size) > 1000


def test_the_recipe_is_valid_and_names_every_input(tmp_path: Path) -> None:
    kinds = ("pdfs", "papers", "books", "notebooks", "text", "scans", "held_out")
    content = recipe(SIZES["small"], {kind: tmp_path / kind for kind in kinds}, tmp_path / "seeds.txt")
    built = build_recipe(content)
    assert {source.name for source in built.sources if source.input} >= {"pdfs", "papers", "books", "web", "images"}
    assert built.decontaminate == (str(tmp_path / "held_out"),)


def test_outputs_that_differ_are_named(tmp_path: Path) -> None:
    for output, content in (("a", b"1"), ("b", b"2")):
        write(tmp_path / output / "data/train.parquet", content)
        write(tmp_path / output / "ledger/0.parquet", b"same")
    write(tmp_path / "b/errors/0.parquet", b"more")
    assert different(tmp_path / "a", tmp_path / "b") == ["data/train.parquet", "errors/0.parquet"]
