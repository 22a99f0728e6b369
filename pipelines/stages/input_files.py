"""Local files of inputs: files and objects, members of archives, what is on the web, office documents as PDFs."""

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipelines.recipe import Recipe
from pipelines.stages.fetch import local_captures
from pipelines.stages.material import local_material
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.web_files import download
from pipelines.storage import STAGING, Storage, StorageError, fetch, is_remote
from pipelines.storage.digests import are_whole, write_digests
from pipelines.storage.local_cache import LocalCache
from pipelines.storage.names import file_name, is_web, member_of
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import (
    ConvertDocument,
    Done,
    ExtractMember,
    FileRequest,
    ListArchive,
    UnpackTar,
)
from sources.base.remote import RemoteSource
from sources.base.source import InputError, file_digest
from sources.base.synthetic import SCHEME

# What a process keeps of the inputs that it has downloaded: the units of a long one follow each other.
_downloads = LocalCache("vellum-inputs-", max_bytes=2_000_000_000)
FETCHED, CONVERTED = f"{STAGING}/fetched", f"{STAGING}/converted"


class LocalInput(NamedTuple):
    """A local file to read an input from.

    Args:
        state: size and time of a local file; empty for a copy, which does not change.
        digest: the input's digest, where the file at `path` has another.
    """

    path: Path
    state: str = ""
    digest: str = ""


@contextmanager
def local_copy(uri: str, storage: Storage) -> Iterator[LocalInput]:
    """A local file with the bytes of a file or an object.

    The file of a synthetic source is its material, in the staging folder of `storage`; without any its path means
    nothing. Raises InputError.
    """
    if uri.startswith(SCHEME):
        yield LocalInput(local_material(uri, storage))
        return
    if not is_remote(uri):
        name = file_name(uri)
        with _as_input_error():
            found = os.stat(name)
        if not stat.S_ISREG(found.st_mode):
            raise InputError("unreadable", "not a regular file")
        with _text_name(name) as path:
            yield LocalInput(path, f"{found.st_size}/{found.st_mtime_ns}")
        return
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        with _as_input_error():
            path = fetch(file_name(uri), Path(folder) / "input")
        yield LocalInput(path)


@contextmanager
def _text_name(name: str) -> Iterator[Path]:
    """A path that libraries written in C can open: where the name is not UTF-8, a link to it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            path = Path(folder) / "input"
            path.symlink_to(os.path.abspath(name))
            yield path
        return
    yield Path(name)


@contextmanager
def _as_input_error() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError("not_found", "the file does not exist") from error
    except PermissionError as error:
        raise InputError("permission_denied", "the file cannot be read: permission denied") from error
    except StorageError as error:
        if error.errno != errno.EACCES:  # a store that does not answer, a disk without room: no fault of the input's
            raise
        raise InputError("permission_denied", f"the file cannot be read: {error}") from error
    except OSError as error:  # a folder too deep, a device that cannot read
        raise InputError("unreadable", f"the file cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True)
class InputFiles:
    """Local files of a run's inputs.

    Args:
        storage: the output, whose staging folder keeps what is fetched or converted.
        readers: size of this process's pool of readers.
        run: the run that asks; with it, what is downloaded is kept for its other units.
    """

    recipe: Recipe
    storage: Storage
    readers: int
    run: str = ""

    @contextmanager
    def opened(self, index: int, uri: str, digest: str = "") -> Iterator[LocalInput]:
        """A local file to read an input of a source from.

        Args:
            digest: the input's digest, if it was opened before: what was fetched then is not fetched again.
        Raises:
            InputError: the input cannot be read.
        """
        source = self.recipe.sources[index]
        if isinstance(source, RemoteSource):
            with local_captures(source, uri, self.storage, keep=True) as path:
                yield LocalInput(path)
            return
        with ExitStack() as stack:
            found = stack.enter_context(self._file(index, uri, digest))
            suffix = os.path.splitext(uri.lower())[1]
            if suffix in source.convertible:
                found = stack.enter_context(self._converted(found, suffix, digest))
            yield found

    def bring(self, index: int, uris: Iterable[str]) -> dict[str, str | InputError]:
        """Fetch inputs of which `is_fetched` is true into the staging folder, an archive of several of them once.

        Returns:
            The digest of each, or why it cannot be read.
        """
        found: dict[str, str | InputError] = {}
        by_archive: dict[str, list[str]] = {}
        for uri in uris:
            member = member_of(uri)
            by_archive.setdefault(member[0] if member else uri, []).append(uri)
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            path = Path(folder) / "input"
            for archive, members in by_archive.items():
                try:
                    if members == [archive]:
                        download(self.recipe.sources[index], archive, path)
                        found[archive] = self._keep(path)
                        continue
                    with self.archive(index, archive) as local:
                        for uri in members:
                            found[uri] = self._extracted(index, local.path, uri, path)
                except InputError as error:
                    found |= {uri: error for uri in members if uri not in found}
        return found

    def _whole(self, index: int) -> tuple[str, ...]:
        """Suffixes of archives that the source reads itself."""
        return self.recipe.sources[index].suffixes

    def _companion(self, index: int, archive: Path, name: str, path: Path) -> None:
        """Put the file that belongs to an input of an archive beside it; without one nothing happens."""
        source = self.recipe.sources[index]
        suffix = next(
            (each for each in sorted(source.suffixes, key=len, reverse=True) if name.lower().endswith(each)), ""
        )
        if not source.companion or not suffix:
            return
        stem = name[: -len(suffix)].removesuffix(".tar")
        with suppress(InputError):
            beside = path.with_name(path.name + source.companion)
            self._ask(ExtractMember(path=archive, name=stem + source.companion, out=beside))

    def _extracted(self, index: int, archive: Path, uri: str, path: Path) -> str | InputError:
        member = member_of(uri)
        assert member is not None
        try:
            self._ask(ExtractMember(path=archive, name=member[1], out=path, whole=self._whole(index)))
        except InputError as error:
            return error
        return self._keep(path)

    def _keep(self, path: Path) -> str:
        """Move a fetched file to the staging folder. Gives its digest."""
        digest = file_digest(path)
        if not self.storage.exists(_place(digest)):
            self.storage.publish_file(path, _place(digest))
        return digest

    @contextmanager
    def archive(self, index: int, uri: str) -> Iterator[LocalInput]:
        """A local zip, or a local tar without compression, of an archive. Raises InputError."""
        with ExitStack() as stack:
            if is_web(uri):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vellum-"))
                found = LocalInput(Path(folder) / "archive")
                download(self.recipe.sources[index], uri, found.path)
            else:
                found = stack.enter_context(local_copy(uri, self.storage))
            if _is_compressed(uri):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vellum-"))
                out = Path(folder) / "archive.tar"
                self._ask(UnpackTar(path=found.path, out=out))
                found = LocalInput(out, found.state)
            yield found

    def members(self, index: int, uri: str) -> list[str] | None:
        """Names of the inputs in an archive; None if it is one input as a whole. Raises InputError."""
        source = self.recipe.sources[index]
        with self.archive(index, uri) as found, tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            out = Path(folder) / "names"
            suffixes = (*source.suffixes, *source.convertible, *filter(None, (source.companion,)))
            self._ask(ListArchive(path=found.path, suffixes=suffixes, out=out))
            return source.members(json.loads(out.read_text()))

    @contextmanager
    def _file(self, index: int, uri: str, digest: str) -> Iterator[LocalInput]:
        """The file of an input as it is."""
        member = member_of(uri)
        if is_fetched(uri):
            brought = digest or self.bring(index, [uri])[uri]
            if isinstance(brought, InputError):
                raise brought
            with self._downloaded(self.storage.path(_place(brought))) as path:
                yield LocalInput(path)
        elif member:
            archive, name = member
            with local_copy(archive, self.storage) as found, tempfile.TemporaryDirectory(prefix="vellum-") as folder:
                path = Path(folder) / "input"
                self._ask(ExtractMember(path=found.path, name=name, out=path, whole=self._whole(index)))
                self._companion(index, found.path, name, path)
                yield LocalInput(path, found.state)
        elif is_remote(uri) and self.run:
            with _as_input_error(), self._downloaded(file_name(uri)) as path:
                yield LocalInput(path)
        else:
            with local_copy(uri, self.storage) as found:
                yield found

    @contextmanager
    def _downloaded(self, name: str) -> Iterator[Path]:
        """A copy of a file or an object, which other units of the run find again; a local file itself."""
        if not is_remote(name):
            yield fetch(name, Path())
            return
        with _downloads.held(f"{self.run} {name}", lambda folder: fetch(name, folder / "input")) as folder:
            yield folder / "input"

    @contextmanager
    def _converted(self, found: LocalInput, suffix: str, digest: str) -> Iterator[LocalInput]:
        """The PDF that LibreOffice makes of an office document; made once an output."""
        digest = digest or file_digest(found.path)
        folder = f"{CONVERTED}/{digest[:2]}/{digest}"
        place = f"{folder}/document.pdf"
        with scratch_folder(self.storage) as scratch:
            if not are_whole(self.storage, folder):
                self._ask(ConvertDocument(path=found.path, suffix=suffix, out=scratch / "converted.pdf"))
                self.storage.publish_file(scratch / "converted.pdf", place)
                write_digests(self.storage, folder)
            yield LocalInput(fetch(self.storage.path(place), scratch / "converted.pdf"), found.state, digest)

    def _ask(self, request: FileRequest[Done]) -> None:
        """Let a reader carry out a request. Raises InputError, also for a fault."""
        try:
            with readers_of(self.recipe, self.readers).reader() as reader:
                reader.ask(request)
        except ItemFault as fault:
            raise InputError(fault.cause, fault.message) from fault


def is_fetched(uri: str) -> bool:
    """Return True if an input is kept in the staging folder because it cannot be read again where it is, one by one."""
    member = member_of(uri)
    return is_web(uri) or (member is not None and (is_remote(member[0]) or _is_compressed(member[0])))


def _place(digest: str) -> str:
    return f"{FETCHED}/{digest[:2]}/{digest}"


def _is_compressed(archive: str) -> bool:
    return not archive.lower().endswith((".zip", ".tar"))
