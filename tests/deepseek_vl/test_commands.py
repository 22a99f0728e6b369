"""The commands `score` and `convert`, in a separate process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepseek_vl import checkpoint
from deepseek_vl.scoring import Scorer
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("commands") / "model"
    tiny.write_checkpoint(made, tiny.HYBRID)
    return made


def run(command: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", f"deepseek_vl.{command}", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=200)


def test_score_prints_the_scores_and_names_a_bad_image(folder: Path, tmp_path: Path) -> None:
    images = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(images):
        Image.new("RGB", (30 + n, 20), (90 * n, 0, 0)).save(path)
    images[1].write_bytes(images[1].read_bytes()[:-30])
    questions = ("Is it red?", "Is it text?")
    done = run(
        "score", *images, "--model", folder, "--question", questions[0], "--question", questions[1], "--device", "cpu"
    )
    assert done.returncode == 1, done.stderr
    first, bad, last = [json.loads(line) for line in done.stdout.splitlines()]  # in the order of the images
    assert bad["image"] == str(images[1])
    assert "cannot be decoded" in bad["error"]
    scorer = Scorer(tiny.model(tiny.HYBRID), tiny.processor(tiny.HYBRID))
    expected = np.exp(scorer.score([images[0], images[2]], questions, ("Yes", "No")))
    lines = [first, last]
    assert [line["image"] for line in lines] == [str(images[0]), str(images[2])]
    for line, row in zip(lines, expected, strict=True):
        for answer, question, probabilities in zip(line["answers"], questions, row, strict=True):
            assert answer["question"] == question
            assert list(answer["probabilities"].values()) == pytest.approx(probabilities.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere"], "neither a folder nor a hub id"),
        (["--choices", "Yes"], "at least two different choices"),
        (["--dtype", "int4"], "unknown dtype 'int4'"),
        (["--question", "word " * 600], "the model reads at most 512"),
    ],
)
def test_score_rejects_wrong_arguments(arguments: list[str], message: str, folder: Path) -> None:
    done = run("score", "x.png", "--question", "Is it?", "--model", folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_convert_writes_the_other_layout_and_back(folder: Path, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    done = run("convert", folder, there, "--layout", "authors", "--dtype", "float32")
    assert done.returncode == 0, done.stderr
    assert "authors layout" in done.stdout
    assert run("convert", there, back, "--layout", "native", "--dtype", "float32").returncode == 0
    for name in ("model.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"):
        assert (back / name).read_bytes() == (folder / name).read_bytes()
    loaded = checkpoint.load(there, device=tiny.CPU, dtype=torch.float32)
    assert torch.equal(loaded.language.head.weight, tiny.model(tiny.HYBRID).language.head.weight)
    again = run("convert", folder, there, "--layout", "authors")
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
