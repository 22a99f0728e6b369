"""The wheel: it has every file of the packages, and installed elsewhere, without the checkout, every source runs."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.card_snippets import run_snippets
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PACKAGES = ("deepseek_vl", "filters", "pipelines", "public_addresses", "sources", "taxonomy")
SMALL = {
    "books": ["--set", "side_px=320"],
    "charts": ["--set", "num_samples=4"],
    "ocr": ["--set", "num_samples=3"],
    "papers": ["--set", "side_px=320"],
    "pdfs": ["--set", "side_px=320"],
    "synthetic_pages": ["--set", "num_samples=2"],
    "web": ["--set", "max_pages=3"],
}


def tracked_files(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy of the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked_files():
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    line = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir"]
    built = subprocess.run(
        [*line, str(folder / "dist"), str(folder / "source")], capture_output=True, text=True, timeout=300
    )
    assert built.returncode == 0, built.stderr
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel, and the dependencies of this one but not its checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python3*/site-packages")
    # A folder that a .pth file names is searched, but its own .pth files, such as that of an editable install, are not.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    line = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return python.parent


def run(installed: Path, work: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the environment, in a working folder outside the checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program, *arguments = words
    return subprocess.run(
        [str(installed / program), *arguments], cwd=work, env=env, capture_output=True, text=True, timeout=500
    )


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == tracked_files(*PACKAGES)


def test_the_checkout_is_out_of_reach(installed: Path, tmp_path: Path) -> None:
    names = ", ".join(PACKAGES)
    shown = run(installed, tmp_path, "python", "-c", f"import {names}; print([m.__file__ for m in ({names})])")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count(str(installed.parent)) == len(PACKAGES)
    assert str(ROOT) not in shown.stdout


@pytest.mark.parametrize("source", sorted(SMALL))
def test_the_default_of_every_source_runs(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    done = run(installed, tmp_path, "vellum", "run", "--source", source, "--output", "out", *SMALL[source])
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["samples"]["kept"] > 0
    again = run(installed, tmp_path, "python", "-m", "pipelines.card", "out")
    assert again.returncode == 0, again.stderr
    library = pytest.importorskip("datasets")
    monkeypatch.setattr(library.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    assert run_snippets(tmp_path / "out")["encoded"]


def test_the_smoke_test_of_the_image_runs_what_is_installed(installed: Path, tmp_path: Path) -> None:
    smoke = ROOT / "container" / "smoke.py"
    done = run(installed, tmp_path, "python", str(smoke))
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["pdfs", "web"]
    here = subprocess.run([sys.executable, str(smoke)], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert "is not the installed one" in here.stderr  # the checkout, which this environment imports


def test_the_bundled_taxonomy_is_found(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "python", "-m", "taxonomy", "validate")
    assert done.returncode == 0, done.stderr
    assert "all well" in done.stdout


def test_other_processes_search_an_installed_copy_where_python_does(installed: Path, tmp_path: Path) -> None:
    """Its folder on PYTHONPATH would put every installed package before the standard library."""
    shown = run(
        installed, tmp_path, "python", "-c", "from pipelines.run import _python_path; print(repr(_python_path()))"
    )
    assert shown.stdout.strip() == "''", shown.stderr
