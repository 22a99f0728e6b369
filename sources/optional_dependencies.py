"""Checks for packages that are installed with an extra."""

import importlib.util
from collections.abc import Mapping


def how_to_install(extra: str) -> str:
    """Return how an extra is installed. Vellum is not on the package index: its name alone is anybody's."""
    return f"pip install -e '.[{extra}]' in the checkout, or pip install 'FILE.whl[{extra}]' with Vellum's wheel"


def check_installed(dependent: str, packages: Mapping[str, str], extra: str) -> None:
    """Raise ValueError with the command that installs the packages, if a module is missing.

    Args:
        dependent: what needs the packages, as the error's beginning, such as "charts need".
        packages: package by module.
        extra: the extra that installs the packages.
    """
    missing = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(f"{dependent} {', '.join(missing)}; install with: {how_to_install(extra)}")
