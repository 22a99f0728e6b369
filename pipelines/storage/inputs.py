"""Inputs: which files a pattern names, and local copies of them."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.storage.errors import StorageError, not_found
from pipelines.storage.object_store import store_and_key
from pipelines.storage.patterns import Pattern
from pipelines.storage.uris import is_remote


def fetch(uri: str, into: Path) -> Path:
    """A local file with the contents of `uri`: the file itself if it is local, else a download at the path
    `into`.

    Raises:
        FileNotFoundError: there is no such file or object.
        StorageError: the store refuses, or `into` cannot be written.
    """
    if not is_remote(uri):
        if not os.path.exists(uri):
            raise not_found(uri)
        return Path(uri)
    store, key = store_and_key(uri)
    try:
        with open(into, "wb", buffering=0) as file:
            store.download(key, file)
    except StorageError:
        into.unlink(missing_ok=True)
        raise
    except FileNotFoundError:
        into.unlink(missing_ok=True)
        raise not_found(uri) from None
    except OSError as error:
        into.unlink(missing_ok=True)
        raise StorageError.because(error, "write", str(into)) from error
    return into


def match(pattern: str) -> Iterator[str]:
    """Inputs named by `pattern`, in an order that depends on their names alone; one at a time, so memory is
    flat.

    A file that exists under exactly this name is that file. A folder means every file below it. Otherwise
    `*`, `?`, `[…]` and `**` mean what they mean to bash with `globstar`: hidden files and folders need a dot
    written out, and `**` does not follow links to folders. The same holds for objects, whose folders are the
    parts of their names.

    Raises:
        StorageError: a folder or bucket cannot be listed.
    """
    return _match_objects(pattern) if is_remote(pattern) else _match_files(pattern)


def _match_files(pattern: str) -> Iterator[str]:
    if os.path.isdir(pattern):
        yield from _walk(pattern, Pattern("**"), Pattern.START)
    elif os.path.lexists(pattern):
        yield pattern
    elif pattern:
        prefix, wildcards = Pattern.split(pattern + "**" if pattern.endswith("/") else pattern)
        if wildcards and os.path.isdir(prefix or "."):
            yield from _walk(prefix, Pattern(wildcards), Pattern.START)


def _walk(folder: str, pattern: Pattern, states: frozenset[int]) -> Iterator[str]:
    """Files below `folder` that `pattern` accepts, sorted within each folder; each is visited once."""
    try:
        with os.scandir(folder or ".") as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise StorageError.because(error, "list", folder) from error
    for entry in ordered:
        if entry.is_dir():
            beyond = pattern.enter(states, entry.name, is_link=entry.is_symlink())
            if beyond:
                yield from _walk(os.path.join(folder, entry.name), pattern, beyond)
        elif pattern.accepts(states, entry.name):
            yield os.path.join(folder, entry.name)


def _match_objects(pattern: str) -> Iterator[str]:
    store, key = store_and_key(pattern)
    if key and not key.endswith("/") and store.head(key) is not None:
        yield f"{store.uri}/{key}"
        return
    prefix, wildcards = Pattern.split(key)
    if not wildcards or not prefix + wildcards or key.endswith("/"):
        folder = key if not key or key.endswith("/") else key + "/"
        prefix, wildcards = Pattern.split(folder + "**")
    wanted = Pattern(wildcards)
    for name in store.list(prefix):
        if not name.endswith("/") and wanted.matches(name[len(prefix) :]):
            yield f"{store.uri}/{name}"
