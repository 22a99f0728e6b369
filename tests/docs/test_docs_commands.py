"""Every command that a page marks is run as a reader would run it, and prints what the page says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pymupdf
import pytest
from markdown_pages import ROOT, Block, blocks_of, pages
from PIL import Image

pytestmark = pytest.mark.slow

PAPERS = ("reading-a-page", "judging-pages", "slides", "scan")
PHOTOS = ("slides", "judging-pages", "form")
PACKAGES = ("deepseek_vl", "filters", "pipelines", "public_addresses", "sources", "taxonomy")
BLOCK_ENDS = "\x1e"  # printed after each block: tells the outputs of blocks from each other
TIMEOUT_S = 300

# A shell as a reader's: jobs can be named %1, and what still runs at the end is stopped.
PREAMBLE = """\
set -e -m -o pipefail
exec 2>&1
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"""

PAGES = {str(page.relative_to(ROOT)): blocks for page in pages() if (blocks := blocks_of(page))}
# Their commands need a cloud project, and an account of the hub.
UNTESTED_HOW_TOS = {"docs/howto/dataflow.md", "docs/howto/publish.md"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the repository's packages, and a reader's files."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name)
    examples = ROOT / "sources/pdfs/examples"
    (tmp_path / "papers").mkdir()
    for name in PAPERS:
        (tmp_path / f"papers/{name}.pdf").write_bytes((examples / f"{name}.pdf").read_bytes())
    (tmp_path / "photos").mkdir()
    for name in PHOTOS:
        pixmap = pymupdf.open(examples / f"{name}.pdf")[0].get_pixmap(dpi=72)
        image = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
        image.save(tmp_path / f"photos/{name}.png")
        if name != "form":
            small = image.resize((image.width * 2 // 3, image.height * 2 // 3))
            small.save(tmp_path / f"photos/{name}-small.jpg", quality=40)
    return tmp_path


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with `python` and the commands that the package installs."""
    folder = tmp_path_factory.mktemp("bin")
    programs = {"python": f'#!/bin/sh\nexec {sys.executable} "$@"\n'}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("scripts", {})
    for name, entry in scripts.items():
        module, function = entry.split(":")
        programs[name] = f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run_and_print_what_it_says(page: str, checkout: Path, programs: Path):
    blocks = PAGES[page]
    running = [block for block in blocks if block.kind == "run"]
    process = subprocess.run(
        ["bash", "-c", PREAMBLE + "".join(map(_shell, blocks))],
        cwd=checkout,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(checkout)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
    )
    outputs = process.stdout.split(BLOCK_ENDS)
    if process.returncode:
        last = running[min(len(outputs), len(running)) - 1]
        pytest.fail(f"{last}: exit code {process.returncode}\n{last.code}\nprinted\n{outputs[-1]}")
    printed = dict(zip(running, outputs, strict=False))
    previous = None
    for block in blocks:
        if block.kind == "run":
            previous = block
        elif block.kind == "prints":
            assert previous is not None, f"{block}: no command before it"
            _assert_printed(block, printed[previous])


def test_every_how_to_page_has_commands_that_run():
    how_tos = {str(page.relative_to(ROOT)) for page in pages() if page.parent.name == "howto"}
    assert len(how_tos) >= 9
    assert {name for name in how_tos if name not in PAGES} == UNTESTED_HOW_TOS


def _shell(block: Block) -> str:
    """The block as lines of a shell script."""
    if block.kind == "prints":
        return ""
    if block.kind == "change":
        return f"python - <<'END OF CODE'\n{_edit(block)}END OF CODE\n"
    if block.kind == "file":
        return f"mkdir -p $(dirname {block.file})\ncat >{block.file} <<'END OF FILE'\n{block.code}END OF FILE\n"
    assert block.language in ("sh", "python"), f"{block}: cannot run {block.language!r}"
    code = block.code if block.language == "sh" else f"python - <<'END OF CODE'\n{block.code}END OF CODE\n"
    return f"{code}printf '{BLOCK_ENDS}'\n"


def _edit(block: Block) -> str:
    """A Python program that makes the changes of a block: hunks of a diff, separated by lines of dots."""
    lines = ["from pathlib import Path", f"path = Path({block.file!r})", "text = path.read_text()"]
    for hunk in re.split(r"^\.\.\.\n", block.code, flags=re.MULTILINE):
        old = "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in " -")
        new = "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in " +")
        lines += [f"assert text.count({old!r}) == 1, {old!r}", f"text = text.replace({old!r}, {new!r})"]
    return "\n".join([*lines, "path.write_text(text)", ""])


def _assert_printed(block: Block, output: str) -> None:
    """Each line of the block is in the output, after the one before it."""
    rest = output
    for line in block.code.splitlines():
        pattern = "^" + ".*".join(re.escape(piece.strip()) for piece in line.split("…")) + "$"
        if line.startswith(" "):
            pattern = "^ *" + pattern[1:]
        found = re.search(re.sub(r"(\\ )+", r"\\s+", pattern), rest, re.MULTILINE)
        assert found is not None, f"{block}: not printed: {line}\nin\n{output}"
        rest = rest[found.end() :]
