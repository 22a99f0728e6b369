"""Labels, instruction samples and shares in a run, and relabelling an output."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.commands import relabel as relabelling
from pipelines.commands.relabel import relabel
from pipelines.rewriting import swap
from pipelines.stages.balance import NUM_BINS, bin_of, cuts
from pipelines.storage import Storage
from pipelines.tables.manifest import read_manifest
from taxonomy.settings import LabelSettings
from tests.conftest import ROOT
from tests.corpus import digests
from tests.taxonomy.pages import write_document

pytestmark = pytest.mark.slow

RECIPE = """
name: asked
sources: [{{type: pdfs, input: ['{inputs}'], side_px: 320, items_per_unit: 8}}]
filters: [{{type: min_ink}}]
taxonomy: {{labeller: null{more}}}
{instructions}
"""


def run(arguments: list[str], cache: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "VELLUM_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, env=env
    )


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for language in ("en", "zh"):
        write_document(folder / f"{language}.pdf", language)
    return folder


def recipe_in(folder: Path, inputs: Path, *, instructions: bool = True, more: str = "") -> Path:
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(inputs=inputs, instructions="instructions: {}" if instructions else "", more=more))
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def out(inputs: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    recipe = recipe_in(folder, inputs)
    done = run(["pipelines.run", "--recipe", str(recipe), "--output", str(folder / "out")], cache)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def rows(out: Path, table: str = "data") -> list[dict]:
    return pq.read_table(out / table).to_pylist()


def test_every_page_is_asked_one_question(out: Path) -> None:
    manifest = read_manifest(Storage(str(out)))
    samples = rows(out)
    assert len(samples) == manifest["samples"]["kept"] == 16
    for row in samples:
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert 2 <= len(roles) <= 8
        assert row["text"] is None
        assert row["messages"][0]["content"].count("<image>") == len(row["images"])
        assert row["label"]["labeller"].startswith("writer:")
        assert row["label"]["confidence"] == 1
    assert len({row["id"] for row in samples}) == 16
    assert manifest["labels"]["counts"] == Counter(row["label"]["use_case"] for row in samples)
    assert len(manifest["labels"]["targets"]) == 89
    ledger = {row["id"]: row for row in rows(out, "ledger")}
    assert all(ledger[row["id"]]["label"] == row["label"] for row in samples)


def test_a_rerun_and_another_number_of_workers_change_nothing(
    out: Path, inputs: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = recipe_in(tmp_path, inputs)
    again = ["pipelines.run", "--recipe", str(recipe), "--output", str(tmp_path / "out"), "--workers", "1"]
    assert run(again, cache).returncode == 0
    assert digests(tmp_path / "out") == digests(out)
    done = run(again, cache)
    assert "0 parts made, 2 used again" in done.stdout
    assert digests(tmp_path / "out") == digests(out)


def test_shares_leave_out_what_is_too_much(inputs: Path, cache: Path, tmp_path: Path) -> None:
    leaf = "recognition/ocr_and_transcription/printed_text"
    recipe = recipe_in(tmp_path, inputs, instructions=False, more=f", shares: {{{leaf}: 0.5}}, samples: 10")
    done = run(["pipelines.run", "--recipe", str(recipe), "--output", str(tmp_path / "out")], cache)
    assert done.returncode == 0, done.stderr
    assert "rejected (beyond_share 11)" in done.stdout
    manifest = read_manifest(Storage(str(tmp_path / "out")))
    assert manifest["labels"]["counts"] == {leaf: 5}
    assert manifest["labels"]["wanted"] == 10
    kept = {row["id"] for row in rows(tmp_path / "out")}
    ledger = rows(tmp_path / "out", "ledger")
    ordered = sorted((row["id"] for row in ledger), key=bin_of)
    assert kept == set(ordered[:5])
    assert {row["reason"] for row in ledger if row["id"] not in kept} == {"beyond_share"}
    shown = run(["taxonomy", "coverage", str(tmp_path / "out")], cache)
    assert f"{leaf:58}        5  100.0%   50.0%" in shown.stdout
    assert "nobody" in shown.stdout
    page = (tmp_path / "out" / "report" / "index.html").read_text("utf-8")
    assert "1 of 89 use cases have samples" in page
    assert 'class="coverage"' in page


def test_cuts_never_exceed_a_share() -> None:
    tally = {f"a#{k}": 2 for k in range(0, 40, 4)} | {"b#7": 3, "unlabelled#1": 5}
    found = cuts(tally, {"a": 0.5, "b": 0.5}, 10)
    assert found == {"a": 8, "b": NUM_BINS, "unlabelled": 1}
    assert sum(count for key, count in tally.items() if key[0] == "a" and int(key[2:]) < found["a"]) == 4


def copy_of(out: Path, folder: Path) -> Path:
    shutil.copytree(out, folder / "out")
    return folder / "out"


def test_an_output_is_labelled_anew_in_place(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copy_of(out, tmp_path)
    text = (ROOT / "taxonomy" / "use_cases.yaml").read_text("utf-8")
    renamed = text.replace(
        "printed_text:", "print:\n            aliases: [recognition/ocr_and_transcription/printed_text]", 1
    )
    renamed = renamed.replace("ocr_and_transcription/printed_text}", "ocr_and_transcription/print}")
    (tmp_path / "renamed.yaml").write_text(renamed, "utf-8")
    sample = rows(copy)[0]["id"]
    (tmp_path / "corrections.jsonl").write_text(json.dumps({"id": sample, "use_case": "commonsense_reasoning/humour"}))
    settings = LabelSettings(
        path=str(tmp_path / "renamed.yaml"), labeller=None, corrections=str(tmp_path / "corrections.jsonl")
    )
    before = {row["id"]: row["label"] for row in rows(copy)}
    manifest = relabel(Storage(str(copy)), settings)
    assert read_manifest(Storage(str(copy))) == manifest
    after = {row["id"]: row["label"] for row in rows(copy)}
    assert after[sample] == {**before[sample], "use_case": "commonsense_reasoning/humour", "labeller": "human"}
    for sample_id, label in after.items():
        if sample_id != sample:
            assert label["use_case"] == before[sample_id]["use_case"].replace("/printed_text", "/print")
            assert label["labeller"] == before[sample_id]["labeller"]
    assert manifest["labels"]["counts"] == Counter(label["use_case"] for label in after.values())
    ledger = {row["id"]: row["label"] for row in rows(copy, "ledger") if row["verdict"] == "kept"}
    assert ledger == after
    assert not list((copy / ".staging" / "relabel").rglob("*.parquet"))
    for name in ("images", "messages", "id", "words"):
        assert pq.read_table(copy / "data")[name].equals(pq.read_table(out / "data")[name])
    first = digests(copy)
    relabel(Storage(str(copy)), None)  # the same labels again: the same bytes
    assert digests(copy) == first


@pytest.mark.parametrize("moves", [0, 1])
def test_a_change_that_was_interrupted_is_made_whole(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    copy, whole = copy_of(out, tmp_path), copy_of(out, tmp_path / "whole")
    settings = LabelSettings(labeller=None, threshold=0.7)
    relabel(Storage(str(whole)), settings)
    real, made = Storage.move, []

    def dies(self: Storage, source: str, target: str) -> None:
        if len(made) == moves:
            raise KeyboardInterrupt
        made.append(target)
        real(self, source, target)

    monkeypatch.setattr(Storage, "move", dies)
    with pytest.raises(KeyboardInterrupt):
        relabel(Storage(str(copy)), settings)
    monkeypatch.setattr(Storage, "move", real)
    assert not (copy / "manifest.json").exists(), "nobody takes it for finished"
    relabel(Storage(str(copy)), None)
    assert digests(copy) == digests(whole)
    assert not (copy / swap.JOURNAL).exists()


def test_a_change_interrupted_early_leaves_the_output_as_it_was(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(out, tmp_path)
    monkeypatch.setattr(relabelling, "labels_section", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        relabel(Storage(str(copy)), LabelSettings(labeller=None))
    assert digests(copy) == digests(out)


def test_the_command_labels_an_output_and_refuses_what_it_cannot(out: Path, cache: Path, tmp_path: Path) -> None:
    copy = copy_of(out, tmp_path)
    done = run(["taxonomy", "relabel", str(copy), "--threshold", "0.9"], cache)
    assert (done.returncode, done.stderr) == (0, "")
    assert "16 samples labelled, 0 of them unlabelled" in done.stdout
    tasks = tmp_path / "tasks.json"
    assert run(["taxonomy", "relabel", str(tmp_path)], cache).returncode == 1
    assert run(["taxonomy", "relabel", str(copy), "--taxonomy", "missing.yaml"], cache).returncode == 2
    with Storage(str(copy)).lock():
        busy = run(["taxonomy", "relabel", str(copy)], cache)
    assert busy.returncode == 1
    assert "in use by process" in busy.stderr
    exported = run(["taxonomy", "export", str(copy), "--tasks", str(tasks)], cache)
    assert exported.returncode == 0, exported.stderr
    found = json.loads(tasks.read_text("utf-8"))
    assert len(found) == 16
    assert {task["data"]["id"] for task in found} == {row["id"] for row in rows(copy)}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (", path: nowhere.yaml", "cannot be read"),
        (", shares: {recognition/moood: 0.5}", "names recognition/moood, which is no node"),
        (", corrections: nowhere.jsonl", "cannot be read"),
        (", treshold: 0.5", "did you mean 'threshold'"),
    ],
)
def test_mistakes_in_a_recipe_are_one_sentence(
    more: str, words: str, inputs: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = recipe_in(tmp_path, inputs, more=more)
    done = run(["pipelines.run", "--recipe", str(recipe), "--output", str(tmp_path / "out")], cache)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
