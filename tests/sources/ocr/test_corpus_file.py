"""Corpus files: clean paragraphs from text, JSONL and Parquet files; errors are counted or reported in one sentence."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.base.source import InputError
from sources.ocr.corpus_file import MAX_PARAGRAPH, CorpusFile, gather, merge

ENGLISH = "A paragraph of plain English that is long enough to be taken."
CHINESE = "这是一段足够长的中文，可以用来填满一页纸。"


def _gather(path: Path, text_key: str = "text") -> tuple[list[tuple[str, str]], dict[str, int]]:
    out = path.with_suffix(".arrow")
    dropped = gather(path, path.name, text_key, out, lambda: None)
    return list(CorpusFile(out).all()), dict(dropped)


def test_paragraphs_of_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(
        f"\ufeff{ENGLISH}\n\n{CHINESE[:10]}\n{CHINESE[10:]}\r\n\r\nhard\x00 wrapped\ttext that goes on\n"
        "in the next line".encode()
    )
    found, dropped = _gather(path)
    assert found == [("en", ENGLISH), ("en", "hard wrapped text that goes on in the next line"), ("zh", CHINESE)]
    assert dropped == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"broken \xff\xfe bytes in a paragraph that is long enough", "not_utf8"),
        ("an unassigned \u0378 code point in a long paragraph".encode(), "unassigned_character"),
        ("ეს არის ქართული ტექსტი, რომელიც საკმარისად გრძელია".encode(), "unsupported_script.Georgian"),
        (b"short", "too_short"),
        (b"there is a word " + b"x" * 60 + b" in it that no column holds", "long_word"),
        ("letters and \U00013000 hieroglyphs in one paragraph".encode(), "no_font.Egyptian Hieroglyphs"),
    ],
)
def test_unusable_paragraphs_are_counted_by_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    found, dropped = _gather(path)
    assert (found, dropped) == ([], {reason: 1})


def test_only_the_named_languages_are_kept(tmp_path: Path) -> None:
    path, out = tmp_path / "a.txt", tmp_path / "a.arrow"
    path.write_text(f"{ENGLISH}\n\n{CHINESE}")
    assert gather(path, path.name, "text", out, lambda: None, ("zh",)) == {"other_language.en": 1}
    assert list(CorpusFile(out).all()) == [("zh", CHINESE)]
    assert gather(path, path.name, "text", out, lambda: None, ("de",)) == {"other_language.zh": 1}
    assert list(CorpusFile(out).all()) == [("de", ENGLISH)]


def test_a_line_of_a_million_characters_is_cut_into_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "One sentence of nine words stands here for many. " * 30_000
    path.write_text(text)
    found, dropped = _gather(path)
    assert dropped == {}
    assert max(len(text) for _, text in found) <= MAX_PARAGRAPH
    assert "".join("".join(piece.split()) for _, piece in found) == "".join(text.split())


MARKDOWN = """---
title: front matter is no text
---
# A heading that is long enough to be kept

Some **bold** and *slanted* words, `code`, a [link](https://example.org) and 2 \\* 3 stars
on two lines.

| first column of the table | second |
|---|---:|
| a cell | 12 |

- an item of a list with ~~struck~~ words in it
  1. a nested item that is also long enough

> A quotation that somebody put into the text.

```python
print("code is no running text, however long it is")
```

<div class="x">HTML is left out as well, as it is markup</div>
"""


def test_markdown_is_read_without_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(MARKDOWN)
    found, dropped = _gather(path)
    assert [text for _, text in found] == [
        "A heading that is long enough to be kept",
        "Some bold and slanted words, code, a link and 2 * 3 stars on two lines.",
        "first column of the table; second",
        "an item of a list with struck words in it",
        "a nested item that is also long enough",
        "A quotation that somebody put into the text.",
    ]
    assert dropped == {"too_short": 1}


def test_rows_of_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        "\n".join(
            [json.dumps({"body": ENGLISH}), "{no json", json.dumps({"body": 3}), "", json.dumps({"body": CHINESE})]
        )
    )
    found, dropped = _gather(path, "body")
    assert found == [("en", ENGLISH), ("zh", CHINESE)]
    assert dropped == {"not_json": 1, "not_text": 1}


def test_error_for_a_missing_field_names_the_existing_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"body": ENGLISH, "id": 1}))
    with pytest.raises(InputError, match="line 1 has no field 'text'; it has body, id"):
        _gather(path)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": [ENGLISH], "n": [1]}), path)
    with pytest.raises(InputError, match="no column 'text'; it has body, n"):
        _gather(path)
    with pytest.raises(InputError, match="the column 'n' is int64, expected text"):
        _gather(path, "n")
    assert _gather(path, "body")[0] == [("en", ENGLISH)]


def test_damaged_parquet_file_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 is all there is")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        _gather(path)


def test_paragraphs_are_found_by_number_over_many_batches(tmp_path: Path) -> None:
    paths = []
    for part in range(2):
        path = tmp_path / f"{part}.txt"
        path.write_text("\n\n".join(f"{ENGLISH} Number {part} {k}.\n\n{CHINESE}第{part}、{k}段。" for k in range(5000)))
        out = path.with_suffix(".arrow")
        gather(path, path.name, "text", out, lambda: None)
        paths.append(out)
    assert merge(paths, tmp_path / "whole") == {"en": 10_000, "zh": 10_000}
    corpus = CorpusFile(tmp_path / "whole")
    assert corpus.languages() == ("en", "zh")
    for number in (0, 4095, 4096, 5000, 9999):
        assert corpus.paragraph("en", number).endswith(f"Number {number // 5000} {number % 5000}.")
        assert corpus.paragraph("zh", number).endswith(f"第{number // 5000}、{number % 5000}段。")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_arbitrary_bytes_give_printable_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.txt"
    path.write_bytes(content)
    found, _ = _gather(path)
    for _, text in found:
        assert text.isprintable()
