"""What a bucket has to offer: the few calls that Vellum makes to an object store."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

ABSENT = ""  # the tag of an object that is not there


@dataclass(frozen=True, slots=True)
class Head:
    """The metadata that a store has of an object.

    Args:
        size: in bytes.
        tag: another one after every write.
        modified_s: when it was written, seconds since 1970 by the store's clock.
    """

    size: int
    tag: str
    modified_s: float


class ObjectStore(ABC):
    """One bucket. Every method raises StorageError where the store refuses, and StoreBusy where it may not later.

    Args:
        uri: `gs://bucket` or `s3://bucket`.
    """

    def __init__(self, uri: str):
        self.uri = uri
        self.bucket = uri.partition("://")[2]

    @abstractmethod
    def head(self, key: str) -> Head | None:
        """The metadata of an object, None if it is not there."""

    @abstractmethod
    def read_range(self, key: str, start: int, length: int) -> bytes:
        """`length` > 0 bytes from `start`, fewer at the end of the object."""

    @abstractmethod
    def download(self, key: str, into: IO[bytes]) -> None:
        """Copy an object to a file. Raises FileNotFoundError."""

    @abstractmethod
    def upload(self, key: str, file: IO[bytes]) -> None:
        """Make an object of a seekable file; it appears when all of it has arrived."""

    @abstractmethod
    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        """Write if the object still has this tag (`ABSENT`: is not there).

        Returns:
            Its new tag, None if it had another one.
        """

    @abstractmethod
    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Keys that begin with `prefix` and come after a key, sorted, each with the object's size in bytes."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, sorted."""
        for key, _ in self.entries(prefix):
            yield key

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete an object; it may be missing."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the store. Raises FileNotFoundError."""
