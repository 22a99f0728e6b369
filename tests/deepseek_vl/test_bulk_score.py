"""Scoring shards: resuming, bad rows, the kinds of input, errors of items."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from deepseek_vl import checkpoint, score
from deepseek_vl.choices import ChoiceTrie
from deepseek_vl.scoring import Item, ItemError, Question, Scorer
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ASKED = (Question("what is it?", ("Yes", "No")),)


def png(red: int, side: int = 20) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, 30), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bulk") / "model"
    tiny.write_checkpoint(made, tiny.SINGLE)
    return made


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(tiny.model(tiny.SINGLE), tiny.processor(tiny.SINGLE))


def write_shard(path: Path, images: list[list[bytes] | None]) -> None:
    """Write a shard as the pipelines do: ids, and images as the hub's feature."""
    rows = [
        {"id": f"{path.stem} {n}", "images": None if data is None else [{"bytes": d, "path": None} for d in data]}
        for n, data in enumerate(images)
    ]
    kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([("id", pa.string()), ("images", kind)])), path)


def run(folder: Path, inputs: Path, output: Path, *more: str) -> int:
    question = ["--question", "what is it?", "--device", "cpu", *more]
    return score.main(["--input", str(inputs), "--output", str(output), "--model", str(folder), *question])


def read(output: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        row for path in sorted(output.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    return rows


def test_rows_are_scored_and_bad_ones_become_errors(
    folder: Path, scorer: Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "out" / "data"
    (tmp_path / "out" / "ledger").mkdir(parents=True)
    write_shard(tmp_path / "out" / "ledger" / "ledger.parquet", [[png(1)]])
    (tmp_path / "out" / "manifest.json").write_text("{}")
    write_shard(data / "train" / "a.parquet", [[png(n)] for n in range(7)])
    write_shard(data / "b.parquet", [[png(9)], [png(9)[:50]], None, [], [png(1), png(2)], [b""]])
    assert run(folder, tmp_path / "out", tmp_path / "scores") == 0
    assert [path.name for path in sorted((tmp_path / "scores").iterdir())] == ["b.parquet", "train--a.parquet"]
    rows = read(tmp_path / "scores")
    assert [row["id"] for row in rows] == [*(f"b {n}" for n in range(6)), *(f"a {n}" for n in range(7))]
    assert [row["error"] is None for row in rows] == [True, False, False, False, True, False, *[True] * 7]
    assert rows[2]["error"] == "the row has no image"
    expected = np.exp(scorer.score([png(n) for n in range(7)], ["what is it?"], ("Yes", "No")))
    np.testing.assert_allclose(np.array([row["probabilities"] for row in rows[6:]]), expected, atol=1e-4)
    asked = pq.read_metadata(tmp_path / "scores" / "b.parquet").metadata[b"vellum.questions"]
    assert json.loads(asked) == [{"question": "what is it?", "choices": ["Yes", "No"]}]
    assert "13 of 13 rows (0 from before, 4 errors)" in capsys.readouterr().err


def test_a_stopped_run_goes_on_with_the_same_bytes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        write_shard(tmp_path / "in" / f"{n}.parquet", [[png(10 * n + k)] for k in range(4)])
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run(folder, tmp_path / "in", whole) == 0
    code = f"""
import os, sys
from deepseek_vl import bulk_score, score
finish = bulk_score.BulkScorer.score
def score_then_die(self, shard, progress):
    if shard.name == "1":
        (self.output / ".1.parquet.0.part").write_bytes(b"half")
        os.kill(os.getpid(), 9)
    finish(self, shard, progress)
bulk_score.BulkScorer.score = score_then_die
score.main(["--input", {str(tmp_path / "in")!r}, "--output", {str(stopped)!r}, "--model", {str(folder)!r},
            "--question", "what is it?", "--device", "cpu"])
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == -9
    assert [path.name for path in stopped.glob("*.parquet")] == ["0.parquet"]
    first = (stopped / "0.parquet").stat().st_mtime_ns
    os.utime(stopped / ".1.parquet.0.part", (0, 0))  # of long ago
    capsys.readouterr()
    assert run(folder, tmp_path / "in", stopped) == 0
    assert "12 of 12 rows (4 from before, 0 errors)" in capsys.readouterr().err
    assert (stopped / "0.parquet").stat().st_mtime_ns == first
    assert sorted(path.name for path in stopped.iterdir()) == ["0.parquet", "1.parquet", "2.parquet"]
    assert all((stopped / f"{n}.parquet").read_bytes() == (whole / f"{n}.parquet").read_bytes() for n in range(3))


def test_what_changed_is_scored_again(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(2):
        write_shard(tmp_path / "in" / f"{n}.parquet", [[png(n)]])

    def reused(*more: str) -> str:
        assert run(folder, tmp_path / "in", tmp_path / "scores", *more) == 0
        return capsys.readouterr().err.splitlines()[-1].partition("(")[2].partition(" from")[0]

    assert [reused(), reused()] == ["0", "2"]
    write_shard(tmp_path / "in" / "1.parquet", [[png(200)]])
    assert [reused(), reused()] == ["1", "2"]
    assert [reused("--choices", "1", "2"), reused("--choices", "1", "2")] == ["0", "2"]
    assert reused("--choices", "1", "2", "--quantize", "int8") == "0"
    (tmp_path / "scores" / "0.parquet").write_bytes(b"damaged")
    assert reused("--choices", "1", "2", "--quantize", "int8") == "1"


def test_folders_and_lists_of_images(folder: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (pictures / "deep").mkdir(parents=True)
    (pictures / "a.png").write_bytes(png(1))
    (pictures / "deep" / "b.JPG").write_bytes(png(2))
    (pictures / "notes.txt").write_text("no image")
    assert run(folder, pictures, tmp_path / "of folder") == 0
    assert [row["id"] for row in read(tmp_path / "of folder")] == ["a.png", "deep/b.JPG"]
    lines = [
        '{"image": "a.png", "id": "first"}',
        "{",
        '{"images": ["a.png", "deep/b.JPG"]}',
        "[]",
        '{"image": "no.png"}',
    ]
    (pictures / "list.jsonl").write_text("\n".join(lines))
    assert run(folder, pictures / "list.jsonl", tmp_path / "of list") == 0
    rows = read(tmp_path / "of list")
    assert [row["id"] for row in rows] == ["first", *(f"list.jsonl:{n}" for n in range(2, 6))]
    assert [row["error"] is None for row in rows] == [True, False, True, False, False]


def test_an_unreadable_shard_is_named_and_the_others_are_scored(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shard(tmp_path / "in" / "good.parquet", [[png(1)]])
    (tmp_path / "in" / "bad.parquet").write_bytes(b"PAR1 no")
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "in" / "text.parquet")
    assert run(folder, tmp_path / "in", tmp_path / "scores") == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert "bad.parquet is not a whole Parquet file" in errors[0]
    assert "no column `images` or `image`; its columns are text" in errors[1]
    assert [row["id"] for row in read(tmp_path / "scores")] == ["good 0"]


def test_parts_share_the_shards(folder: Path, tmp_path: Path) -> None:
    for n in range(5):
        write_shard(tmp_path / "in" / f"{n}.parquet", [[png(n)]])
    for part in ("1/2", "2/2"):
        assert run(folder, tmp_path / "in", tmp_path / part[0], "--part", part) == 0
    assert [row["id"] for row in read(tmp_path / "1")] == ["0 0", "2 0", "4 0"]
    assert [row["id"] for row in read(tmp_path / "2")] == ["1 0", "3 0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nowhere", "--output", "x"], "--input nowhere does not exist"),
        (["--input", "pyproject.toml", "--output", "x"], "is no Parquet file"),
        (["--input", "."], "name either images, or --input and --output"),
        (["--input", "docs/howto", "--output", "x"], "holds no Parquet file, image or line"),
        (["x.png", "--part", "3/2"], "expected a number and a count"),
        (["x.png", "--choices", "Yes", " Yes"], "white space makes no difference"),
    ],
)
def test_mistakes_in_the_command_are_named(
    arguments: list[str],
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert score.main([*arguments, "--model", str(folder), "--question", "Is it?"]) == 2
    assert message in capsys.readouterr().err


def test_a_bad_image_costs_only_its_item(scorer: Scorer) -> None:
    images = [png(n) for n in range(7)]
    images[3] = b"no image"
    results = list(scorer.score_items(Item((image,), ASKED) for image in images))
    assert [isinstance(result, ItemError) for result in results] == [n == 3 for n in range(7)]
    alone = scorer.score([images[6]], ["what is it?"], ("Yes", "No"))[0]
    assert not isinstance(results[6], ItemError)
    np.testing.assert_allclose(results[6], alone, atol=1e-5)
    assert next(iter(scorer.score_items([ItemError("not there"), Item((b"",), ASKED)]))) == ItemError("not there")


def test_logits_that_are_not_finite_cost_only_their_item(tmp_path: Path) -> None:
    """The embedding of one token is broken: items that hold it have no scores, the others are not touched."""
    model = tiny.model(tiny.SINGLE)
    processor = tiny.processor(tiny.SINGLE)
    broken = processor.tokenizer.encode(" 5", add_special_tokens=False).ids[-1]
    questions = [
        (Question(text, ("Yes", "No")),) for text in ("what is it?", "number 5", "what?", "number 5 5", "is it?")
    ]
    items = [Item((png(3),), asked) for asked in questions]
    expected = list(Scorer(model, processor).score_items(items))
    with torch.no_grad():
        model.language.embedding.weight[broken] = float("nan")
    results = list(Scorer(model, processor).score_items(items))
    assert [isinstance(result, ItemError) for result in results] == [False, True, False, True, False]
    assert "no finite logits" in str(results[1])
    for n in (0, 2, 4):
        np.testing.assert_allclose(results[n], expected[n], atol=1e-5)


@pytest.mark.parametrize("choices", [("Yes", "Yes "), ("a b", "a  b"), ("x", "\tx"), ("no\n", "no", "yes")])
def test_choices_that_differ_by_white_space_are_refused(choices: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="white space makes no difference"):
        Question("Is it?", choices)


def test_choices_of_the_same_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="have the same tokens"):
        ChoiceTrie.of([(5, 6), (7,), (5, 6)], eos=1)


def test_fixed_questions_are_tokenized_once(scorer: Scorer) -> None:
    before = scorer._planned.cache_info().misses
    asked = (Question("is it new?", ("Yes", "No")), Question("is it old?", ("1", "2")))
    list(scorer.score_items(Item((png(n),), asked) for n in range(20)))
    # Threads that begin at the same time may each plan the first one.
    assert scorer._planned.cache_info().misses <= before + scorer.threads


def test_the_digest_of_a_checkpoint_follows_its_files(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    checkpoint.save(tiny.model(tiny.SINGLE), copy)
    tiny.tokenizer().save(str(copy / "tokenizer.json"))
    assert checkpoint.digest(copy) == checkpoint.digest(folder)
    checkpoint.save(tiny.model(tiny.SINGLE, seed=2), copy)
    assert checkpoint.digest(copy) != checkpoint.digest(folder)


def test_two_runs_into_one_folder_give_the_bytes_of_one(folder: Path, tmp_path: Path) -> None:
    for n in range(3):
        write_shard(tmp_path / "in" / f"{n}.parquet", [[png(10 * n + k)] for k in range(4)])
    command = [sys.executable, "-m", "deepseek_vl.score", "--input", str(tmp_path / "in"), "--model", str(folder)]
    command += ["--question", "what is it?", "--device", "cpu", "--output"]
    running = [subprocess.Popen([*command, str(tmp_path / "both")], cwd=ROOT, stderr=-1) for _ in range(2)]
    assert [(process.communicate()[1] is None, process.returncode) for process in running] == [(False, 0)] * 2
    assert run(folder, tmp_path / "in", tmp_path / "one") == 0
    both, one = (sorted((tmp_path / name).iterdir()) for name in ("both", "one"))
    assert [(path.name, path.read_bytes()) for path in both] == [(path.name, path.read_bytes()) for path in one]


def test_an_image_that_changed_is_scored_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name and size may be the same; lists name images whose content is not in the list."""
    (tmp_path / "in").mkdir()
    pictures = [Image.new("RGB", (9, 9), (red, 0, 0)) for red in (1, 2)]
    (tmp_path / "list.jsonl").write_text(json.dumps({"image": "in/a.bmp"}) + "\n")
    for source, output in (("in", "in"), ("list.jsonl", "scores")):  # scores among the images are no input
        for n, picture in enumerate(pictures):
            picture.save(tmp_path / "in" / "a.bmp")
            assert run(folder, tmp_path / source, tmp_path / output) == 0
            assert "(0 from before" in capsys.readouterr().err.splitlines()[-1], (source, n)


def test_text_that_is_not_unicode_costs_nothing_else(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"id": "\ud800", "image": "a.png"}, {"image": "b\udc80.png"}, {"image": "a\x00.png"}]
    (tmp_path / "a.png").write_bytes(png(3))
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(folder, tmp_path / "list.jsonl", tmp_path / "scores") == 0
    rows = read(tmp_path / "scores")
    assert [(row["id"], row["error"] is None) for row in rows] == [
        ("\ufffd", True), ("list.jsonl:2", False), ("list.jsonl:3", False)
    ]  # fmt: skip
    bad = tmp_path / os.fsdecode(b"\x80.png")
    bad.write_bytes(b"")
    capsys.readouterr()
    arguments = [str(bad), str(tmp_path / "a.png"), "--model", str(folder), "--question", os.fsdecode(b"what \x80?")]
    assert score.main(arguments) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["image"].endswith("\ufffd.png")
    assert "not an image" in first["error"]
    assert second["answers"][0]["question"] == "what \ufffd?"


def test_an_empty_file_and_a_folder_that_cannot_be_written_are_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.jsonl").touch()
    (tmp_path / "a.png").write_bytes(png(3))
    inputs = ["--input", str(tmp_path / "none.jsonl"), str(tmp_path / "a.png"), "--model", str(folder)]
    inputs += ["--question", "what is it?", "--output"]
    assert score.main([*inputs, str(tmp_path / "scores")]) == 1
    assert "none.jsonl is empty" in capsys.readouterr().err
    assert len(read(tmp_path / "scores")) == 1
    assert score.main([*inputs, "/proc/self/fd"]) == 2
    assert "error: " in capsys.readouterr().err.splitlines()[-1]
