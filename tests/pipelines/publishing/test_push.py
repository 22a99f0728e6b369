"""`vellum push` against a hub on loopback, with huggingface_hub's own client."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_output import picture, sample, write_output
from hub_server import TOKEN, Hub, serving

from pipelines.commands import vellum
from pipelines.publishing import push as uploads
from pipelines.report import card
from pipelines.storage import Storage

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
REPO = "paper-lab/pages"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("push") / "out"
    shards = [
        [sample(f"{k}-{n}", images=[picture((k, n, 9))], text=f"<image>\nPage {n}") for n in range(3)] for k in range(3)
    ]
    write_output(root, [("train", samples) for samples in shards])
    card.export(Storage(str(root)))
    (root / ".staging").mkdir()
    (root / ".staging" / "secret").write_text("never published")
    return root


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with serving(Hub()) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def published(output: Path) -> dict[str, bytes]:
    files = [path for path in output.rglob("*") if path.is_file() and ".staging" not in path.parts]
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def push(output: Path, *more: str) -> int:
    return vellum.main(["push", str(output), REPO, *more])


def test_everything_but_the_staging_folder_is_published(
    output: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(output) == 0
    assert hub.files == published(output)
    assert hub.is_private()
    assert set(hub.commits[-1][1]) == {"README.md", "croissant.json", "manifest.json"}
    assert f"{hub.address}/datasets/{REPO}" in capsys.readouterr().out


def test_what_is_there_is_not_sent_again(output: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(output, "--public") == 0
    assert not hub.is_private()
    sent = hub.requests["put"]
    assert push(output) == 0
    assert hub.requests["put"] == sent
    assert len(hub.commits) == 2
    assert "0 files sent in 0 commits" in capsys.readouterr().out


def test_an_interrupted_upload_goes_on(
    output: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(uploads, "COMMIT_FILES", 2)
    hub.fails["commit", 2] = 403
    assert push(output) == 1
    error = capsys.readouterr().err
    assert "may not write to paper-lab/pages" in error
    assert "goes on with what is missing" in error
    assert len(hub.commits) == 1
    assert "README.md" not in hub.files  # a card never describes what is not there
    before = hub.requests["put"]
    assert push(output) == 0
    assert hub.files == published(output)
    first = set(hub.commits[0][1])
    assert not any(first & set(changed) for _, changed in hub.commits[1:])
    assert hub.requests["put"] - before < len(published(output)) - len(first)  # objects of the second were there


def test_files_of_an_older_version_are_removed(output: Path, hub: Hub) -> None:
    hub.files = {"data/train-00000-of-00009.parquet": b"old", "notes.md": b"not ours"}
    assert push(output) == 0
    assert hub.files == {**published(output), "notes.md": b"not ours"}
    assert "data/train-00000-of-00009.parquet" in hub.commits[-1][1]


def test_a_changed_shard_is_never_committed(output: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    path = output / "data" / "train-00001-of-00003.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert push(output) == 1
    assert "train-00001-of-00003.parquet is not as the manifest says" in capsys.readouterr().err
    assert not hub.commits
    path.write_bytes(data[:-1])
    assert push(output) == 1
    assert "the manifest says" in capsys.readouterr().err


def test_a_dry_run_lists_files_and_problems_and_asks_nobody(
    output: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    text = (output / "README.md").read_text("utf-8")
    (output / "README.md").write_text(text.replace("configs:", "config:"), "utf-8")
    manifest = json.loads((output / "manifest.json").read_text("utf-8"))
    manifest["recipe"]["decontaminate"] = ["/home/me/test sets"]
    (output / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert push(output, "--dry-run") == 0
    shown = capsys.readouterr().out
    for path in published(output):
        assert f"  {path}\n" in shown
    assert ".staging" not in shown
    assert "10 files\n" in shown or f"{len(published(output))} files\n" in shown
    assert "problem: README.md: the licence of some inputs is unknown" in shown
    assert "problem: README.md names no files of data (configs)" in shown
    assert "problem: manifest.json: recipe.decontaminate[0] names a place on this machine: /home/me/test sets" in shown
    assert not hub.requests


@pytest.mark.parametrize(
    ("token", "repo", "code", "sentence"),
    [
        ("", REPO, 2, "HF_TOKEN is not set"),
        ("hf_wrong", REPO, 1, "does not accept the token"),
        (TOKEN, "pages", 2, "organisation/name"),
        (TOKEN, "a b/c", 1, "is no name of a data set"),
    ],
)
def test_wrong_calls_are_one_sentence(
    output: Path,
    hub: Hub,
    token: str,
    repo: str,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert vellum.main(["push", str(output), repo]) == code
    error = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("problem: ")]
    assert len(error) == 1
    assert sentence in error[0]
    assert not hub.files


def test_without_a_card_nothing_is_sent(output: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    (output / "README.md").unlink()
    assert push(output) == 1
    assert "`vellum card` makes it" in capsys.readouterr().err
    assert not hub.requests
