"""Object stores for sources that list their inputs themselves."""

from collections.abc import Iterator
from typing import BinaryIO

from pipelines.storage.inputs import match
from pipelines.storage.names import is_web
from pipelines.storage.storage import Storage
from pipelines.storage.uris import is_remote


class ObjectFiles:
    """`sources.base.stores.Stores` by the connections of this process."""

    def holds(self, name: str) -> bool:
        return not is_web(name) and is_remote(name)

    def match(self, pattern: str) -> Iterator[str]:
        return match(pattern)

    def open(self, uri: str) -> BinaryIO:
        folder, _, name = uri.rpartition("/")
        return Storage(folder).open(name)
