"""Secrets and foreign text: what is written nowhere, what no error prints, and what reaches a terminal escaped."""

import importlib
import io
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pymupdf
import pytest

from pipelines.commands.secret_arguments import hide, take_keys, take_spoken
from pipelines.commands.vellum import COMMANDS
from pipelines.job import Job
from pipelines.overrides import apply_setting
from pipelines.recipe import UsageError
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.run import build_parser, main, recipe_of
from pipelines.stages.input_files import InputFiles
from pipelines.stages.list_inputs import list_inputs
from pipelines.storage import Storage
from sources.base.source import InputError
from sources.terminal import EscapingText
from sources.web.address_policy import AddressPolicy
from sources.web.download import download

PASSWORD = "open-sesame-2931"
MakeLocked = Callable[[str], Path]


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    with pymupdf.open() as document:
        document.new_page().insert_text((50, 50), "A page of text that nobody else may read.")
        path = tmp_path / "locked.pdf"
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=PASSWORD, owner_pw="owner")
    return path


def _recipe(*settings: str, source: str = "pdfs") -> dict[str, object]:
    content = load_recipe(Path(f"pipelines/recipes/{source}.yaml"))
    for setting in settings:
        apply_setting(content, setting)
    return content


def test_a_job_carries_no_password_and_workers_read_it_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VELLUM_PDF_PASSWORDS", raising=False)
    file = tmp_path / "passwords"
    file.write_text(f"{PASSWORD}\nother\n")
    recipe = build_recipe(_recipe(f"pdfs.passwords=@{file}"))
    job = Job(recipe=json.dumps(recipe.to_json(travels=True)), output="out", run="r")
    assert PASSWORD.encode() not in pickle.dumps(job)
    assert "passwords" not in str(recipe.to_json())
    assert job.load_recipe().to_json(secrets=True)["sources"][0]["passwords"] == [PASSWORD, "other"]

    spoken = build_recipe(_recipe(f"pdfs.passwords=[{PASSWORD}]"))
    assert PASSWORD not in str(spoken.to_json(travels=True))
    variables, _ = take_spoken(spoken, is_local=True)
    monkeypatch.setenv(*next(iter(variables.items())))
    assert job.load_recipe().to_json(secrets=True)["sources"][0]["passwords"] == [PASSWORD, "other"]
    bare = Job(recipe=json.dumps(spoken.to_json(travels=True)), output="out", run="r").load_recipe()
    assert bare.to_json(secrets=True)["sources"][0]["passwords"] == [PASSWORD]
    with pytest.raises(UsageError, match="VELLUM_PDF_PASSWORDS in the environment of the workers"):
        take_spoken(spoken, is_local=False)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        take_spoken(build_recipe(_recipe("pdfs.passwords=@gone")), is_local=True)


def test_keys_of_endpoints_and_stores_are_kept_out_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELLUM_API_KEY", PASSWORD)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    recipe = build_recipe(_recipe("deepseek_vl.endpoint=['http://127.0.0.1:1']"))
    assert PASSWORD not in str(recipe.to_json(travels=True))
    assert recipe.to_json(secrets=True)["filters"][-1]["api_key"] == PASSWORD

    options = ["--s3_secret_access_key", PASSWORD, "--s3_region_name=x"]
    assert take_keys(options, is_local=True) == (["--s3_region_name=x"], [])
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == PASSWORD
    kept, (warning,) = take_keys(options, is_local=False)
    assert kept == options
    assert PASSWORD not in warning
    with pytest.raises(UsageError) as refused:
        build_recipe(_recipe(f"deepseek_vl.endpoint=['http://me:{PASSWORD}@127.0.0.1:1']"))
    assert PASSWORD not in str(refused.value)


def test_secrets_disappear_from_the_list_of_processes() -> None:
    code = (
        "import sys; from pipelines.commands.secret_arguments import hide; from pathlib import Path;"
        "print(hide([sys.argv[1].partition('=')[2]]), Path('/proc/self/cmdline').read_bytes())"
    )
    line = [sys.executable, "-c", code, f"passwords={PASSWORD}", "--after"]
    shown = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("True")
    assert PASSWORD not in shown
    assert f"passwords={'x' * len(PASSWORD)}\\x00--after" in shown
    assert not hide(["a secret that is not on the command line"])


@pytest.mark.slow
def test_a_run_reads_what_only_the_environment_opens(
    locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VELLUM_PDF_PASSWORDS", f"wrong\n{PASSWORD}")
    out = tmp_path / "out"
    assert main(["--source", "pdfs", "--input", str(locked), "--output", str(out), "--workers", "1"]) == 0
    assert PASSWORD not in "".join(capfd.readouterr())
    for path in out.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def test_a_recipe_names_no_program_to_run(tmp_path: Path) -> None:
    for source in ("web", "synthetic_pages"):
        path = tmp_path / f"{source}.yaml"
        path.write_text(f"sources:\n- type: {source}\n  browser: /bin/sh\n")
        with pytest.raises(UsageError, match=rf"{source}.yaml:3: .*browser names a program .*--set {source}.browser="):
            load_recipe(path)
        args = build_parser().parse_args(["--source", source, "--set", "browser=/bin/true"])
        recipe = recipe_of(args)
        assert "/bin/true" not in str(recipe.to_json())
        assert "/bin/true" in str(recipe.to_json(travels=True))


@pytest.mark.parametrize(
    "text", ["root:x:0:0:root:/root\ndaemon:x:1:1::/\n", "token: s3cr3t-2931\n", "- s3cr3t-2931\n"]
)
def test_no_error_prints_a_file_that_was_not_meant(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "passwd"
    path.write_text(text)
    lines = [["--recipe", str(path)], ["--source", "web", "--input", str(path)]]
    lines += [["--source", "pdfs", "--set", f"{setting}={path}"] for setting in ("taxonomy.path", "deepseek_vl.axes")]
    lines.append(["--source", "synthetic_pages", "--set", f"vocabulary={path}"])
    for line in lines:
        main([*line, "--dry-run", "--output", str(tmp_path / "out")])
        told = "".join(capsys.readouterr())
        for secret in ("root:x", "daemon", "s3cr3t", "token:"):
            assert secret not in told, (line, told)
    recipe = build_recipe(_recipe(f'pdfs.input=["@{path}"]'))
    inputs = InputFiles(recipe, Storage(str(tmp_path / "out")), 1)
    numbers = range(1, text.count("\n") + 1)
    assert list(list_inputs(inputs, 0)) == [f"@{path}, line {number}" for number in numbers]


def test_a_list_still_names_the_files_that_are_missing(tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_text("gone.pdf\ngs://bucket/no-suffix\narchive.zip!/inside\n")
    recipe = build_recipe(_recipe(f'pdfs.input=["@{listing}"]'))
    assert list(list_inputs(InputFiles(recipe, Storage(str(tmp_path)), 1), 0)) == listing.read_text().splitlines()
    listing.write_text(f"https://me:{PASSWORD}@example.org/a.pdf\n")
    with pytest.raises(UsageError, match="line 1: has an address with a name or password") as refused:
        list(list_inputs(InputFiles(recipe, Storage(str(tmp_path)), 1), 0))
    assert PASSWORD not in str(refused.value)


class _Asking(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Basic bWU6b3Blbi1zZXNhbWUtMjkzMQ==":
            self.send_response(401)
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def asking() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Asking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a.pdf"
        server.shutdown()


def test_basic_auth_is_that_of_the_netrc_file(asking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = AddressPolicy(allow=("127.0.0.1",))
    file = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(file))
    file.write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    download(policy, asking, tmp_path / "out", max_bytes=100)
    assert (tmp_path / "out").read_bytes() == b"content"
    file.write_text(f"machine other.example login me password {PASSWORD}\n")
    with pytest.raises(InputError, match="401"):
        download(policy, asking, tmp_path / "out", max_bytes=100)
    file.write_text(f"{PASSWORD} is no netrc")
    with pytest.raises(InputError, match="the netrc file cannot be read") as refused:
        download(policy, asking, tmp_path / "out", max_bytes=100)
    assert PASSWORD not in str(refused.value)


def test_what_a_command_prints_is_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = str(tmp_path / "a\x1b]0;owned\x07\u202e\x9b2J.yaml")
    assert main(["--recipe", hostile, "--output", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert r"a\x1b]0;owned\x07\u202e\x9b2J.yaml" in told
    assert told.rstrip("\n").isprintable()
    stream = EscapingText(io.StringIO())
    print("two\nlines\tand \r\udcff", file=stream)
    assert stream.getvalue() == "two\nlines\tand \\x0d\\xff\n"


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {"run"}))
def test_every_command_escapes_what_it_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch" if COMMANDS[name].extra else "sys")
    module = importlib.import_module(COMMANDS[name].module)
    with pytest.raises(SystemExit):
        module.main(["--\x1b]0;owned\x07\u202e"], prog=f"vellum {name}")
    told = capsys.readouterr().err
    assert told
    assert not {"\x1b", "\x07", "\u202e"} & set(told)
