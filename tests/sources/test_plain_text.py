"""Texts and conversations from rows and plain text files."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.base.sample import Sample
from sources.base.source import InputError, ItemError
from sources.plain_text import PlainText
from sources.text.cleaning import clean

QUESTION, ANSWER = "What is a row group?", "A run of rows that is stored together."


def outcomes(path: Path, **options: Any) -> list[Sample | ItemError]:
    found: list[Sample | ItemError] = []
    with PlainText(**options).open(path) as items:
        for item in range(len(items)):
            try:
                found.append(items[item])
            except ItemError as error:
                found.append(error)
    return found


def samples(path: Path, **options: Any) -> list[Sample]:
    found = outcomes(path, **options)
    assert all(isinstance(each, Sample) for each in found), found
    return found  # type: ignore[return-value]


def causes(path: Path, **options: Any) -> list[str]:
    return [each.cause if isinstance(each, ItemError) else "" for each in outcomes(path, **options)]


def write(path: Path, rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def note(path: Path, **options: Any) -> str:
    with PlainText(**options).open(path) as items:
        return items.note


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]},
        {"conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": ANSWER}], "text": "other"},
        {
            "conversations": [
                {"from": "user", "value": QUESTION},
                {"from": "gpt", "value": ANSWER},
                {"from": "human", "value": "?"},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
                {"role": "model", "content": ANSWER},
            ]
        },
        {"instruction": QUESTION, "input": "", "output": ANSWER},
        {"prompt": QUESTION, "response": ANSWER, "id": 7},
    ],
)
def test_published_conversations_become_messages(tmp_path: Path, row: dict[str, Any]) -> None:
    (sample,) = samples(write(tmp_path / "input", [row]))
    assert [(m.role, m.content) for m in sample.messages or ()] == [("user", QUESTION), ("assistant", ANSWER)]
    assert sample.text is None
    assert sample.images == ()


def test_the_context_of_a_question_follows_it(tmp_path: Path) -> None:
    (sample,) = samples(write(tmp_path / "input", [{"instruction": "Translate.", "input": "水", "output": "water"}]))
    assert sample.messages is not None
    assert sample.messages[0].content == "Translate.\n\n水"


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        ("no list", "not_a_conversation"),
        ([], "not_a_conversation"),
        ([["user", "a"]], "not_a_conversation"),
        ([{"role": "user", "content": 7}], "not_a_conversation"),
        ([{"role": "user", "content": "a"}], "no_answer"),
        ([{"role": "tool", "content": "a"}, {"role": "assistant", "content": "b"}], "unknown_role"),
        ([{"role": "assistant", "content": "b"}], "turns_out_of_order"),
        ([{"role": "user", "content": "a"}] * 2 + [{"role": "assistant", "content": "b"}], "turns_out_of_order"),
        ([{"role": "user", "content": " "}, {"role": "assistant", "content": "b"}], "empty_turn"),
        ([{"role": "user", "content": "<image>\na"}, {"role": "assistant", "content": "b"}], "image_placeholder"),
        ([{"role": "user", "content": "\ufeff"}, {"role": "assistant", "content": "b"}], "no_text"),
    ],
)
def test_what_is_no_conversation_is_an_error_of_its_row(tmp_path: Path, turns: Any, cause: str) -> None:
    good = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
    assert causes(write(tmp_path / "input", [{"messages": turns}, {"messages": good}])) == [cause, ""]


@pytest.mark.parametrize(
    ("value", "cause"),
    [(None, "no_text"), ("", "no_text"), (" \n", "no_text"), (7, "not_text"), ("see <image>", "")],
)
def test_what_is_no_text_is_an_error_of_its_row(tmp_path: Path, value: Any, cause: str) -> None:
    assert causes(write(tmp_path / "input", [{"text": value}, {"text": "a"}, {"other": 1}])) == [cause, "", "no_text"]


def test_half_a_surrogate_pair_is_an_error_of_its_row(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b'{"text": "\\ud83d"}\n{"text": "\\ud83d\\ude00"}\n')
    assert causes(tmp_path / "input") == ["not_unicode", ""]


def test_columns_are_guessed_and_the_guess_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "input", [{"content": "a", "url": "https://example.org/1", "license": "cc0-1.0"}])
    assert note(path) == "guessed columns={text: content, url: url, license: license}"
    (sample,) = samples(path)
    assert (sample.provenance.uri, sample.provenance.license) == ("https://example.org/1", "cc0-1.0")
    assert note(path, columns={"text": "content", "url": "url", "license": "license"}) == ""
    assert samples(write(tmp_path / "b", [{"content": "a", "url": "javascript:b"}]))[0].provenance.uri == ""


def test_only_columns_that_are_needed_are_read_from_parquet(tmp_path: Path) -> None:
    table = pa.table({"id": ["x", "y"], "abstract": ["one", "two"], "picture": [b"\xff" * 100] * 2})
    pq.write_table(table, tmp_path / "input")
    assert [sample.text for sample in samples(tmp_path / "input", columns={"text": "abstract"})] == ["one", "two"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no column of text is known; it has id, abstract"),
        ({"columns": {"text": "body"}}, "no column 'body' for text; it has id, abstract"),
    ],
)
def test_wrong_columns_are_an_error_of_the_input(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        outcomes(write(tmp_path / "input", [{"id": 1, "abstract": "a"}]), **options)
    assert caught.value.cause == "wrong_columns"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "csv"}, "format must be one of auto"),
        ({"split_by": "page"}, "split_by must be document or line"),
        ({"columns": {"body": "text"}}, "unknown meaning 'body'"),
        ({"columns": {"question": "q"}}, "a question together with its answer"),
        ({"columns": {"text": "a", "messages": "b"}}, "a sample has one content"),
        ({"encodings": ("latin", "utf9")}, "unknown encoding 'utf9'"),
        ({"encodings": ()}, "at least one encoding"),
        ({"chunk_kb": 0}, "chunk_kb must be between"),
        ({"max_row_mb": 0}, "max_row_mb must be above 0"),
    ],
)
def test_wrong_settings_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlainText(**options)


def test_a_text_file_is_one_sample_and_a_long_one_several(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {k} has a few words, and ends here." for k in range(200)]
    (tmp_path / "book.txt.gz").write_bytes(gzip.compress("\n\n".join(paragraphs).encode()))
    assert len(samples(tmp_path / "book.txt.gz")) == 1
    parts = [sample.text or "" for sample in samples(tmp_path / "book.txt.gz", chunk_kb=2)]
    assert len(parts) == 5
    assert [p for part in parts for p in part.split("\n\n")] == paragraphs


def test_lines_can_be_texts(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes("one\n\ntwo\r\n\xff".encode("latin-1"))
    assert causes(tmp_path / "input", split_by="line") == ["", "", "wrong_encoding"]
    texts = [sample.text for sample in samples(tmp_path / "input", split_by="line", encodings=("utf-8", "latin-1"))]
    assert texts == ["one", "two", "ÿ"]


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab.é字🦙 \n"), max_size=8000), st.integers(1, 3))
def test_chunks_join_to_the_whole_text(tmp_path_factory: pytest.TempPathFactory, text: str, chunk_kb: int) -> None:
    from sources.plain_text.chunks import Chunks
    from sources.rows.bytes_file import open_bytes

    path = tmp_path_factory.mktemp("chunks") / "input"
    path.write_bytes(text.encode())
    chunks = Chunks(open_bytes(path, "none"), chunk_kb * 1000)
    parts = [chunks[k] for k in range(len(chunks))]
    assert b"".join(parts) == text.encode()
    assert "".join(part.decode() for part in parts) == text
    assert all(0 < len(part) <= 1500 * chunk_kb for part in parts)


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a \t\n\n\n\n  b  ", "a\n\n  b"),
        ("\n\n    indented\n", "    indented"),
        ("e\u0301te\u0301", "été"),
        ("a\x00\x1b\ufeff\u00adb\tc", "ab\tc"),
        ("schÃ¶n und cafÃ©", "schön und café"),
        ("naïve façade Â£5 – “done”", "naïve façade £5 – “done”"),
        ("ÇA VA", "ÇA VA"),
        ("👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"),
    ],
)
def test_cleaning(dirty: str, expected: str) -> None:
    assert clean(dirty, repair=True) == expected
    assert clean(expected, repair=True) == expected


def test_repair_can_be_switched_off() -> None:
    assert clean("cafÃ©", repair=False) == "cafÃ©"


def test_ids_depend_on_content_and_place_alone(tmp_path: Path) -> None:
    rows = [{"text": f"text {k}"} for k in range(100)]
    first = samples(write(tmp_path / "a.jsonl", rows))
    assert [s.id for s in samples(write(tmp_path / "b.json", rows))] == [s.id for s in first]
    assert len({s.id for s in first}) == 100
    assert first[16].provenance.locator == PlainText().locator(16) == "item=17"
