"""A process's local copies of remote files: each is downloaded once, and all go when the process ends."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path


class LocalCache:
    """Temporary folders by key, each filled once, by the first caller that asks for it.

    Args:
        prefix: beginning of the folders' names.
        capacity: folders kept; beyond it the one that was asked for longest ago is deleted. None keeps all.
    """

    def __init__(self, prefix: str, capacity: int | None = None):
        self._prefix, self._capacity = prefix, capacity
        self._folders: OrderedDict[str, tempfile.TemporaryDirectory[str]] = OrderedDict()
        self._lock = threading.Lock()

    def folder(self, key: str, fill: Callable[[Path], object]) -> Path:
        """The folder of a key. `fill` downloads into it if there is none yet; if it fails, there is still none."""
        with self._lock:
            if key not in self._folders:
                folder = tempfile.TemporaryDirectory(prefix=self._prefix)
                try:
                    fill(Path(folder.name))
                except BaseException:
                    folder.cleanup()
                    raise
                self._folders[key] = folder
            self._folders.move_to_end(key)
            while self._capacity is not None and len(self._folders) > self._capacity:
                _, oldest = self._folders.popitem(last=False)
                oldest.cleanup()
            return Path(self._folders[key].name)
