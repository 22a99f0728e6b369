"""Finished files of the staging folder: used again if they are as they were written, else deleted and made anew."""

import logging

import pyarrow as pa

from pipelines.job import Job
from pipelines.stages.progress import progress_of
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_checked
from pipelines.storage.errors import DamagedFile


def whole_table(job: Job, storage: Storage, path: str) -> pa.Table | None:
    """The table in a file of the staging folder; None if it was damaged, and is deleted now."""
    storage.forget(path)
    try:
        return read_checked(storage, path)
    except DamagedFile as error:
        discard(job, storage, path, str(error))
        return None


def discard(job: Job, storage: Storage, path: str, why: str) -> None:
    """Delete a damaged file, and say so in the log and in the run's summary."""
    logging.getLogger(__name__).warning("%s; it is made again", why)
    storage.delete(path)
    progress_of(job).add(f"damaged {path}", files_damaged=1)
