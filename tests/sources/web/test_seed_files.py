"""Seeds from tables: the column with URLs is found by its name or by its values."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from sources.web.seeds import read_seeds
from sources.web.source import Web

A, B = "https://a.example/1", "https://b.example/2?x=1,2"


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("t.csv", f'title,url\nfirst,{A}\n"second, with comma","{B}"\n', "column 'url'"),
        ("t.csv", f"\ufeffURL;title\n{A};x\n{B};y\n", "column 'URL'"),
        ("t.csv", f'{A},x\n"{B}",y\n', "column '1'"),
        ("t.csv", f"# made by hand\nid\tpage_url\n1\t{A}\n2\t{B}\n", "column 'page_url'"),
        ("t.tsv", f"link\turl_hash\n{A}\t1\n{B}\t2\n", "column 'link'"),
        ("t.csv", f'url,target\nhome,{A}\nabout,"{B}"\n', "column 'target'"),
        ("t.csv", f'text,Seite\n"{"x" * 200_000}",{A}\ny,"{B}"\n', "column 'Seite'"),
        ("t.jsonl", f'{{"id": 1, "sourceUrl": "{A}"}}\n\n{{"sourceUrl": "{B}"}}\n', "column 'sourceUrl'"),
        ("t.ndjson", f'"{A}"\n"{B}"\n', "strings"),
        ("t.txt", f"# list\n{A}\n\n{B}\n", "one URL per line"),
        ("t.atom", f"<feed><entry><link href='{A}'/></entry><entry><link href='{B}'/></entry></feed>", "a sitemap"),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_columns_are_found(tmp_path: Path, name: str, content: str, note: str, *, is_compressed: bool) -> None:
    path = tmp_path / (name + ".gz" * is_compressed)
    path.write_bytes(gzip.compress(content.encode()) if is_compressed else content.encode())
    named = read_seeds([str(path)])
    assert (named.pages, named.refused) == ([A, B], [])
    assert note in named.notes[0]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"url_id": [1, 2, 3], "text": ["x", "y", "z"], "link": pa.array([A, None, B]).dictionary_encode()})
    pa.parquet.write_table(table, path, row_group_size=1)
    named = read_seeds([str(path)])
    assert named.pages == [A, B]
    assert [place for place, _, _ in named.refused] == [f"{path}, row 2"]
    with pytest.raises(ValueError, match="no column 'url_id' of text, only text, link"):
        read_seeds([str(path)], "url_id")


def test_rows_without_a_url_are_failed_seeds(tmp_path: Path) -> None:
    table, lines = tmp_path / "t.csv", tmp_path / "t.jsonl"
    table.write_text(f"url,n\n{A},1\n,2\nb.example,3\nshort\n", "utf-8")
    lines.write_text("\n".join([json.dumps({"url": A}), "{broken", '{"url": 7}', "[" * 9999, '{"n": 1}']), "utf-8")
    named = read_seeds([str(table), str(lines)])
    assert named.pages == [A, A]
    assert [place.rpartition(" ")[2] for place, _, _ in named.refused] == ["3", "4", "5", "2", "3", "4", "5"]


def test_a_column_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"url,other\n{A},{A.replace('a.', 'c.')}\n", "utf-8")
    assert read_seeds([str(path)], "other").pages == ["https://c.example/1"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv", b"a,b\n1,2\n", "no column with URLs"),
        ("t.parquet", b"PAR1 no table", "cannot be read"),
        ("t.csv.gz", b"no gzip", "expected URLs or a file of them"),
        ("t.csv.gz", gzip.compress(b"url\n" * 999, mtime=0)[:20], "expected URLs or a file of them"),
        ("t.csv", b"", "names no URL"),
        ("t.jsonl", b"", "names no URL"),
        ("t.csv", b"url\n\xd6\xd0\n", "is not UTF-8"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        read_seeds([str(path)])


def test_the_plan_of_a_run_says_what_is_fetched(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"url\n{A}\n{A}0\n{B}\nnone\n", "utf-8")
    lines = Web(input=(str(path),), depth=0, code=False, delay_s=30).plan(workers=2)
    assert lines[0] == f"{path}: 4 seeds, URLs from column 'url'"
    assert lines[1].startswith("3 pages, from 2 hosts of 2 sites: about 1.0 minutes with 2 workers")
    assert lines[2] == f"1 seeds are not visited (no_url), the first: {path}, line 5"
    assert Web(input=(A,), max_pages=50).plan(2)[0].startswith("at most 50 pages, from 1 host of 1 site:")
