"""Files in object stores (`gs://`, `s3://`), as a source may ask for them while it lists its inputs."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class Stores(Protocol):
    """Object stores. Their errors are OSErrors with a sentence for the user."""

    def holds(self, name: str) -> bool:
        """Return True if a name is the URI of an object or a pattern of such URIs."""

    def match(self, pattern: str) -> Iterator[str]:
        """Yield the URIs of the objects that a name, a folder or a pattern means, in alphabetical order."""

    def open(self, uri: str) -> BinaryIO:
        """Open an object to read; the reader is seekable, and reads parts. Raises FileNotFoundError."""


class NoStores:
    """Stores where nothing can reach one: every name is a local file's."""

    def holds(self, name: str) -> bool:
        return False

    def match(self, pattern: str) -> Iterator[str]:
        raise FileNotFoundError(pattern)

    def open(self, uri: str) -> BinaryIO:
        raise FileNotFoundError(uri)


NO_STORES = NoStores()
