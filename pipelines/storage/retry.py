"""One policy for every call to a store: what passes by itself is tried again, with growing pauses, until a deadline.

The clients' own retries are switched off. They differ from call to call: S3's client tries no body again that breaks
off, Google's no copy.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import IO, TypeVar

from pipelines.storage.base_store import Head, ObjectStore
from pipelines.storage.errors import StorageError, StoreBusy

T = TypeVar("T")

FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 30.0  # the longest that a pause may be, doubled each time; it is drawn from 0 up
DEADLINE_S = float(os.environ.get("VELLUM_STORE_DEADLINE_S", "120"))  # of one call with all its tries
FIRST_DEADLINE_S = 60.0  # before the store has answered once: its address may be wrong
SAID_AFTER = 3  # tries that fail without a line in the log

# The table of what is tried again. Anything else fails at once: wrong credentials, a missing bucket, a bad request.
STATUS_CODES = frozenset({408, 425, 429, 500, 502, 503, 504})
S3_CODES = frozenset(
    {
        *("InternalError", "OperationAborted", "PriorRequestNotComplete", "RequestTimeout", "ServiceUnavailable"),
        *("SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled"),
        *("RequestThrottledException", "TooManyRequestsException", "BandwidthLimitExceeded", "RequestLimitExceeded"),
    }
)
# Connections that cannot be made, break, or carry less or other bytes than were promised, by module and class.
EXCEPTIONS = (
    ("builtins", "ConnectionError"),
    ("builtins", "TimeoutError"),
    ("http.client", "HTTPException"),
    ("urllib3.exceptions", "HTTPError"),
    ("requests.exceptions", "ConnectionError"),
    ("requests.exceptions", "ChunkedEncodingError"),
    ("requests.exceptions", "Timeout"),
    ("google.auth.exceptions", "TransportError"),
    ("google.cloud.storage.exceptions", "DataCorruption"),
    ("botocore.exceptions", "ConnectionError"),
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "IncompleteReadError"),
    ("botocore.exceptions", "FlexibleChecksumError"),
    ("s3transfer.exceptions", "RetriesExceededError"),
    ("boto3.exceptions", "RetriesExceededError"),
)


def passes(error: BaseException, status: int | None = None, code: str = "") -> bool:
    """Return True if a call that ended with this error is tried again.

    Args:
        status: HTTP status of the store's answer, if there was one.
        code: name of the error in S3's answer.
    """
    names = {(cls.__module__, cls.__name__) for cls in type(error).__mro__}
    return status in STATUS_CODES or code in S3_CODES or not names.isdisjoint(EXCEPTIONS)


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return str(error).strip().partition("\n")[0]


class RetryingStore(ObjectStore):
    """A bucket whose calls are tried again while it is busy.

    Args:
        deadline_s: seconds of one call with all its tries; then its last error is raised as a StorageError.
    """

    def __init__(self, store: ObjectStore, deadline_s: float = DEADLINE_S):
        super().__init__(store.uri)
        self._store = store
        self._deadline_s = deadline_s

    def head(self, key: str) -> Head | None:
        return self._retried(lambda: self._store.head(key))

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self._retried(lambda: self._store.read_range(key, start, length))

    def download(self, key: str, into: IO[bytes]) -> None:
        start = into.tell()

        def download() -> None:
            into.seek(start)
            into.truncate()
            self._store.download(key, into)

        self._retried(download)

    def upload(self, key: str, file: IO[bytes]) -> None:
        start = file.tell()

        def upload() -> None:
            file.seek(start)
            self._store.upload(key, file)

        self._retried(upload)

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        return self._retried(lambda: self._store.write_if(key, data, tag))

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        found: Iterator[tuple[str, int]] | None = None
        last = after

        def next_entry() -> tuple[str, int] | None:
            nonlocal found
            found = found or self._store.entries(prefix, last)
            try:
                return next(found, None)
            except StoreBusy:  # it goes on after the last key
                found = None
                raise

        while (entry := self._retried(next_entry)) is not None:
            last = entry[0]
            yield entry

    def delete(self, key: str) -> None:
        self._retried(lambda: self._store.delete(key))

    def copy(self, source: str, target: str) -> None:
        self._retried(lambda: self._store.copy(source, target))

    def _retried(self, call: Callable[[], T]) -> T:
        start, num_tries = time.monotonic(), 0
        while True:
            try:
                result = call()
            except StoreBusy as error:
                num_tries += 1
                deadline_s = self._deadline_s if self.uri in _answered else min(self._deadline_s, FIRST_DEADLINE_S)
                pause_s = random.uniform(0, min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**num_tries))
                if time.monotonic() - start + pause_s > deadline_s:
                    raise StorageError(f"{error} (tried {num_tries} times in {deadline_s:g} s)") from error
                if num_tries == SAID_AFTER:
                    logging.getLogger(__name__).warning("%s; it is tried again", error)
                time.sleep(pause_s)
            else:
                _answered.add(self.uri)
                return result


_answered: set[str] = set()  # the stores that have answered this process
