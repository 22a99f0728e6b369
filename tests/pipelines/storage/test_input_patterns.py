"""Names of inputs: bash is the reference."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.storage import Storage, match

pytestmark = pytest.mark.slow

TREE = [
    "a.pdf", "b.PDF", "c.txt", "[draft].pdf", "d/a.pdf", "d/e/b.pdf", "d/e/f/c.pdf", "d-e/a.pdf",
    ".hidden/a.pdf", "d/.h.pdf", "d/e/é 1.pdf",
]  # fmt: skip
PATTERNS = [
    "*.pdf", "*", "?.pdf", "d/*.pdf", "*/*.pdf", "**/*.pdf", "**/e/*.pdf", "**/e/**/*.pdf", "d/**/c.pdf",
    "d/**", "[ab].*", "[[]*", "d/.*.pdf", ".hidden/*", "**/**/*.pdf", "d/e/é*", "d*/a.pdf", "nothing/*",
    "*.djvu",
]  # fmt: skip


@pytest.fixture
def tree(base: str) -> str:
    storage = Storage(f"{base}/in")
    for name in TREE:
        storage.write_bytes(name, b"1")
    return storage.root


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return the files in TREE that bash expands a pattern to."""
    root = tmp_path_factory.mktemp("bash")
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()

    def expand(pattern: str) -> list[str]:
        script = f'shopt -s globstar nullglob; for f in {pattern}; do [ ! -f $f ] || echo "$f"; done'
        out = subprocess.run(["bash", "-c", script], cwd=root, stdout=subprocess.PIPE, check=True)
        return sorted(set(out.stdout.decode().splitlines()))

    return expand


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_mean_what_they_mean_to_bash(tree: str, bash: Callable[[str], list[str]], pattern: str):
    found = list(match(f"{tree}/{pattern}"))
    assert sorted(found) == [f"{tree}/{name}" for name in bash(pattern)]
    assert len(found) == len(set(found))


def test_a_name_that_exists_is_not_a_pattern(tree: str):
    assert list(match(f"{tree}/[draft].pdf")) == [f"{tree}/[draft].pdf"]


def test_a_folder_means_every_file_below_it(tree: str):
    below_d = [f"{tree}/d/{name}" for name in ("a.pdf", "e/b.pdf", "e/f/c.pdf", "e/é 1.pdf")]
    assert list(match(f"{tree}/d/")) == below_d
    assert list(match(f"{tree}/d")) == below_d
    assert list(match(f"{tree}/nothing")) == []
    assert list(match(f"{tree}/nothing/")) == []


def test_a_whole_bucket_or_root(tree: str):
    root = tree.removesuffix("/in")
    visible = sorted(f"{tree}/{name}" for name in TREE if "/." not in f"/{name}")
    assert sorted(match(root)) == sorted(match(root + "/")) == visible


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.pdf").touch()
    monkeypatch.chdir(tmp_path)
    assert list(match("**/*.pdf")) == list(match("d/*.pdf")) == list(match("d")) == ["d/a.pdf"]


def test_links_to_folders_are_followed_only_when_named(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.pdf").touch()
    (tmp_path / "real/loop").symlink_to(tmp_path)
    assert list(match(f"{tmp_path}/**/*.pdf")) == [f"{tmp_path}/real/a.pdf"]
    assert list(match(f"{tmp_path}/real/*/real/*.pdf")) == [f"{tmp_path}/real/loop/real/a.pdf"]
    (tmp_path / "gone.pdf").symlink_to("nowhere")  # an input that cannot be read is still an input
    assert list(match(f"{tmp_path}/*.pdf")) == [f"{tmp_path}/gone.pdf"]
