"""Debian packages as folders: downloaded by apt and unpacked, without installing them."""

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from examples.steps import StepError

LIST = Path(__file__).with_name("packages.yaml")


def packages() -> Mapping[str, Sequence[str]]:
    """Return the names of packages by what they are read as: `pdfs`, `papers`, `books`, …"""
    found: Mapping[str, Sequence[str]] = yaml.safe_load(LIST.read_text("utf-8"))
    return found


def unpack(names: Iterable[str], folder: Path, progress: Callable[[str], None] = print) -> None:
    """Download packages and unpack each into `folder/NAME`; those that are there are left alone.

    Raises:
        StepError: this is no Debian, or a package cannot be had; the message says what apt said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (folder / name).exists():
            continue
        progress(f"    {name}")
        aside = folder / f"{name}.partial"
        aside.mkdir(exist_ok=True)
        _call(["apt-get", "download", "-qq", name], aside)
        archives = sorted(aside.glob("*.deb"))
        if not archives:
            raise StepError(f"apt-get download {name} gave no package; is its section in the sources of apt?")
        _call(["dpkg-deb", "--extract", str(archives[-1].resolve()), str((aside / "files").resolve())], aside)
        (aside / "files").rename(folder / name)
        for archive in archives:
            archive.unlink()
        aside.rmdir()


def _call(command: Sequence[str], folder: Path) -> None:
    try:
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise StepError(
            f"there is no {command[0]}: the packages come from Debian; use a Debian or its container"
        ) from error
    if found.returncode:
        said = found.stderr.strip().splitlines()
        raise StepError(f"{' '.join(command[:3])} {command[-1]} failed: {said[-1] if said else found.returncode}")
