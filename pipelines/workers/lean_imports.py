"""Imports of what is installed but not used: left out where they cost every process of a run a part of a second."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

import pyarrow as pa


class _Hiding(MetaPathFinder):
    """Raises the error of a package that is not installed."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if any(f"{fullname}.".startswith(f"{package}.") for package in self._packages):
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


@contextmanager
def without(packages: Sequence[str]) -> Iterator[None]:
    """Let imports behave as if packages were not installed, as far as they are not imported yet."""
    hiding = _Hiding(packages)
    sys.meta_path.insert(0, hiding)
    try:
        yield
    finally:
        sys.meta_path.remove(hiding)


def keep_pandas_out_of_arrow() -> None:
    """Let Arrow do without pandas in this process, which it imports with the first list that it is given: 0.3 s."""
    with without(("pandas",)):
        pa.array([[]])
