"""The test PDFs, each made once per session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pdf_files

MakePdf = Callable[..., Path]


@pytest.fixture(scope="session")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> MakePdf:
    """Return a function that makes a file of `pdf_files` by name, as in `pdf("rotated")`, and returns its path."""
    folder = tmp_path_factory.mktemp("pdfs")
    made: dict[tuple[object, ...], Path] = {}

    def make(name: str, **options: object) -> Path:
        key = (name, *sorted(options.items()))
        if key not in made:
            made[key] = getattr(pdf_files, name)(folder, **options)
        return made[key]

    return make
