"""A dump as arXiv makes it: a tar of gzipped tars, single gzipped files, PDFs without sources, PDFs beside them."""

import gzip
from pathlib import Path

import pyarrow.dataset
import pytest

from pipelines.run import main
from tests.sources.papers.test_papers import PDF, TEX, make_tar


@pytest.mark.slow
def test_a_run_reads_the_papers_of_a_dump(tmp_path: Path) -> None:
    whole = make_tar(tmp_path / "one.tar.gz", {"main.tex": TEX, "main.pdf": PDF, "notes.txt": b"words"}).read_bytes()
    dump = {
        "2401/2401.00001.gz": whole,
        "2401/2401.00002.gz": gzip.compress(TEX + b"% another paper"),
        "2401/2401.00002.pdf": PDF,
        "2401/2401.00003.pdf": PDF,
        "2401/2401.00004.gz": b"\x1f\x8b\x08 damaged",
    }
    (tmp_path / "in").mkdir()
    make_tar(tmp_path / "in/arXiv_src_2401_001.tar", dump)
    settings = ("compile=never", "side_px=200", "dedupe=null")
    arguments = [part for setting in settings for part in ("--set", setting)]
    main(["--source", "papers", "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), *arguments])
    rows = {
        kind: pyarrow.dataset.dataset(tmp_path / "out" / kind).to_table().to_pylist() for kind in ("data", "errors")
    }
    assert {row["uri"][-8:]: row["cause"] for row in rows["errors"]} == {"0003.pdf": "no_source", "00004.gz": "damaged"}
    pages = {
        (row["provenance"]["uri"].rpartition("/")[2], row["provenance"]["locator"]): row["text"] for row in rows["data"]
    }
    assert sorted(pages) == [(f"2401.0000{k}.gz", f"page={page}") for k in (1, 2) for page in (1, 2)]
    for page in ("page=1", "page=2"):
        assert pages["2401.00001.gz", page] == pages["2401.00002.gz", page]
    assert "# Cutting Markup at the Ends of Pages" in pages["2401.00001.gz", "page=1"]
