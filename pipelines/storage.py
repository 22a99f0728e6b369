"""Storage: the files of one output folder, by relative path."""

import os
from pathlib import Path
from typing import BinaryIO


class Storage:
    """The files under one root."""

    def __init__(self, root: str):
        self.root = str(root)

    def read_bytes(self, relative: str) -> bytes:
        """The whole file. Raises FileNotFoundError."""
        return (Path(self.root) / relative).read_bytes()

    def open(self, relative: str) -> BinaryIO:
        """The file to read from, seekable. Raises FileNotFoundError."""
        return open(Path(self.root) / relative, "rb")

    def list(self, prefix: str) -> list[str]:
        """Relative paths that begin with a prefix, sorted."""
        root = Path(self.root)
        found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(path for path in found if path.startswith(prefix))

    def write_bytes(self, relative: str, data: bytes) -> None:
        """Write the whole file at once: aside, then renamed."""
        path = Path(self.root) / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.write_bytes(data)
        os.replace(aside, path)
