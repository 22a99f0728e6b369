"""Temporary files: everything that a run puts into the system's temporary folder is in one folder there.

The kernel frees the folder's lock when the run's last process ends, however it ends: then the next run removes it.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

PREFIX = "vellum-run-"
LOCK = "lock"
BASE = "VELLUM_TMPDIR"  # variable that names the folder which all runs share
UNLOCKED_S = 60  # after which a folder without a lock is abandoned


@contextmanager
def temporary_folder() -> Iterator[int]:
    """A block whose temporary files are in a folder that goes with it, also files of processes that it starts.

    Yields the descriptor of the folder's lock, which those processes have to inherit.
    """
    remove_abandoned()
    before = {name: os.environ.get(name) for name in ("TMPDIR", BASE)}
    folder = tempfile.mkdtemp(prefix=PREFIX)
    lock = os.open(f"{folder}/.{LOCK}", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.replace(f"{folder}/.{LOCK}", f"{folder}/{LOCK}")  # nobody sees it unlocked
        os.environ |= {BASE: shared_folder(), "TMPDIR": folder}
        tempfile.tempdir = None  # asks the environment again
        yield lock
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        tempfile.tempdir = None
        _remove(Path(folder))
        os.close(lock)


@cache
def own_temporary_folder() -> None:
    """Give this process of a cluster's worker a `temporary_folder` until it ends, if it has none yet."""
    if BASE not in os.environ:
        stack = ExitStack()
        stack.enter_context(temporary_folder())
        atexit.register(stack.close)


def shared_folder() -> str:
    """The temporary folder that the machine's processes have in common."""
    return os.environ.get(BASE) or tempfile.gettempdir()


def remove_abandoned() -> None:
    """Remove what runs have left whose processes are all gone."""
    for folder in Path(shared_folder()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder / LOCK, os.O_RDWR)
        except FileNotFoundError:
            if _age_s(folder) > UNLOCKED_S:
                _remove(folder)
            continue
        except OSError:  # another user's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last: a process that is just ending may still write."""
    for _ in range(3):
        for path in folder.glob("*"):
            if path.name != LOCK:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else _unlink(path)
    shutil.rmtree(folder, ignore_errors=True)


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
