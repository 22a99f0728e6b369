"""Packages that come with an extra."""

import importlib.util
from collections.abc import Mapping


def check_installed(what: str, packages: Mapping[str, str], extra: str) -> None:
    """Raises ValueError, saying what to do, if a module is missing.

    Args:
        what: needs them, for the error: "charts need".
        packages: module to package.
        extra: that brings the packages.
    """
    missing = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(f"{what} {', '.join(missing)}; install with: pip install 'vellum-vl[{extra}]'")
