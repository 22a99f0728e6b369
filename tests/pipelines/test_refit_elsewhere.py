"""Refit of outputs with shares of use cases and an evaluation set, on a disk and in an object store."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
import pytest

from pipelines.commands.refit import main
from pipelines.rewriting import swap
from tests.conftest import Command
from tests.corpus import write_pdf
from tests.emulators import Emulator
from tests.pipelines.test_refit import copy_of, of, whole

pytestmark = pytest.mark.slow

LEAF = "recognition/ocr_and_transcription/printed_text"  # of every page with its text layer
RECIPE = """
name: papers
sources: [{{type: pdfs, input: ['{inputs}/*.pdf'], side_px: 320, items_per_unit: 4, license: CC0-1.0}}]
filters: [{{type: text_length, min_chars: 300, max_chars: 5000}}, {{type: min_ink}}]
dedupe: {{}}
decontaminate: ['{inputs}/evaluation.parquet']
taxonomy: {{labeller: null, shares: {{{leaf}: 0.5}}, samples: 12}}
output: {{validation: 0.4, thumbnails: 3}}
"""
SETTINGS = ["text_length.min_chars=400", "taxonomy.samples=4"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen pages, two of which an evaluation set quotes."""
    folder = tmp_path_factory.mktemp("inputs")
    for number, words in enumerate((50, 70, 120)):
        write_pdf(folder / f"essay{number}.pdf", 5, f"Essay {number}", words_a_page=words)
    with pymupdf.open(folder / "essay2.pdf") as document:
        quoted = [document[number].get_text() for number in (0, 3)]
    pq.write_table(pa.table({"text": quoted}), folder / "evaluation.parquet")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(inputs=folder, leaf=LEAF))
    return path


@pytest.fixture(scope="module")
def out(recipe: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    done = command("--recipe", recipe, "--output", folder, source=None)
    assert done.returncode == 0, done.stderr
    return folder


def reasons(out: Path) -> Counter[str | None]:
    return Counter(pq.read_table(out / "ledger")["reason"].to_pylist())


def test_shares_and_evaluation_sets_are_those_of_a_run(
    out: Path, recipe: Path, command: Command, tmp_path: Path
) -> None:
    assert reasons(out)["contaminated"] == 2
    assert reasons(out)[None] == 6, "half of twelve"
    copy, fresh = copy_of(out, tmp_path / "refit"), copy_of(out, tmp_path / "fresh")
    done = command("--recipe", recipe, "--output", fresh, *of(SETTINGS), source=None)
    assert done.returncode == 0, done.stderr
    assert main([str(copy), *of(SETTINGS)]) == 0
    found = reasons(copy)
    assert (found["contaminated"], found["beyond_share"], found[None]) == (2, 1, 2)
    assert found["short_text"] > reasons(out)["short_text"]
    assert whole(copy) == whole(fresh)


def test_an_evaluation_set_that_has_changed_is_told(
    out: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, evaluation = copy_of(out, tmp_path), recipe.parent / "evaluation.parquet"
    before = evaluation.read_bytes()
    pq.write_table(pq.read_table(evaluation).slice(1), evaluation)
    try:
        assert main([str(copy), *of(SETTINGS)]) == 2
    finally:
        evaluation.write_bytes(before)
    assert "(decontaminate, dedupe.against) are not as they were; run the recipe again" in capsys.readouterr().err
    assert whole(copy) == whole(out)


def test_an_output_in_an_object_store_is_refitted_there(out: Path, s3: Emulator, tmp_path: Path) -> None:
    copy = copy_of(out, tmp_path)
    for path in sorted(out.rglob("*")):
        if path.is_file():
            s3.put(f"out/{path.relative_to(out)}", path.read_bytes())
    for settings in (SETTINGS, ["text_length.min_chars=1", "taxonomy.samples=20"]):
        assert main([str(copy), *of(settings)]) == 0
        assert main([f"{s3.uri}/out", *of(settings)]) == 0
        keys = s3.keys()
        there = {key.removeprefix("out/") for key in keys if not key.startswith("out/.")}
        assert there == {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file() and ".staging" not in p.parts}
        assert all(s3.get(f"out/{key}") == (copy / key).read_bytes() for key in there)
    assert not [key for key in keys if swap.FOLDER in key and key.endswith(".parquet")]
