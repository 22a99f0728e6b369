"""Locks: one run an output. A kernel lock on a local folder, on an object store a lease that is renewed."""

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from pipelines.storage.errors import OutputInUse, StorageError
from pipelines.storage.object_store import ABSENT, ObjectStore

RENEW_S = 20.0
STALE_S = 120.0  # several renewals may fail before another run takes over; also bounds how far clocks may differ


class Lease:
    """An output held alone. `check` it before publishing what readers take as final."""

    def check(self) -> None:
        """Raises OutputInUse if the lease was lost: not renewed in time, and taken by another run."""


@contextmanager
def local_lock(root: Path) -> Iterator[Lease]:
    """Hold the folder `root` alone until the block ends or this process dies. Raises OutputInUse."""
    path = root / ".staging" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115  # closing it frees the lock
    except OSError as error:
        raise StorageError.because(error, "write", str(path)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise OutputInUse(_in_use(str(root), _Holder.read(file.read()))) from None
        except OSError as error:
            raise StorageError.because(error, "lock", str(path)) from error
        file.truncate(0)
        file.write(_Holder().write())
        file.flush()
        yield Lease()


@contextmanager
def remote_lease(
    store: ObjectStore, key: str, root: str, *, renew_s: float = RENEW_S, stale_s: float = STALE_S
) -> Iterator[Lease]:
    """Hold the output at `root` by the object `key`, renewed every `renew_s`.

    Taken over are a lease not renewed for `stale_s` and one whose holder, a process of this machine, is dead.
    Both ways of writing it are conditional on what was read, so two runs that start at once cannot both get
    it.

    Raises:
        OutputInUse: another run holds it.
        StorageError: the store refuses.
    """
    lease = _RemoteLease(store, key, root, stale_s)
    lease.acquire()
    stopped = threading.Event()
    thread = threading.Thread(target=lease.renew_until, args=(stopped, renew_s), name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stopped.set()
        thread.join()
        lease.release()


class _RemoteLease(Lease):
    def __init__(self, store: ObjectStore, key: str, root: str, stale_s: float):
        self._store, self._key, self._root, self._stale_s = store, key, root, stale_s
        self._holder = _Holder()
        self._tag = ABSENT
        self._renewed_s = time.monotonic()
        self._lost = False

    def acquire(self) -> None:
        head = self._store.head(self._key)
        if head is not None and time.time() - head.modified_s < self._stale_s:
            holder = self._read()
            if not holder.is_dead_here():
                raise OutputInUse(_in_use(self._root, holder))
        if not self._write(ABSENT if head is None else head.tag):
            raise OutputInUse(_in_use(self._root, self._read()))

    def renew_until(self, stopped: threading.Event, renew_s: float) -> None:
        while not stopped.wait(renew_s):
            try:
                if not self._write(self._tag):
                    self._lost = True
                    return
            except StorageError:
                pass  # the store may answer again before the lease is stale
            if time.monotonic() - self._renewed_s > self._stale_s:
                self._lost = True
                return

    def release(self) -> None:
        if self._lost:
            return
        head = self._store.head(self._key)
        if head is not None and head.tag == self._tag:
            self._store.delete(self._key)

    def check(self) -> None:
        if self._lost or time.monotonic() - self._renewed_s > self._stale_s:
            raise OutputInUse(f"{self._root} was lost to another run: its lease could not be renewed in time")

    def _write(self, tag: str) -> bool:
        """Write the lease if it still has this tag; whether it is ours now."""
        began_s = time.monotonic()
        self._holder.num_renewals += 1
        written = self._store.write_if(self._key, self._holder.write().encode(), tag)
        # Read back: a retried request finds its own first try in the way, and a store that ignores conditions
        # shows here.
        if self._read().owner != self._holder.owner:
            return False
        head = self._store.head(self._key)
        self._tag = written or (head.tag if head else ABSENT)
        self._renewed_s = began_s
        return True

    def _read(self) -> "_Holder":
        content = BytesIO()
        try:
            self._store.download(self._key, content)
        except FileNotFoundError:
            return _Holder(owner="nobody", pid=0, host="an unknown host")
        return _Holder.read(content.getvalue().decode("utf-8", "replace"))


@dataclass
class _Holder:
    """Who holds an output.

    Args:
        machine: the boot and the process namespace that `pid` belongs to.
        pid_started: when the process started, in clock ticks since boot: a number may be given to a later
        process. num_renewals: makes every version of a lease another object.
    """

    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: str = field(default_factory=lambda: _machine())
    pid_started: int = field(default_factory=lambda: _started(os.getpid()))
    num_renewals: int = 0

    def write(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def read(cls, text: str) -> "_Holder":
        try:
            values: dict[str, Any] = json.loads(text)
            return cls(**values)
        except (ValueError, TypeError):  # being written just now, or by another version
            return cls(owner="unknown", pid=0, host="an unknown host", since="an unknown time", machine="")

    def is_dead_here(self) -> bool:
        """Return True if the holder was a process of this very machine that has ended."""
        return self.machine == _machine() != "" and _started(self.pid) != self.pid_started


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""  # not Linux: then only time tells


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1
    state, *numbers = stat.rpartition(")")[2].split()
    return -1 if state in "ZX" else int(numbers[18])  # field 22 of proc(5)


def _in_use(root: str, holder: _Holder) -> str:
    return (
        f"{root} is in use by process {holder.pid} on {holder.host} since {holder.since}; "
        f"wait for it to end or choose another output"
    )
