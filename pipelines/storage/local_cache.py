"""A process's local copies of remote files: each is downloaded once, and all go when the process ends."""

import os
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class LocalCache:
    """Temporary folders by key, each filled once, by the first caller that asks for it.

    Args:
        prefix: beginning of the folders' names.
        capacity: folders kept; beyond it the one that was asked for longest ago is deleted. None keeps all.
        max_bytes: the same for what is in them; a folder that is `held` is not deleted.
    """

    def __init__(self, prefix: str, capacity: int | None = None, max_bytes: int | None = None):
        self._prefix, self._capacity, self._max_bytes = prefix, capacity, max_bytes
        self._folders: OrderedDict[str, tempfile.TemporaryDirectory[str]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._num_bytes = 0
        self._holders: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._filling: dict[str, threading.Lock] = {}

    def folder(self, key: str, fill: Callable[[Path], object]) -> Path:
        """The folder of a key. `fill` downloads into it if there is none yet; if it fails, there is still none."""
        with self.held(key, fill) as folder:
            return folder

    @contextmanager
    def held(self, key: str, fill: Callable[[Path], object]) -> Iterator[Path]:
        """The folder of a key, as `folder`, that stays while the block runs. Others are filled side by side."""
        with self._lock:
            self._holders[key] += 1
            filling = self._filling.setdefault(key, threading.Lock())
        try:
            with filling:
                with self._lock:
                    known = self._folders.get(key)
                if known is None:
                    known = self._filled(key, fill)
            with self._lock:
                if key in self._folders:
                    self._folders.move_to_end(key)
                self._shrink()
            yield Path(known.name)
        finally:
            with self._lock:
                self._holders[key] -= 1
                if not self._holders[key]:
                    del self._holders[key], self._filling[key]
                    self._shrink()

    def find(self, key: str) -> Path | None:
        """The folder of a key that was asked for before, if it is still there. It may go at any time."""
        with self._lock:
            if key not in self._folders:
                return None
            self._folders.move_to_end(key)
            return Path(self._folders[key].name)

    def drop(self, key: str) -> None:
        """Delete the folder of a key, if there is one."""
        with self._lock:
            if key in self._folders:
                self._remove(key)

    def clear(self) -> None:
        """Delete all folders that nobody holds."""
        with self._lock:
            for key in [key for key in self._folders if not self._holders[key]]:
                self._remove(key)

    def _filled(self, key: str, fill: Callable[[Path], object]) -> "tempfile.TemporaryDirectory[str]":
        folder = tempfile.TemporaryDirectory(prefix=self._prefix)
        try:
            fill(Path(folder.name))
        except BaseException:
            folder.cleanup()
            raise
        with self._lock:
            self._folders[key] = folder
            if self._max_bytes is not None:
                self._sizes[key] = sum(entry.stat().st_size for entry in os.scandir(folder.name))
                self._num_bytes += self._sizes[key]
        return folder

    def _shrink(self) -> None:
        """Delete the oldest folders until the others have room; the one asked for last stays."""
        for key in [*self._folders][:-1]:
            is_full = self._capacity is not None and len(self._folders) > self._capacity
            is_heavy = self._max_bytes is not None and self._num_bytes > self._max_bytes
            if not is_full and not is_heavy:
                return
            if not self._holders[key] or self._max_bytes is None:
                self._remove(key)

    def _remove(self, key: str) -> None:
        self._num_bytes -= self._sizes.pop(key, 0)
        self._folders.pop(key).cleanup()
