"""`python -m deepseek_vl.serve`: settings with which it does not start."""

import socket
from pathlib import Path

import pytest

from deepseek_vl.serve.__main__ import FAILED, WRONG_USAGE, main
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    tiny.write_checkpoint(folder, tiny.SINGLE)
    return str(folder)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VELLUM_API_KEY", raising=False)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Return the exit code and the message of a start that fails."""
    code = main(list(arguments))
    sentence = capsys.readouterr().err
    assert sentence.startswith("error: ")
    assert sentence.count("\n") == 1
    return code, sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_need_a_key(host: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, sentence = refused(capsys, "--model", folder, "--host", host)
    assert code == WRONG_USAGE
    assert "VELLUM_API_KEY" in sentence


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--host", "no such host"], WRONG_USAGE, "no address"),
        (["--device", "nonsense"], WRONG_USAGE, "cannot be used"),
        (["--dtype", "int8"], WRONG_USAGE, "unknown dtype"),
        (["--api-key", ""], WRONG_USAGE, "API key"),
        (["--model", "/nowhere"], FAILED, "/nowhere"),
    ],
)
def test_mistakes_are_reported(
    options: list[str], code: int, words: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    got, sentence = refused(capsys, "--model", folder, *options)
    assert got == code
    assert words in sentence


def test_a_port_that_is_taken_is_reported(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, sentence = refused(capsys, "--model", folder, "--port", str(taken.getsockname()[1]))
    assert code == FAILED
    assert "in use" in sentence


@pytest.mark.parametrize("options", [["--port", "70000"], ["--rows", "0"], ["--rows", "x"], ["--mode", "x"], []])
def test_wrong_options_are_reported(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == WRONG_USAGE
    assert capsys.readouterr().err


def test_broken_weights_end_the_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write_checkpoint(tmp_path, tiny.SINGLE)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    code, sentence = refused(capsys, "--model", str(tmp_path), "--port", "0")
    assert code == FAILED
    assert "model.safetensors" in sentence
