"""The chat command: one answer for a script, and a conversation in a real terminal."""

import io
import os
import pty
import re
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from deepseek_vl import chat
from deepseek_vl.conversation import SYSTEM
from deepseek_vl.engine import Engine, generate
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sampling import SamplingSettings
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, ROOT, encoded, one_thread, picture

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    (folder.parent / "picture.png").write_bytes(encoded(picture(1)))
    (folder.parent / "cut.png").write_bytes(encoded(picture(1))[:-30])
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> DeepseekVL:
    return tiny.write_checkpoint(folder, CONFIG)


CTRL_C = "\x03"
PROCESSOR = tiny.processor(CONFIG)


def expected(model: DeepseekVL, text: str, images: list[Path], sampling: SamplingSettings, system: str = SYSTEM) -> str:
    content = [*([{"type": "image"}] * len(images)), {"type": "text", "text": text}]
    prompt = PROCESSOR.prompt([{"role": "user", "content": content}], images, system=system)
    return generate(model, PROCESSOR, [prompt], sampling)[0].text.lstrip()


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, output and errors."""
    code = chat.main(["--model", str(folder), "--device", "cpu", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_script_gets_the_answer_of_the_model(
    folder: Path, model: DeepseekVL, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = folder.parent / "picture.png"
    answer = expected(model, "what is it?", [image], SamplingSettings(max_tokens=15))
    assert run(capsys, folder, str(image), "--prompt", "what is it?", "--max-tokens", "15") == (0, f"{answer}\n", "")

    drawn = ["--max-tokens", "15", "--temperature", "1.5", "--top-p", "0.9", "--seed", "3", "--system"]
    answer = expected(model, "图", [], SamplingSettings(max_tokens=15, temperature=1.5, top_p=0.9, seed=3), "Be brief.")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("图\n".encode())))
    assert run(capsys, folder, *drawn, "Be brief.") == (0, f"{answer}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--temperature", "-1"], 2, "temperature"),
        (["--max-tokens", "0"], 2, "max_tokens"),
        (["--device", "nonsense"], 2, "nonsense"),
        (["--dtype", "int8"], 2, "int8"),
        (["nowhere.png"], 1, "nowhere.png is not a file"),
        (["{parent}/cut.png"], 1, "cut.png: the image cannot be decoded"),
        (["--model", "/nowhere"], 1, "/nowhere"),
        (["--slots", "50"], 1, "needs fewer than 50"),
        (["--prompt", "x " * 5000], 1, "tokens"),
    ],
)
def test_mistakes_are_reported_in_a_sentence(
    arguments: list[str], code: int, words: str, folder: Path, model: DeepseekVL, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(parent=folder.parent) for argument in arguments]
    got, out, err = run(capsys, folder, "--prompt", "x", *given)
    assert (got, out) == (code, "")
    assert words in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_message_that_fails_is_not_kept(model: DeepseekVL, capsys: pytest.CaptureFixture[str]) -> None:
    talk = chat.Chat(Engine(model, PROCESSOR, rows=1), SamplingSettings(max_tokens=5), "")
    talk.pending = [picture(1)]
    with pytest.raises(ValueError, match="tokens"):
        talk.ask("x " * 5000)
    assert (talk.messages, talk.images, len(talk.pending)) == ([], [], 1)
    assert talk.ask("a") == "length"
    assert (len(talk.messages), len(talk.images), talk.pending) == (2, 1, [])
    talk.start_over()
    assert (talk.messages, talk.images) == ([], [])


def test_a_terminal_gets_no_commands_from_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chat._printable("a\x1b[2Jb") == "a\x1b[2Jb"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert chat._printable("a\x1b[2J\x9b\r\n\t图") == "a[2J\n\t图"


class Terminal:
    """The command running in a pseudo-terminal; a context manager."""

    def __init__(self, *arguments: str):
        self.pid, self.control = pty.fork()
        if not self.pid:
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "dumb", "PYTHONPATH": str(ROOT)}
            os.execve(sys.executable, [sys.executable, "-m", "deepseek_vl.chat", *arguments], environment)
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.control)

    def type(self, text: str) -> None:
        os.write(self.control, text.encode())

    def read_until(self, pattern: str, *, again: str = "") -> str:
        """Read until a pattern and return the text; type `again` after every two seconds without output."""
        shown = ""
        while not re.search(pattern, shown):
            ready, _, _ = select.select([self.control], [], [], 2 if again else 60)
            if not ready:
                assert again, shown
                self.type(again)
                continue
            shown += os.read(self.control, 65536).decode(errors="replace").replace("\r", "")
        return shown

    def wait(self) -> int:
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.exit_code


def test_a_conversation_in_a_terminal(folder: Path, model: DeepseekVL) -> None:
    options = ["--device", "cpu", "--max-tokens", "3000", "--temperature", "1", "--seed", "2"]
    with Terminal("--model", str(folder), *options, str(folder.parent / "picture.png")) as terminal:
        assert "/image PATH" in terminal.read_until(r"\[images: 1\] > $")
        terminal.type("tell me all\n")
        terminal.read_until(r"all\n.+")
        terminal.type(CTRL_C)
        assert "[stopped]" in terminal.read_until(r"\n> $")
        terminal.type("/image nowhere.png\n")
        assert "error: nowhere.png is not a file" in terminal.read_until(r"\n> $")
        terminal.type(f"/image '{folder.parent / 'picture.png'}'\n")
        terminal.read_until(r"\[images: 1\] > $")
        terminal.type("/new\n")
        terminal.read_until(r"\n> $")
        terminal.type("/nonsense\n")
        assert "/nonsense is no command" in terminal.read_until(r"\n> $")
        terminal.type(CTRL_C)
        # An interrupt between the prompt and the wait for a line is noted by Python, but does not end the wait.
        assert "Ctrl-D leaves" in terminal.read_until(r"\n> $", again=CTRL_C)
        terminal.type("/quit\n")
        assert terminal.wait() == 0
