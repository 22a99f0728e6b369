"""Tasks, their data in three file formats, and the whole command on tiny models."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from deepseek_vl.evaluate.__main__ import main
from deepseek_vl.evaluate.records import Record, read_records
from deepseek_vl.evaluate.runner import with_numbers
from deepseek_vl.evaluate.tasks import TaskError, load_task, shipped_names
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import conversation_row, png, text_row, write

CHOICES = {
    "metric": "multiple_choice",
    "data": "questions.tsv",
    "columns": {"images": "image", "question": "question", "choices": ["A", "B", "C"], "answer": "answer"},
}


def task_file(folder: Path, content: dict[str, Any], name: str = "task.yaml") -> Path:
    (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / name


def write_tsv(folder: Path) -> None:
    image = base64.b64encode(png(1)).decode()
    rows = [
        ["question", "A", "B", "C", "answer", "image"],
        ["What is it?", "a dog", "a cat", "", "B", image],
        ["Which?", "one", "two", "three", "three", image],
        ["Broken?", "one", "two", "", "C", image],
    ]
    (folder / "questions.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def test_every_shipped_task_is_valid() -> None:
    assert {load_task(name).name for name in shipped_names()} >= {"mmbench", "mmmu", "pope", "chartqa", "mmlu"}


def test_records_of_a_tsv_with_letters_and_texts_as_answers(tmp_path: Path) -> None:
    write_tsv(tmp_path)
    first, second, third = read_records(load_task(task_file(tmp_path, CHOICES)), tmp_path)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.choices, first.expected) == (("a dog", "a cat"), ("a cat",))
    assert (len(second.choices), second.expected) == (3, ("three",))
    assert first.images == (png(1),)
    assert not isinstance(third, Record)
    assert "'C' is none of the 2 choices" in str(third[1])


def test_records_of_jsonl_with_image_files_and_of_parquet_with_lists(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(2))
    lines = [
        {"q": "1?", "a": ["x", "y"], "i": "a.png"},
        {"q": "2?", "a": "z", "i": "../a.png"},
        {"q": "3?", "a": "z", "i": "b.png"},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = {"images": "i", "question": "q", "answer": "a"}
    task = load_task(task_file(tmp_path, {"metric": "anls", "data": "rows.jsonl", "columns": columns}))
    first, outside, missing = read_records(task, tmp_path)
    assert isinstance(first, Record)
    assert (first.images, first.expected, first.prompt) == ((png(2),), ("x", "y"), "<image>\n1?")
    assert not isinstance(outside, Record)
    assert "outside the folder" in str(outside[1])
    assert not isinstance(missing, Record)
    assert "cannot be read" in str(missing[1])

    table = pa.table(
        {
            "question": ["See <image 1> and <image 2>."],
            "options": ["['one', 'two']"],
            "answer": ["A"],
            "image_1": [{"bytes": png(1), "path": None}],
            "image_2": [{"bytes": png(2), "path": None}],
            "kind": ["x"],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    content = {
        "metric": "multiple_choice",
        "data": "m.parquet",
        "images_in_question": True,
        "columns": {
            "images": ["image_1", "image_2"],
            "question": "question",
            "choices": "options",
            "answer": "answer",
            "group": "kind",
        },
    }
    (record,) = read_records(load_task(task_file(tmp_path, content)), tmp_path)
    assert isinstance(record, Record)
    assert record.prompt == "See <image> and <image>."
    assert (record.choices, record.expected, record.group) == (("one", "two"), ("one",), "x")


def numbered(tmp_path: Path, question: str, options: str, num_images: int = 3) -> "Record | str":
    """Return the record of a row in the layout of MMMU, or why there is none."""
    row: dict[str, Any] = {"id": "q", "question": question, "options": options, "answer": "B", "subfield": "x"}
    row |= {f"image_{k}": {"bytes": png(k), "path": None} if k <= num_images else None for k in range(1, 8)}
    row["question_type"] = "multiple-choice"
    folder = tmp_path / "mmmu"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist([row]), folder / "validation.parquet")
    (found,) = read_records(load_task("mmmu"), tmp_path)
    return found if isinstance(found, Record) else str(found[1])


def test_numbered_marks_name_images_in_any_order_and_more_than_once(tmp_path: Path) -> None:
    record = numbered(tmp_path, "See <image 3>, then <image 1>, <image 3> again.", "['one', 'two']")
    assert isinstance(record, Record)
    assert record.prompt == "See <image>, then <image>, <image> again."
    assert record.images == (png(3), png(1), png(3))


def test_choices_with_images_are_asked_for_by_their_letters(tmp_path: Path) -> None:
    record = numbered(tmp_path, "Which of them?", "['<image 1>', '<image 2>', 'none']")
    assert isinstance(record, Record)
    assert record.prompt == "Which of them?\nA. <image>\nB. <image>\nC. none"
    assert (record.images, record.choices, record.expected) == ((png(1), png(2)), ("A", "B", "C"), ("B",))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("<image>\nWhat is it?", "What is it?"),
        ("What is <image> then?", "What is  then?"),
        ("<image>\n<image>\nWhich?", "Which?"),
        ("<image>\nA. <image>\nB. <image>", "A. (image 2)\nB. (image 3)"),
        ("No picture?", "No picture?"),
    ],
)
def test_the_scorer_reads_images_first_and_is_told_which_was_where(prompt: str, expected: str) -> None:
    assert with_numbers(prompt) == expected


def test_a_mark_without_an_image_is_said(tmp_path: Path) -> None:
    assert numbered(tmp_path, "See <image 3>.", "['one', 'two']", 2) == (
        "the question marks image 3, which the row does not hold"
    )


def test_mmbench_has_hints_and_rows_that_name_the_image_of_another(tmp_path: Path) -> None:
    image = base64.b64encode(png(1)).decode()
    rows = [
        ["index", "question", "hint", "A", "B", "C", "D", "answer", "category", "image"],
        ["241", "What is it?", "Look closely.", "a dog", "a cat", "", "", "B", "pets", image],
        ["1000241", "What is it?", "nan", "a cat", "a dog", "nan", "nan", "A", "pets", "241"],
    ]
    (tmp_path / "mmbench").mkdir()
    text = "".join("\t".join(row) + "\n" for row in rows)
    (tmp_path / "mmbench" / "dev.tsv").write_text(text, encoding="utf-8")
    first, second = read_records(load_task("mmbench"), tmp_path)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.prompt, first.images) == ("<image>\nLook closely.\nWhat is it?", (png(1),))
    assert (second.prompt, second.images) == ("<image>\nWhat is it?", (png(1),))
    assert second.expected == ("a cat",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "multiple_choise"}, "did you mean multiple_choice"),
        ({"metrics": "anls"}, "no key metrics; did you mean metric"),
        ({"columns": {"question": "q", "choises": "c", "answer": "a"}}, "did you mean choices"),
        ({"columns": {"question": "q", "answer": "a"}}, "needs columns.choices"),
        ({"max_tokens": "many"}, "max_tokens must be of type int"),
        ({"columns": "q"}, "columns must be a mapping"),
    ],
)
def test_a_mistake_in_a_task_is_one_sentence(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        load_task(task_file(tmp_path, {**CHOICES, **change}))


def test_data_that_is_missing_or_has_other_columns_is_said(tmp_path: Path) -> None:
    task = load_task(task_file(tmp_path, CHOICES))
    with pytest.raises(TaskError, match="put the data there"):
        list(read_records(task, tmp_path))
    (tmp_path / "questions.tsv").write_text("question\tA\n1\t2\n")
    with pytest.raises(TaskError, match="has no column image"):
        list(read_records(task, tmp_path))
    with pytest.raises(TaskError, match="did you mean mmbench"):
        load_task("mmbensh")


@pytest.mark.slow
def test_two_models_side_by_side_on_several_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write_checkpoint(tmp_path / "a" / "model", tiny.HYBRID)
    tiny.write_checkpoint(tmp_path / "b" / "model", tiny.SINGLE)
    write_tsv(tmp_path)
    rows = [{**conversation_row(k), "split": "validation"} for k in range(3)]
    rows += [{**text_row(k), "split": "validation"} for k in range(3)]
    rows += [{**text_row(9), "images": [{"bytes": b"no", "path": None}], "text": "<image> x", "split": "validation"}]
    write(tmp_path, rows)
    choose = task_file(tmp_path, CHOICES, "choose.yaml")
    texts = {
        "metric": "perplexity",
        "data": "data",
        "columns": {"text": "text", "messages": "messages", "images": "images"},
    }
    arguments = [str(tmp_path / "a" / "model"), str(choose), str(task_file(tmp_path, texts, "texts.yaml"))]
    arguments += ["held_out_answers", "--data", str(tmp_path), "--compare", str(tmp_path / "b" / "model")]
    assert main([*arguments, "--output", str(tmp_path / "out"), "--device", "cpu", "--dtype", "float32"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"choose +multiple_choice +2 ", shown)
    assert "guessing: 0.417" in shown
    assert "1 rows not usable" in shown
    assert "1 records in error" in shown
    assert "choose: a minus b" in shown or "choose: a/model minus b/model" in shown
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [found["tasks"][1]["score"]["mean"] > 100 for found in results] == [True, True]  # untrained: of 512 tokens
    answers = [json.loads(line) for line in (tmp_path / "out" / "answers.jsonl").read_text().splitlines()]
    assert len(answers) == 2 * (2 + 7 + 3)
    assert (tmp_path / "out" / "results.svg").read_text().startswith("<svg")


@pytest.mark.slow
def test_a_blind_model_is_asked_the_same_without_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tmp_path / "a" / "model")
    tiny.write_checkpoint(Path(model), tiny.HYBRID)
    write(tmp_path, [{**conversation_row(k), "split": "validation"} for k in range(4)])
    arguments = [
        model,
        "held_out_answers",
        "--data",
        str(tmp_path),
        "--blind",
        model,
        "--output",
        str(tmp_path / "out"),
    ]
    assert main([*arguments, "--device", "cpu", "--dtype", "float32"]) == 0
    assert "a minus a (blind)" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "out" / "answers.jsonl").read_text().splitlines()]
    assert ["<image>" in line["prompt"] for line in lines] == [True] * 4 + [False] * 4
    assert not any(line["error"] for line in lines)
    assert len({line["answer"] for line in lines[4:]}) == 1  # the same question, and nothing to look at
