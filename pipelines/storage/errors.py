"""Errors with files, folders and buckets, in sentences for the user."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class StorageError(OSError):
    """A file, folder or bucket that cannot be used; the message is one sentence for the user."""

    @classmethod
    def because(cls, error: OSError, doing: str, path: str) -> "StorageError":
        """`error` of the operating system as one sentence, its `errno` kept."""
        result = cls(f"cannot {doing} {path}: {(error.strerror or str(error)).lower()}")
        result.errno = error.errno
        return result

    @classmethod
    def forbidden(cls, sentence: str) -> "StorageError":
        """The error of a store that refuses these credentials."""
        result = cls(sentence)
        result.errno = errno.EACCES
        return result


class StoreBusy(StorageError):
    """A store did not answer, or answered that it cannot now; the same call may succeed later."""


class OutputInUse(StorageError):
    """Another run holds the output."""


class DamagedFile(StorageError):
    """A file of the staging folder is not as it was written; it can be made anew."""


class OutputError(RuntimeError):
    """The output cannot be written (disk full, no permission): the run cannot go on."""


def not_found(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "no such file", path)


@contextmanager
def explained(doing: str, path: str) -> Iterator[None]:
    """Turn an error of the operating system into one sentence."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and doing != "write":
            raise not_found(path) from None
        raise StorageError.because(error, doing, path) from error
