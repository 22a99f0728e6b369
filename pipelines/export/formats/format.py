"""The interface of a layout: how the samples of a shard become files."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, ClassVar, NamedTuple

from pipelines.export.sample import ExportedImage, ExportedSample
from pipelines.storage import Storage
from pipelines.tables.parquet import HashingFile

IMAGES = "images"  # folder of image files
WRITERS = 8  # of image files, which wait for a disk or a store


class ExportFile(NamedTuple):
    """A written file with its number of samples, its size in bytes and its digest."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Format(ABC):
    """A layout of an export.

    Args:
        prompt: the question of samples that have a text instead of a conversation, where a layout needs one.
    """

    name: ClassVar[str]
    about: ClassVar[str]  # one line

    prompt: str = ""

    @abstractmethod
    def write(
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        """Write the samples of a shard, and return the files that hold rows; without a sample, none.

        Args:
            number: number of the shard, as in its name, e.g. `00003`.
            left_out: reasons why samples cannot be written are counted here.
        """

    def extra_files(self, name: str, files: Sequence[ExportFile]) -> Mapping[str, bytes]:
        """Further files of a whole export, by path.

        Args:
            name: name of the recipe.
        """
        return {}

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        """Return a command or a line of Python that reads the export.

        Args:
            place: folder or address of the export.
        """
        return ""


class Writing:
    """Files that are being written for one shard; each appears when the block of `of_shard` ends without an error."""

    def __init__(self, storage: Storage, stack: ExitStack, pool: ThreadPoolExecutor):
        self._storage = storage
        self._stack = stack
        self._pool = pool
        self._open: dict[str, HashingFile] = {}
        self.rows: Counter[str] = Counter()

    def file(self, path: str) -> HashingFile:
        """The file of this name, opened when it is first asked for."""
        if path not in self._open:
            self._open[path] = HashingFile(self._stack.enter_context(self._storage.create(path)))
        return self._open[path]

    def add_line(self, path: str, row: Mapping[str, Any]) -> None:
        """Write a row of JSON to a file."""
        self.file(path).write((json.dumps(row, ensure_ascii=False) + "\n").encode())
        self.rows[path] += 1

    def add_images(self, samples: Iterable[ExportedSample]) -> None:
        """Write the image files of samples; they are all there when this returns."""
        images = [image for sample in samples for image in sample.images]
        for _ in self._pool.map(lambda image: self._storage.write_bytes(image_path(image), image.data), images):
            pass

    def files(self) -> list[ExportFile]:
        """The files, when all rows are written."""
        return [
            ExportFile(path, self.rows[path], file.num_bytes, file.sha256())
            for path, file in sorted(self._open.items())
        ]


@contextmanager
def of_shard(storage: Storage) -> Iterator[Writing]:
    """A context in which the files of a shard are written."""
    with ThreadPoolExecutor(WRITERS) as pool, ExitStack() as stack:
        yield Writing(storage, stack, pool)


def image_path(image: ExportedImage) -> str:
    """The place of an image file, relative to the export: folders of at most some thousand files."""
    return f"{IMAGES}/{image.name[:3]}/{image.name}"


def binary(file: HashingFile) -> IO[bytes]:
    """A `HashingFile` for a library that wants a file to write to."""
    return file  # type: ignore[return-value]  # it has what writers use
