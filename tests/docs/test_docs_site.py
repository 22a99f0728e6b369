"""The site builds without a warning and without a network; what its pages name exists."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_pages import ROOT, blocks_of, pages

from pipelines.commands.vellum import COMMANDS

pytestmark = pytest.mark.slow

CODE_FOLDERS = ("benchmarks", "deepseek_vl", "docs", "examples", "filters", "pipelines", "sources", "taxonomy", "tests")
# A path in backticks that begins with a folder of the repository, and the rest of a command on the same line is not.
PATH = re.compile(rf"`((?:{'|'.join(CODE_FOLDERS)})/[^`\s*]*)`")
COMMAND_PATH = re.compile(rf"(?<![\w./(-])((?:{'|'.join(CODE_FOLDERS)})/[\w./-]+\.(?:py|yaml|json|md))\b")
# A command in backticks or at the beginning of a line of code.
COMMAND = re.compile(r"(?:`|^ *)vellum (\w+)", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|deepseek_vl|docs|pipelines|taxonomy)(?:\.\w+)*)")
PAGE_IN_CODE = re.compile(r"\bdocs/[\w/]+\.md\b")
# Files of a reader that a page names as an example.
READERS_FILES = {"benchmarks/mmbench"}


def build(source: Path, output: Path) -> "subprocess.CompletedProcess[str]":
    """Build the site as `make docs` does."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    return subprocess.run([*command, str(source), str(output)], capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", output)
    assert done.returncode == 0, done.stderr
    return output


def test_every_page_is_built_and_loads_nothing_from_elsewhere(site: Path):
    built = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    written = {path.relative_to(ROOT / "docs") for path in pages() if path.is_relative_to(ROOT / "docs")}
    assert len(written) > 30
    assert written <= built
    for path in site.rglob("*.html"):
        html = path.read_text()
        loaded = re.findall(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="([^"]*)"', html)
        assert loaded
        assert not [address for address in loaded if re.match(r"(https?:)?//", address)], path


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ("[gone](concepts/gone.md)", "concepts/gone.md"),
        ("[gone](glossary.md#gone)", "gone"),
        ("![gone](pictures/gone.png)", "pictures/gone.png"),
    ],
)
def test_a_broken_link_fails_the_build(tmp_path: Path, change: str, warning: str):
    for name in ("conf.py", "glossary.md"):
        text = (ROOT / "docs" / name).read_text()
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / name).write_text(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text))
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    index = tmp_path / "docs/index.md"
    index.write_text("# Start\n\n```{toctree}\nglossary\n```\n")
    done = build(tmp_path / "docs", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    index.write_text(index.read_text() + f"\n{change}\n")
    done = build(tmp_path / "docs", tmp_path / "site")
    assert done.returncode != 0
    assert warning in done.stderr


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_modules_and_commands_that_a_page_names_exist(page: Path):
    text = page.read_text()
    written = {block.file for block in blocks_of(page) if block.kind == "file"}
    paths = {*PATH.findall(text), *COMMAND_PATH.findall(text)} - READERS_FILES - written
    assert not [path for path in sorted(paths) if not (ROOT / path).exists()]
    commands = {command for command in COMMAND.findall(text) if command.isalpha()}
    assert commands <= set(COMMANDS), f"no such command: {sorted(commands - set(COMMANDS))}"
    assert not [module for module in sorted({*MODULE.findall(text)}) if importlib.util.find_spec(module) is None]


def test_pages_that_code_names_exist():
    files = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yaml")]
    named = {(path, name) for path in files for name in PAGE_IN_CODE.findall(path.read_text())}
    assert named
    assert not sorted(f"{path.relative_to(ROOT)}: {name}" for path, name in named if not (ROOT / name).exists())
