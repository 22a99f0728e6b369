"""Scorers that all workers of a machine share, so that a GPU holds one model however many workers there are.

Beam starts a worker process per core. The first that needs a scorer starts it and answers for the others, over Beam's
own MultiProcessShared.
"""

import atexit
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from apache_beam.utils.multi_process_shared import MultiProcessShared

from pipelines.once import once
from pipelines.storage.temporary import shared_folder
from pipelines.workers.pool import CRASHES_BEFORE_BLAME, ReaderPool, pool_of
from pipelines.workers.process import Program
from pipelines.workers.protocol import AnswerT, Request


class Asks(Protocol):
    """Anything that answers requests as a `ReaderPool` does."""

    def ask(self, request: Request[AnswerT], crashes: int = CRASHES_BEFORE_BLAME) -> AnswerT:
        """Return the answer to a request. Arguments and errors: see `Reader.ask`."""
        ...


@once
def shared(program: Program, size: int, name: str) -> Asks:
    """This machine's pool of a program's processes.

    Args:
        size: processes on the machine.
        name: the pool's name on the machine; other runs have others.
    """
    folder, tag = shared_folder(), f"vellum-{name}"

    def start() -> ReaderPool:
        for suffix in (".lock", ".address"):
            atexit.register(_remove, Path(folder) / f"{tag}{suffix}")
        return pool_of(program, size)

    pool: Asks = MultiProcessShared(start, tag=tag, path=folder).acquire()
    return pool


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
