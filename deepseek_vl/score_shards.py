"""Reads what a bulk scoring run scores: shards of rows, each with an id and images.

A shard is a Parquet file of ours (or of the hub's image data sets), or up to 1,000 images of a folder or lines of a
JSONL file. A row that cannot be used comes as an error in its place.
"""

import glob
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deepseek_vl.scoring import ItemError

ROWS_PER_SHARD = 1000  # of images in a folder and of lines
ROWS_AT_ONCE = 32  # of a Parquet file: a few megabytes of encoded images
KEY = b"vellum.key"  # in the metadata of a file of scores: what it was computed from
FOOTER_BYTES = 8  # length of the footer and the magic number, at the end of a Parquet file
IMAGE_SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".png", ".tif", ".tiff", ".webp"}
Images = tuple[bytes | Path, ...]


@dataclass(frozen=True, slots=True)
class ShardRow:
    """A row: its id, and its images or why they cannot be had."""

    id: str
    images: Images | ItemError


@dataclass(frozen=True, slots=True)
class Shard(ABC):
    """Rows that are scored into one file.

    Args:
        name: name of the file of scores, without its suffix.
        num_rows: number of rows.
    """

    name: str
    num_rows: int

    @abstractmethod
    def content(self) -> str:
        """Return a digest that changes with the rows."""

    @abstractmethod
    def rows(self) -> Iterator[ShardRow]:
        """Yield the rows. Raises OSError, ValueError (pyarrow's errors are) if the shard as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class ParquetShard(Shard):
    """A Parquet file with a column `images` (a list) or `image` of bytes or of {bytes, path}, and perhaps an `id`."""

    path: Path

    def content(self) -> str:
        # The footer holds places, sizes and statistics of every column chunk; hashing the images would take hours.
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - FOOTER_BYTES, 0))
            footer = int.from_bytes(file.read(FOOTER_BYTES)[:4], "little")
            file.seek(max(size - FOOTER_BYTES - footer, 0))
            return hashlib.sha256(size.to_bytes(8, "little") + file.read()).hexdigest()

    def rows(self) -> Iterator[ShardRow]:
        with pq.ParquetFile(self.path) as file:
            names = file.schema_arrow.names
            column = next((name for name in ("images", "image") if name in names), None)
            if column is None:
                raise ValueError(f"{self.path}: no column `images` or `image`; its columns are {', '.join(names)}")
            columns = [column, "id"] if "id" in names else [column]
            number = 0
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=columns):
                ids = batch.column("id").to_pylist() if "id" in columns else [None] * len(batch)
                for key, value in zip(ids, batch.column(column).to_pylist(), strict=True):
                    name = f"{self.path.name}:{number}" if key is None else str(key)
                    yield ShardRow(name, _images(value, self.path.parent))
                    number += 1


@dataclass(frozen=True, slots=True)
class FileShard(Shard):
    """Images in a folder, with their names in it as ids."""

    folder: Path
    files: tuple[Path, ...]

    def content(self) -> str:
        listed = [(str(file.relative_to(self.folder)), _digest(file)) for file in self.files]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()

    def rows(self) -> Iterator[ShardRow]:
        for file in self.files:
            yield ShardRow(printable(str(file.relative_to(self.folder))), (file,))


@dataclass(frozen=True, slots=True)
class LineShard(Shard):
    """Lines of a JSONL file, `{"image": PATH}` or `{"images": [PATH, …]}`, perhaps with an `id`.

    Args:
        first: number of its first line, from 0.
        start: index of that line's first byte.
    """

    path: Path
    first: int
    start: int

    def lines(self) -> list[bytes]:
        """Read the lines."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return [file.readline() for _ in range(self.num_rows)]

    def content(self) -> str:
        whole = hashlib.sha256(b"".join(self.lines()))
        for row in self.rows():
            images = () if isinstance(row.images, ItemError) else row.images
            whole.update("".join(_digest(image) for image in images if isinstance(image, Path)).encode())
        return whole.hexdigest()

    def rows(self) -> Iterator[ShardRow]:
        for number, line in enumerate(self.lines(), self.first + 1):
            name = f"{self.path.name}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield ShardRow(name, ItemError(f"the line is not JSON: {error}"))
                continue
            if not isinstance(row, dict):
                yield ShardRow(name, ItemError('the line is no object; expected {"image": PATH}'))
                continue
            images = _images(row.get("images", row.get("image")), self.path.parent)
            yield ShardRow(printable(str(row.get("id", name))), images)


def _digest(file: Path) -> str:
    """Return the SHA-256 of a file, or that it cannot be read; reading costs little beside scoring the image."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError):  # a name with a zero byte or a surrogate
        return "unreadable"


def _images(value: Any, folder: Path) -> Images | ItemError:
    """Return the images of a row's value: a list or one image, each as bytes, as a path or as {bytes, path}."""
    images: list[bytes | Path] = []
    for image in value if isinstance(value, list) else [value]:
        data, path = (image.get("bytes"), image.get("path")) if isinstance(image, dict) else (image, image)
        if isinstance(data, bytes):
            images.append(data)
        elif isinstance(path, str):
            images.append(folder / path)
        else:
            return ItemError(
                "the row has an image without bytes and path" if images or value else "the row has no image"
            )
    return tuple(images) if images else ItemError("the row has no image")


def printable(text: str) -> str:
    """Replace what is not Unicode: bytes of file names, which Python keeps as surrogates, and escapes in JSON."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def find_shards(inputs: Sequence[str]) -> Iterator[Shard | ItemError]:
    """Yield the shards of files, folders and patterns, in the order of their names; an unreadable file is an error.

    Of a folder that this project wrote (with a `manifest.json`), the `data`; of others the Parquet files, or else the
    images.

    Raises:
        ValueError: an input does not exist, or holds nothing to score.
    """
    for given in inputs:
        paths = [Path(given)] if Path(given).exists() else [Path(p) for p in sorted(glob.glob(given))]  # noqa: PTH207 (absolute patterns)
        if not paths:
            raise ValueError(f"--input {given} does not exist")
        empty = True
        for path in paths:
            if path.is_file() and not path.stat().st_size:
                empty = False
                yield ItemError(f"{path} is empty")
                continue
            for shard in _shards_of(path):
                empty = False
                yield shard
        if empty:
            raise ValueError(f"--input {given} holds no Parquet file, image or line")


def _shards_of(path: Path) -> Iterator[Shard | ItemError]:
    if path.is_dir():
        root = path / "data" if (path / "manifest.json").is_file() and (path / "data").is_dir() else path
        files = sorted(file for file in root.rglob("*") if file.is_file() and not file.name.startswith("."))
        tables = [file for file in files if file.suffix == ".parquet" and not _holds_scores(file)]
        if tables:
            for table in tables:
                yield _parquet_shard(table, str(table.relative_to(root).with_suffix("")).replace("/", "--"))
            return
        images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
        for n, start in enumerate(range(0, len(images), ROWS_PER_SHARD)):
            chunk = tuple(images[start : start + ROWS_PER_SHARD])
            yield FileShard(f"{printable(path.resolve().name)}-{n:05}", len(chunk), path, chunk)
    elif path.suffix == ".parquet":
        yield _parquet_shard(path, path.stem)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield from _line_shards(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        yield FileShard(printable(path.stem), 1, path.parent, (path,))
    else:
        raise ValueError(f"{path} is no Parquet file (.parquet), list (.jsonl), folder or image")


def _holds_scores(path: Path) -> bool:
    """Return True for a file that bulk scoring wrote, perhaps into the folder of its input."""
    try:
        return KEY in (pq.read_metadata(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def _parquet_shard(path: Path, name: str) -> Shard | ItemError:
    try:
        return ParquetShard(name, pq.read_metadata(path).num_rows, path)
    except (OSError, pa.ArrowException) as error:
        return ItemError(f"{path} is not a whole Parquet file: {str(error).splitlines()[0]}")


def _line_shards(path: Path) -> Iterator[Shard]:
    first = start = position = number = 0
    with path.open("rb") as file:
        for line in file:
            position, number = position + len(line), number + 1
            if number - first == ROWS_PER_SHARD:
                yield LineShard(f"{path.stem}-{first // ROWS_PER_SHARD:05}", number - first, path, first, start)
                first, start = number, position
    if number > first:
        yield LineShard(f"{path.stem}-{first // ROWS_PER_SHARD:05}", number - first, path, first, start)
