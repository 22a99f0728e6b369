"""Whole trainings of a tiny model: interrupted anywhere, on one or two processes, they give the same."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from deepseek_vl import checkpoint
from deepseek_vl.train.__main__ import main
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import conversation_row, image_row, text_row, write, write_settings

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
TIMES = {"tokens_per_s", "data_wait"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model to start from and data sets of each kind."""
    folder = tmp_path_factory.mktemp("training")
    tiny.write_checkpoint(folder / "model", tiny.HYBRID)
    write(folder / "text", [text_row(k, words=k % 20) for k in range(60)])
    write(folder / "pages", [image_row(k, words=k % 10) for k in range(40)])
    write(folder / "talk", [conversation_row(k) for k in range(20)])
    return folder


def sources(base: Path) -> list[dict[str, Any]]:
    return [
        {"path": str(base / "text"), "group": "text"},
        {"path": str(base / "pages"), "weight": 2},
        {"path": str(base / "talk"), "weight": 1},
    ]


def settings(base: Path, folder: Path, *, text_share: bool = True, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    data = {"tokens": 200, "lanes": 2, "rows_per_block": 20, "workers": 2, "sources": sources(base)}
    if text_share:
        data["text_share"] = {"start": 1.0, "end": 0.5, "steps": 4}
    return write_settings(folder / "a.yaml", base / "model", data=data, **changes)


def run(path: Path, *changes: str, processes: int = 1, **how: Any) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m"]
    if processes > 1:
        line += [
            "torch.distributed.run",
            "--nproc-per-node",
            str(processes),
            "--master-port",
            "0",
            "--standalone",
            "-m",
        ]
    line += ["deepseek_vl.train", str(path), *(word for change in changes for word in ("--set", change))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(line, cwd=ROOT, env=environment, text=True, capture_output=True, check=False, **how)


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found = load_file(folder / "run" / "model" / "model.safetensors")
    return dict(sorted(found.items()))


@pytest.fixture(scope="module")
def undisturbed(base: Path) -> Path:
    folder = base / "undisturbed"
    done = run(settings(base, folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_training_writes_its_log_and_a_model_that_transformers_reads(undisturbed: Path) -> None:
    lines = metrics(undisturbed)
    assert [line["step"] for line in lines] == list(range(1, 9))
    assert [("loss/text" in line, "loss/pages" in line) for line in lines[:1]] == [(True, False)]
    assert sum("loss/text" in line for line in lines) == pytest.approx(5, abs=1)
    assert all(("loss/text" in line) != ("loss/pages" in line) for line in lines)  # each step reads one group
    assert sorted(path.name for path in (undisturbed / "run" / "checkpoints").iterdir()) == [
        "step-000006",
        "step-000008",
    ]
    ours = checkpoint.load(undisturbed / "run" / "model", device=tiny.CPU, dtype=torch.float32)
    theirs = AutoModelForImageTextToText.from_pretrained(undisturbed / "run" / "model", dtype=torch.float32).eval()
    tokens = torch.arange(3, 40)[None]
    with torch.no_grad():
        expected = theirs(input_ids=tokens).logits
        torch.testing.assert_close(
            ours(tokens, torch.zeros(0, dtype=torch.int64), None), expected, rtol=1e-4, atol=1e-4
        )


def test_a_training_killed_at_random_moments_gives_the_same_to_the_bit(base: Path, undisturbed: Path) -> None:
    folder = base / "killed"
    path = settings(base, folder)
    generator = random.Random(os.urandom(8))
    line = [sys.executable, "-m", "deepseek_vl.train", str(path)]
    num_killed = 0
    while num_killed < 4:
        with subprocess.Popen(
            line, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
        ) as one:
            log = folder / "run" / "metrics.jsonl"
            before = log.stat().st_size if log.is_file() else 0
            while one.poll() is None and (not log.is_file() or log.stat().st_size <= before):
                time.sleep(0.01)
            time.sleep(generator.random() * 0.5)
            one.send_signal(signal.SIGKILL)
        num_killed += 1
    done = run(path)
    assert done.returncode == 0, done.stderr
    assert metrics(folder) == metrics(undisturbed)
    expected = weights(undisturbed)
    assert all(torch.equal(value, expected[name]) for name, value in weights(folder).items())


def test_two_processes_learn_what_one_learns(base: Path, undisturbed: Path) -> None:
    folder = base / "two"
    done = run(settings(base, folder), processes=2)
    assert done.returncode == 0, done.stderr
    for ours, one in zip(metrics(folder), metrics(undisturbed), strict=True):
        assert ours == pytest.approx(one, rel=1e-3)


def test_a_training_continues_on_another_number_of_processes(base: Path, undisturbed: Path) -> None:
    folder = base / "grown"
    path = settings(base, folder)
    first = run(path, "optimization.steps=8", "saving.every_steps=4", timeout=300)
    assert first.returncode == 0, first.stderr
    # Remove the last checkpoint, as if the training had been killed after step 4.
    last = folder / "run" / "checkpoints" / "step-000008"
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    done = run(path, "saving.every_steps=4", processes=2)
    assert done.returncode == 0, done.stderr
    for ours, one in zip(metrics(folder), metrics(undisturbed), strict=True):
        assert ours == pytest.approx(one, rel=1e-3)


def test_steps_that_mix_text_and_images_run_on_two_processes(base: Path) -> None:
    folder = base / "mixed"
    done = run(settings(base, folder, text_share=False), "data.max_images=1", processes=2)
    assert done.returncode == 0, done.stderr
    assert any("loss/text" in line and "loss/pages" in line for line in metrics(folder))


def test_lora_is_saved_apart_and_merged_into_the_model(base: Path) -> None:
    folder = base / "lora"
    done = run(settings(base, folder), "lora.rank=2", 'lora.layers=["language.blocks.*"]')
    assert done.returncode == 0, done.stderr
    matrices = load_file(folder / "run" / "lora" / "adapter_model.safetensors")
    assert len(matrices) == 2 * 4 * tiny.LANGUAGE.layers
    start = load_file(base / "model" / "model.safetensors")
    changed = {name for name, value in weights(folder).items() if not torch.equal(value, start[name])}
    assert any("language_model.layers" in name for name in changed)
    assert all("aligner" in name or "language_model.layers" in name for name in changed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["model=gone"], "neither a folder nor a hub id"),
        (["data.sources.1.path=gone"], r"data\.sources\.1: gone does not exist"),
        (["data.lanes=1", "optimization.sequences=1", "data.sources.0.where=agreement > 7"], "nothing to learn"),
        (["data.too_long=refuse", "data.tokens=40"], "a sequence holds 40 tokens"),
        (["model=pico", "tokenizer=null"], "needs the folder of a tokenizer.json"),
        (["model=1.3b", "tokenizer={model}"], "the tokenizer's <｜begin▁of▁sentence｜> is 0"),
        (["data.tokens=5000"], "must be at most 512, which .* reads"),
        (["compute.device=mps"], "cannot be used|does not support"),
        (["train.sam=1e-3", "model={single}"], "the model has no part sam"),
    ],
)
def test_a_mistake_is_one_sentence(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], message: str
) -> None:
    if not (base / "single").is_dir():
        tiny.write_checkpoint(base / "single", tiny.SINGLE)
    path = settings(base, tmp_path / "x", text_share=False)
    filled = [change.format(model=base / "model", single=base / "single") for change in changes]
    assert main([str(path), *(word for change in filled for word in ("--set", change))]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert re.search(message, line), line


def test_an_output_that_cannot_be_written_is_one_sentence(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = settings(base, tmp_path / "x", text_share=False)
    assert main([str(path), "--set", f"output={tmp_path / 'file' / 'run'}"]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'file' / 'run'}: Not a directory\n"


def test_a_run_with_other_settings_or_data_does_not_continue(
    base: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = undisturbed / "a.yaml"
    assert main([str(path), "--set", "train.language=1e-2"]) == 2
    assert "train.language was 0.001 and is 0.01" in capsys.readouterr().err
    write(base / "other", [text_row(k) for k in range(9)])
    assert main([str(path), "--set", f"data.sources.0.path={base / 'other'}"]) == 2
    assert "data.sources" in capsys.readouterr().err


def test_an_image_that_does_not_decode_costs_its_sample_and_is_counted(base: Path) -> None:
    rows = [
        {**image_row(k), "images": [{"bytes": b"no image", "path": None}]} if k % 5 == 0 else image_row(k)
        for k in range(20)
    ]
    write(base / "damaged", rows)
    folder = base / "with-damage"
    path = settings(base, folder, text_share=False)
    done = run(path, f"data.sources=[{{path: {base / 'damaged'}}}]", "optimization.steps=4")
    assert done.returncode == 0, done.stderr
    counts = [line["skipped/undecodable_image"] for line in metrics(folder)]
    assert counts == sorted(counts)
    assert counts[-1] >= 4


def test_a_full_disk_costs_checkpoints_and_not_the_training(base: Path) -> None:
    folder = base / "full"
    path = settings(base, folder)
    # No file may be larger than this, which is less than a checkpoint and more than the log.
    code = (
        "import resource, sys\n"
        "from deepseek_vl.train.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    line = [sys.executable, "-c", code, str(path), "--set", "optimization.steps=4"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert [found["step"] for found in metrics(folder)] == [1, 2, 3, 4]
    assert "the checkpoint of step 2 could not be written" in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("error: the last checkpoint could not be written; make room")
    assert not list((folder / "run" / "checkpoints").iterdir())


def test_predictions_and_features_are_written_while_the_training_goes_on(base: Path) -> None:
    rows = [{**image_row(k), "split": "validation" if k % 4 == 0 else "train"} for k in range(24)]
    write(base / "held", rows)
    folder = base / "watched"
    changes = [f"data.sources=[{{path: {base / 'held'}}}]", "predictions.every_steps=3", "train={adaptor: 1e-3}"]
    changes += [f"compute.features.folder={folder / 'features'}"]
    path = settings(base, folder, text_share=False)
    assert main([str(path), *(word for change in changes for word in ("--set", change))]) == 0
    names = sorted(file.name for file in (folder / "run" / "predictions").iterdir())
    assert names == ["index.html", "step-000003.png", "step-000006.png", "step-000008.png"]
    assert len(list((folder / "features").rglob("*.safetensors"))) == 18  # each image of the training once
    # The same without features: no bit is different.
    other = base / "unwatched"
    changes = [*changes[:1], "predictions.every_steps=0", changes[2]]
    path = settings(base, other, text_share=False)
    assert main([str(path), *(word for change in changes for word in ("--set", change))]) == 0
    assert metrics(other) == metrics(folder)
    assert all(torch.equal(value, weights(other)[name]) for name, value in weights(folder).items())
