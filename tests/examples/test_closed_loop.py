"""The closed loop: its small parts, and the whole of it at a size at which nothing is learned but every step works."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from deepseek_vl.processor import Processor
from examples.closed_loop import shards
from examples.closed_loop.__main__ import ROOT, main
from examples.closed_loop.agreement import Judged, auc
from examples.steps import Step, StepError, run_steps

pytestmark = pytest.mark.slow  # all import torch


def row(number: int, text: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": "<image>\nWhat?"}, {"role": "assistant", "content": text}] * 2
    images = [{"bytes": b"", "path": None}]
    return {"id": str(number), "source": "ocr", "images": images, "text": None, "messages": messages, "split": "train"}


def test_auc_is_the_share_of_pairs_in_order() -> None:
    assert auc(np.array([0.9, 0.5]), np.array([0.1, 0.5])) == pytest.approx(3.5 / 4)
    judged = Judged(tuple(np.linspace(0.5, 1, 50)), tuple(np.linspace(0, 0.6, 50)))
    assert judged.auc.low < judged.auc.mean < judged.auc.high
    assert judged.auc.count == 50


def test_unseen_samples_have_answers_that_training_has_not(tmp_path: Path) -> None:
    shards.write(tmp_path / "trained", iter([row(1, "one"), row(2, "two")]))
    assert shards.write(tmp_path / "more", iter([row(3, "two "), row(4, "three")])) == 2
    (found,) = shards.unseen(tmp_path / "more", [tmp_path / "trained"])
    assert shards.answer(found) == "three"
    assert shards.as_caption(found)["text"] == "<image>\nthree"
    assert len(shards.first_turns(found)["messages"]) == 2
    blind = shards.without_images(found)
    assert (blind["images"], blind["messages"][0]["content"]) == ([], "What?")


def test_a_step_that_is_done_is_not_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []

    def fail() -> None:
        raise StepError("no")

    with pytest.raises(StepError, match="no"):
        run_steps([Step("a", "first", lambda: done.append("a")), Step("b", "second", fail)], tmp_path / "steps", "x")
    run_steps([Step("a", "first", fail), Step("b", "second", lambda: done.append("b"))], tmp_path / "steps", "x")
    assert done == ["a", "b"]
    assert "[1/2] first: done before" in capsys.readouterr().out
    with pytest.raises(StepError, match="a loop with other settings"):
        run_steps([], tmp_path / "steps", "y")


def test_what_runs_on_a_gpu_needs_the_model_only() -> None:
    code = (
        "import sys, examples.closed_loop.plan\nprint(*(m for m in ('apache_beam', 'pydantic', 'pymupdf', 'pipelines',"
    )
    code += " 'sources.base', 'matplotlib', 'transformers') if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_a_missing_text_is_said_before_anything_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output", str(tmp_path / "loop"), "--texts", str(tmp_path / "nowhere")]) == 2
    assert "there is no" in capsys.readouterr().err
    assert not (tmp_path / "loop").exists()


def test_the_whole_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "loop"
    command = ["--size", "quick", "--output", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "examples.closed_loop", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = (out / "report.md").read_text("utf-8")
    for part in (
        "words and numbers, exact | 12 |",
        "values of bars, exact | 2 |",
        "AUC 0.",
        "pictures only",
        "stage 3",
    ):
        assert part in report
    assert (out / "compared.svg").read_text("utf-8").count("<rect") == 1 + 2 * 4
    for run in ("stage1", "twin_stage1"):
        lines = [json.loads(line) for line in (out / "runs" / run / "metrics.jsonl").open(encoding="utf-8")]
        assert lines[-1]["loss"] < lines[0]["loss"] - 1, run
    trained = {shards.answer(found) for found in shards.rows(out / "data" / "words")}
    asked = [shards.answer(found) for found in shards.rows(out / "data" / "unseen_words")]
    assert len(asked) == 12
    assert not trained & set(asked)
    blind = pq.read_table(out / "data" / "words_blind" / "data")
    assert blind.num_rows == 96
    assert not any(blind["images"].to_pylist())
    assert Processor.load(out / "exported").config == Processor.load(out / "runs" / "stage3" / "model").config
    capsys.readouterr()
    assert main(command) == 0
    again = capsys.readouterr().out
    assert again.count("done before") == again.count("[") == 23
