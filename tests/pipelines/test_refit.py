"""Refit: other thresholds from the kept scores give the bytes of a run with these thresholds, and are safe."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pymupdf
import pytest

from pipelines.commands.refit import main
from pipelines.rewriting import swap
from pipelines.storage import Storage, StorageError
from pipelines.storage.files import RawWriter
from pipelines.tables.manifest import read_manifest
from tests.conftest import Command
from tests.corpus import digests, prose, write_pdf

pytestmark = pytest.mark.slow

RECIPE = """
name: papers
sources: [{{type: pdfs, input: ['{inputs}'], side_px: 320, items_per_unit: 4, license: CC0-1.0}}]
filters:
  - {{type: text_length, min_chars: 300, max_chars: 5000}}
  - {{type: min_ink}}
  - {{type: language, keep: [en, zh]}}
dedupe: {{}}
output: {{shard_mb: 0.02, row_group_mb: 0.03, validation: 0.6, thumbnails: 3}}
"""
FILES = ("README.md", "croissant.json", "report/index.html", "report/thumbnails.jpg")


def _page(path: Path, num_sentences: int) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((40, 60), prose("twin", num_sentences), fontsize=9)
    document.save(path, no_new_id=True)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of 150 to 900 characters, a page that is nearly another one, a copy, a blank page, a broken file."""
    folder = tmp_path_factory.mktemp("inputs")
    for number, words in enumerate((40, 60, 100, 150)):
        write_pdf(folder / f"essay{number}.pdf", 5, f"Essay {number}", words_a_page=words)
    _page(folder / "twin.pdf", 24)
    _page(folder / "longer_twin.pdf", 25)
    shutil.copy(folder / "essay1.pdf", folder / "copy.pdf")
    blank = pymupdf.open()
    blank.new_page()
    blank.save(folder / "blank.pdf", no_new_id=True)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    return folder


@pytest.fixture(scope="module")
def recipe(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(RECIPE.format(inputs=inputs))
    return path


@pytest.fixture(scope="module")
def out(recipe: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    done = command("--recipe", recipe, "--output", folder, source=None)
    assert done.returncode == 0, done.stderr
    return folder


def copy_of(out: Path, where: Path) -> Path:
    return Path(shutil.copytree(out, where / "copy"))


def rows(out: Path) -> dict[str, dict]:
    return {f"{Path(row['uri']).name} {row['locator']}": row for row in pq.read_table(out / "ledger").to_pylist()}


def whole(out: Path) -> dict[str, object]:
    return {**digests(out), **{name: (out / name).read_bytes() for name in FILES}}


def of(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


SETTINGS = {
    "tighter": ["text_length.min_chars=600", "language.keep=[en]", "output.thumbnails=5"],
    "looser": ["text_length.min_chars=1", "min_ink.share=0", "output.validation=0.2"],
    "twin": ["text_length.max_chars=1960", "dedupe.radius=20"],
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_refit_has_the_bytes_of_a_run_with_the_same_settings(
    out: Path, recipe: Path, command: Command, tmp_path: Path, name: str
) -> None:
    copy, fresh = copy_of(out, tmp_path / "refit"), copy_of(out, tmp_path / "fresh")
    done = command("--recipe", recipe, "--output", fresh, *of(SETTINGS[name]), source=None)
    assert done.returncode == 0, done.stderr
    assert main([str(copy), *of(SETTINGS[name])]) == 0
    assert digests(fresh) != digests(out)
    assert whole(copy) == whole(fresh)
    assert not list((copy / swap.FOLDER).rglob("*.*"))


def test_back_and_forth_gives_the_first_bytes_again(out: Path, tmp_path: Path) -> None:
    copy = copy_of(out, tmp_path)
    assert main([str(copy), "--set", "text_length.min_chars=5000"]) == 0
    assert read_manifest(Storage(str(copy)))["samples"]["kept"] == 0
    assert main([str(copy), "--set", "text_length.min_chars=300"]) == 0
    assert whole(copy) == whole(out)


def test_a_threshold_can_be_named_by_its_score(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, setting in (("by_score", "ink.threshold=0.03"), ("by_filter", "min_ink.share=0.03")):
        assert main([str(copy_of(out, tmp_path / name)), "--set", setting]) == 0
    assert whole(tmp_path / "by_score/copy") == whole(tmp_path / "by_filter/copy")
    assert main([str(out), "--set", "num_chars.threshold=5"]) == 2
    assert "could mean text_length.min_chars or text_length.max_chars" in capsys.readouterr().err


def test_a_duplicate_is_kept_when_what_it_repeated_is_rejected(out: Path, tmp_path: Path) -> None:
    before = rows(out)
    shorter, longer = before["twin.pdf page=1"], before["longer_twin.pdf page=1"]
    assert (shorter["reason"], shorter["duplicate_of"]) == ("near_duplicate", longer["id"])
    copy = copy_of(out, tmp_path)
    assert main([str(copy), "--set", f"text_length.max_chars={int(shorter['scores']['num_chars'])}"]) == 0
    after = rows(copy)
    assert after["longer_twin.pdf page=1"]["reason"] == "long_text"
    assert after["twin.pdf page=1"]["verdict"] == "kept"
    assert shorter["id"] in pq.read_table(copy / "data")["id"].to_pylist()


def test_without_staging_a_refit_takes_samples_out_but_brings_none_back(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copy_of(out, tmp_path)
    shutil.rmtree(copy / ".staging")
    assert main([str(copy), "--set", "text_length.min_chars=1"]) == 2
    num_short = read_manifest(Storage(str(copy)))["samples"]["rejected"]["short_text"]
    error = capsys.readouterr().err
    assert f"{num_short} of the {num_short} samples that would be kept now ({num_short} rejected short_text)" in error
    assert "run the recipe again" in error
    assert whole(copy) == whole(out)
    complete = copy_of(out, tmp_path / "complete")
    for each in (copy, complete):
        assert main([str(each), "--set", "text_length.min_chars=600"]) == 0
    assert pq.read_table(copy / "data").equals(pq.read_table(complete / "data"))
    columns = [name for name in pq.read_schema(next((copy / "ledger").iterdir())).names if name != "thumbnail"]
    assert pq.read_table(copy / "ledger", columns=columns).equals(pq.read_table(complete / "ledger", columns=columns))


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copy_of(out, tmp_path)
    assert main([str(copy), "--set", "text_length.min_chars=600", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "kept → rejected short_text" in printed
    assert whole(copy) == whole(out)
    assert main([str(copy), "--set", "text_length.min_chars=600"]) == 0
    assert capsys.readouterr().out.startswith(printed), "it says the same when it does it"


@pytest.mark.parametrize("moves", [0, 1])
def test_a_refit_that_dies_is_made_whole_by_the_next(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    copy, done = copy_of(out, tmp_path), copy_of(out, tmp_path / "done")
    settings = ["--set", "text_length.min_chars=500"]
    assert main([str(done), *settings]) == 0
    real, made = Storage.move, []

    def dies(self: Storage, source: str, target: str) -> None:
        if len(made) == moves:
            raise KeyboardInterrupt
        made.append(target)
        real(self, source, target)

    monkeypatch.setattr(Storage, "move", dies)
    with pytest.raises(KeyboardInterrupt):
        main([str(copy), *settings])
    monkeypatch.setattr(Storage, "move", real)
    assert not (copy / "manifest.json").exists(), "nobody takes it for finished"
    assert main([str(copy), *settings]) == 0
    assert whole(copy) == whole(done)


def test_no_space_leaves_the_output_as_it_was(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copy_of(out, tmp_path)
    real = RawWriter.write

    def full(self: RawWriter, data: bytes) -> int:
        if f"{swap.FOLDER}/data" in self._target:
            raise StorageError.because(OSError(28, "No space left on device"), "write", self._target)
        return real(self, data)

    monkeypatch.setattr(RawWriter, "write", full)
    assert main([str(copy), "--set", "text_length.min_chars=500"]) == 1
    assert "no space left on device" in capsys.readouterr().err
    assert whole(copy) == whole(out)
    assert not list((copy / swap.FOLDER).rglob("*.parquet"))


def test_what_cannot_be_refitted_is_one_sentence(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of(out, tmp_path)

    def error(*settings: str, code: int = 2) -> str:
        assert main([str(copy), *of(list(settings))]) == code
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1, printed
        return printed

    assert "did you mean 'text_length'" in error("text_lenght.min_chars=5")
    assert "did you mean 'min_chars'" in error("text_length.min_char=5")
    assert "got 'many'" in error("text_length.min_chars=many")
    assert "sources cannot be changed by a refit" in error("pdfs.side_px=640")
    assert "garbled" in error("max_garbled_share.share=0.1")
    assert "output.shard_mb cannot be changed" in error("output.shard_mb=8")
    assert whole(copy) == whole(out)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "vellum": "0.0.1"}))
    assert "made by Vellum 0.0.1" in error("text_length.min_chars=500")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    shard = next(iter(sorted((copy / "data").iterdir())))
    others = pq.read_table(shard)
    pq.write_table(others.slice(1), shard)
    assert f"{shard.name} is damaged" in error("text_length.min_chars=500", code=1)
    shard.unlink()
    assert "is missing" in error("text_length.min_chars=500", code=1)
    (copy / "manifest.json").unlink()
    assert "holds no manifest.json" in error("text_length.min_chars=500", code=1)
    with Storage(str(out)).lock():
        copy = out
        assert "is in use" in error("text_length.min_chars=500", code=1)
