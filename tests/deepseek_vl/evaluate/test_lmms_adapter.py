"""The adapter for lmms-eval, where that is installed: one of its own tasks on local data, and likelihoods."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from deepseek_vl.train.batches import collate, prepare
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import PROCESSOR, png

pytest.importorskip("lmms_eval")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def test_its_own_command_runs_pope(tmp_path: Path) -> None:
    import datasets

    tiny.write_checkpoint(tmp_path / "model", tiny.HYBRID)
    rows = [
        {
            "question_id": str(k),
            "question": f"Is there a dog in picture {k}?",
            "answer": "yes" if k % 2 else "no",
            "image": Image.open(io.BytesIO(png(k))),
        }
        for k in range(3)
    ]
    (tmp_path / "lmms-lab-encoder" / "POPE" / "data").mkdir(parents=True)
    file = tmp_path / "lmms-lab-encoder" / "POPE" / "data" / "test-00000-of-00001.parquet"
    datasets.Dataset.from_list(rows).to_parquet(str(file))
    command = [sys.executable, "-m", "lmms_eval", "--model", "vellum", "--model_args", "pretrained=model"]
    command += ["--tasks", "pope", "--batch_size", "2", "--device", "cpu", "--log_samples", "--output_path", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (results,) = (tmp_path / "out").rglob("*results.json")
    assert "pope_accuracy,none" in json.loads(results.read_text())["results"]["pope"]
    (samples,) = (tmp_path / "out").rglob("*samples_pope.jsonl")
    assert len(samples.read_text().splitlines()) == 3


def test_a_likelihood_is_the_sum_over_the_answer_without_its_end(tmp_path: Path) -> None:
    from lmms_eval.api.instance import Instance

    from deepseek_vl.evaluate.lmms_adapter import VellumModel

    tiny.write_checkpoint(tmp_path / "model", tiny.HYBRID)
    adapter = VellumModel(str(tmp_path / "model"), device="cpu", dtype="float32")
    adapter.task_dict = {"mine": {"test": [{"image": Image.open(io.BytesIO(png(3)))}]}}
    request = Instance(
        request_type="loglikelihood",
        arguments=("Which number?", "Three.", lambda document: [document["image"]], 0, "mine", "test"),
        idx=0,
        metadata={"task": "mine", "doc_id": 0, "repeats": 1},
    )
    ((likelihood, is_greedy),) = adapter.loglikelihood([request])
    row = {
        "images": [{"bytes": png(3)}],
        "messages": [
            {"role": "user", "content": "<image>Which number?"},
            {"role": "assistant", "content": "Three."},
        ],
    }
    encoder = ExampleEncoder(PROCESSOR, max_tokens=400, max_images=2)
    prepared = prepare(encoder.encode(row)[0], tiny.HYBRID)
    assert prepared is not None
    with torch.no_grad():
        losses = TrainingModel(adapter.model)(DeviceBatch.of(collate([[prepared]], tiny.HYBRID), tiny.CPU))
    assert likelihood == pytest.approx(-float(losses[:-1].sum()), rel=1e-4)
    assert not is_greedy
