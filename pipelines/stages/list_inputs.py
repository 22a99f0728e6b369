"""Inputs: patterns, folders, lists and URIs to files of one input a line, with flat memory."""

import heapq
import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipelines.recipe import Recipe, UsageError
from pipelines.stages.fetch import captures_path
from pipelines.stages.input_files import InputFiles
from pipelines.stages.material import gather_material, uri_of
from pipelines.storage import STAGING, Storage, is_remote, match
from pipelines.storage.names import ARCHIVES, MEMBER, has_password, is_archive, is_web, member_of, printable
from pipelines.storage.object_files import ObjectFiles
from sources.base.remote import FetchTask, RemoteSource
from sources.base.source import InputError, Source
from sources.base.synthetic import SyntheticSource

LINES_PER_FILE = 10_000
_WILDCARDS = "*?["
NO_PASSWORD = (
    "has an address with a name or password in it, which would be written to every table; put both into a netrc file "
    "(~/.netrc, or the one that NETRC names)"
)


def list_inputs(files: InputFiles, index: int) -> Iterator[str]:
    """Every input of a source as a URI, in the order of its patterns.

    A folder means all files below it with the source's suffixes, and an archive is a folder, unless the source reads
    such archives itself. A name in an `@list` that has no wildcard is taken as it is: if it does not exist, it becomes
    an error row. One that does not even look like a file of the source is named by its line there, because the list may
    be a file that was not meant to be one.

    Raises:
        UsageError: a pattern matches nothing, or holds a password.
    """
    source = files.recipe.sources[index]
    if isinstance(source, SyntheticSource):
        yield source.uri
    elif isinstance(source, RemoteSource):
        yield from (task.uri for task in _fetch_tasks(source))
    else:
        for pattern, uri in _files(source, (*ARCHIVES, *source.suffixes, *source.convertible)):
            yield from _expanded(files, index, pattern, printable(uri))


def list_files(source: Source) -> Iterator[str]:
    """The files that the `input` of a source names, also if it is a synthetic source. Raises UsageError."""
    yield from (uri for _, uri in _files(source, source.suffixes))


def _files(source: Source, suffixes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each file with the pattern that names it."""
    for pattern in source.input or (_examples(source),):
        if pattern.startswith("@"):
            yield from ((pattern, uri) for uri in _listed(pattern, suffixes))
        elif has_password(pattern):
            raise UsageError(f"--input {NO_PASSWORD}")
        elif is_web(pattern) and not source.http:
            raise UsageError(f"--input {pattern} is on the web; allow such inputs with --set http=true")
        else:
            yield from ((pattern, uri) for uri in _matched(pattern, suffixes))


def _expanded(files: InputFiles, index: int, pattern: str, uri: str) -> Iterator[str]:
    """The input itself, or all files in it if it is an archive; one that cannot be opened becomes an error row."""
    if not is_archive(uri) or member_of(uri) or uri.lower().endswith(files.recipe.sources[index].suffixes):
        yield uri
        return
    try:
        names = files.members(index, uri)
    except InputError:
        yield f"{uri}{MEMBER}"
        return
    if names is None:
        yield uri
        return
    if not names and uri == pattern:
        source = files.recipe.sources[index]
        wanted = " or ".join((*source.suffixes, *source.convertible))
        raise UsageError(f"--input {pattern}: the archive holds no file that ends in {wanted}")
    yield from (f"{uri}{MEMBER}{name}" for name in names)


def _fetch_tasks(source: RemoteSource) -> Iterator[FetchTask]:
    try:
        yield from source.fetch_tasks(ObjectFiles())
    except ValueError as error:
        raise UsageError(str(error)) from error


def _publish_tasks(source: RemoteSource, storage: Storage) -> None:
    """Write the file of every fetch task, for the worker that carries the task out."""
    for task in _fetch_tasks(source):
        storage.write_bytes(captures_path(source, task.uri), task.content)


def _examples(source: Source) -> str:
    folder = Path(inspect.getfile(type(source))).with_name(source.examples)  # they come with the source's package
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def _looks_like_input(entry: str, suffixes: Sequence[str]) -> bool:
    is_named = is_web(entry) or is_remote(entry) or entry.lower().endswith(tuple(suffixes)) or member_of(entry)
    return bool(is_named) or os.path.lexists(entry)


def _matched(pattern: str, suffixes: Sequence[str], place: str = "") -> Iterator[str]:
    """The files that a pattern names.

    Args:
        place: where the pattern is written; errors then name that and not the pattern.
    """
    named = place or pattern
    if is_web(pattern) or member_of(pattern):
        yield pattern
        return
    found = False
    if _is_folder(pattern):
        for uri in match(pattern):
            if uri.lower().endswith(tuple(suffixes)):
                found = True
                yield uri
        if not found:
            wanted = " or ".join(suffix for suffix in suffixes if suffix not in ARCHIVES)
            raise UsageError(f"--input {named}: the folder holds no file that ends in {wanted}, and no archive")
        return
    for uri in match(pattern):
        found = True
        yield uri
    if not found:
        raise UsageError(f"--input {named}: nothing matches; expected a file, folder, glob, @list or URI that exists")


def _is_folder(pattern: str) -> bool:
    if is_web(pattern):
        return False
    return pattern.endswith("/") if is_remote(pattern) else os.path.isdir(pattern)


def _listed(pattern: str, suffixes: Sequence[str]) -> Iterator[str]:
    path = Path(pattern[1:])
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--input {pattern}: the list cannot be read: {error.strerror}") from error
    found = False
    with file:
        try:
            for number, line in enumerate(file, start=1):
                entry = line.strip()
                if not entry or entry.startswith("#"):
                    continue
                found = True
                if has_password(entry):
                    raise UsageError(f"--input {pattern}, line {number}: {NO_PASSWORD}")
                if not is_web(entry) and (any(sign in entry for sign in _WILDCARDS) or _is_folder(entry)):
                    yield from _matched(entry, suffixes, f"{pattern}, line {number}")
                elif _looks_like_input(entry, suffixes):
                    yield entry
                else:
                    yield f"{pattern}, line {number}"
        except UnicodeDecodeError as error:
            raise UsageError(f"--input {pattern}: the list is not UTF-8 text") from error
    if not found:
        raise UsageError(f"--input {pattern}: the list names no input")


def limited(uris: Iterator[str], limit: int | None) -> Iterator[str]:
    """All of `uris`, or the first `limit` of them in alphabetical order (whatever order they were found in)."""
    return uris if limit is None else iter(heapq.nsmallest(limit, set(uris)))


def gather_all(recipe: Recipe, storage: Storage, readers: int) -> dict[int, str]:
    """Gather the material of every synthetic source with `input`: its virtual input by the source's index.

    Raises UsageError.
    """
    found = {}
    for index, source in enumerate(recipe.sources):
        if isinstance(source, SyntheticSource) and source.input:
            found[index] = uri_of(
                source, gather_material(recipe, index, sorted(set(list_files(source))), storage, readers)
            )
    return found


def write_listing(
    inputs: InputFiles, run: str, limit: int | None, material: Mapping[int, str]
) -> tuple[list[str], int]:
    """Write the inputs of all sources to files in the output's staging folder.

    Args:
        material: of `gather_all`.
    Returns:
        The files, relative to the output, and the number of inputs (a name given twice counts twice).
    """
    storage = inputs.storage
    files: list[str] = []
    lines: list[str] = []
    count = 0

    def flush() -> None:
        files.append(f"{STAGING}/inputs/{run}/{len(files):05d}.jsonl")
        storage.write_bytes(files[-1], "".join(lines).encode())
        lines.clear()

    for index, source in enumerate(inputs.recipe.sources):
        if isinstance(source, RemoteSource):
            _publish_tasks(source, storage)
        uris = iter([material[index]]) if index in material else list_inputs(inputs, index)
        for uri in limited(uris, limit):
            lines.append(json.dumps([index, uri]) + "\n")
            count += 1
            if len(lines) == LINES_PER_FILE:
                flush()
    if lines:
        flush()
    return files, count


def read_listing(storage: Storage, file: str) -> Iterator[tuple[int, str]]:
    """(source index, URI) of every line of one listing file."""
    for line in storage.read_bytes(file).decode().splitlines():
        index, uri = json.loads(line)
        yield index, uri
