"""Sources: an input is opened as a sequence of items, each of which gives a sample or raises an error."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.sample import Sample

OPTIONAL = {"optional": True}  # metadata of settings that a recipe does not show where they are empty


class InputError(Exception):
    """An input that cannot be read; no item of it gives a sample.

    Args:
        cause: stable snake_case code, e.g. `encrypted`.
        message: one sentence for a person.
    """

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause
        self.message = message


class ItemError(Exception):
    """An item that gives no sample; the other items of its input are not affected. Becomes one error row.

    Args:
        cause: stable snake_case code, e.g. `unreadable_page`.
        message: one sentence for a person.
        uri: the item's own address, if it differs from the address of the input.
    """

    def __init__(self, cause: str, message: str, uri: str = ""):
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.uri = uri


class Items:
    """The items of an open input (pages, captures, sample numbers), each read when it is asked for.

    Items may be read in any order and more than once. A loop over them ends at the first item that gives no sample.

    Args:
        num_items: number of items in the input.
        read: returns the sample of an item, counted from 0, or raises ItemError.
        others: do the same in other ways, one after the other, for items on which `read` hangs or crashes its process.
        note: what was guessed about the input, one sentence for the plan of a run; empty if nothing was.
        read_all: returns all samples of an item that gives several, the one that `read` returns first.
    """

    def __init__(
        self,
        num_items: int,
        read: Callable[[int], Sample],
        others: Sequence[Callable[[int], Sample]] = (),
        note: str = "",
        read_all: Callable[[int], Sequence[Sample]] | None = None,
    ):
        self.note = note
        self._num_items = num_items
        self._read = read
        self._others = others
        self._read_all = read_all

    def __len__(self) -> int:
        return self._num_items

    def __getitem__(self, item: int) -> Sample:
        """Return the sample of an item.

        Raises:
            ItemError: the item gives no sample.
            IndexError: there is no such item; items are counted from 0, never from the end.
        """
        self._check(item)
        return self._read(item)

    def samples(self, item: int) -> Sequence[Sample]:
        """Return all samples of an item, at least one. Raises what `[item]` raises."""
        self._check(item)
        return [self._read(item)] if self._read_all is None else self._read_all(item)

    def read_otherwise(self, item: int, way: int = 0) -> Sample | None:
        """Return the sample of an item that hangs or crashes its reader; None if there is no such way to read it.

        Args:
            way: number of the way, counted from 0.
        Raises:
            ItemError: the item gives no sample in this way either.
            IndexError: there is no such item.
        """
        self._check(item)
        return self._others[way](item) if way < len(self._others) else None

    def _check(self, item: int) -> None:
        if not 0 <= item < self._num_items:
            raise IndexError(f"item {item} of an input with {self._num_items} items")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingCosts:
    """What reading an item costs beyond the limits of a recipe, which suit a page of a PDF.

    Args:
        memory_mb: data that the reader may allocate in addition, in megabytes.
        item_s: seconds of processor time for an item, in addition.
        recycle_mb: resident memory of the reader beyond which it is started again; a library leaks.
    """

    memory_mb: int = 0
    item_s: float = 0
    recycle_mb: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A kind of input and how to read it. Subclasses are frozen dataclasses of settings.

        with Pdfs().open(Path("paper.pdf")) as pages:
            print(len(pages), pages[0].text)

    Args:
        input: globs, folders, `@list` files or URIs, as the user typed them; empty means the bundled examples.
        license: licence of the inputs as an SPDX id or a hub licence tag, recorded with every sample.
        items_per_unit: items of one work unit, the grain of parallel work and of resuming.
        http: `input` may name http:// and https:// addresses of public hosts.
        component: the part of the recipe's mixture that its samples belong to; empty: one with the source's name.
        http_allow: hosts (`intranet.example`, `localhost:8000`) or address ranges that `http` means although they are
            not public.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    convertible: ClassVar[tuple[str, ...]] = ()  # suffixes of office documents, which are read as the PDFs made of them
    companion: ClassVar[str] = ""  # suffix of a file of the same name that belongs to an input, where there is one
    examples: ClassVar[str] = "examples"  # folder next to the source's module that is read without `input`
    item_noun: ClassVar[str] = "item"
    card: ClassVar[SourceCard]  # its part of the dataset card
    use_cases: ClassVar[tuple[str, ...]] = ()  # leaves of the taxonomy that its samples are of by construction

    input: tuple[str, ...] = ()
    license: str | None = None
    items_per_unit: int = 64
    component: str = field(default="", metadata=OPTIONAL)
    http: bool = False
    http_allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.items_per_unit <= 0:
            raise ValueError(f"items_per_unit must be positive, got {self.items_per_unit}")

    def load(self) -> None:  # noqa: B027  # most sources need nothing
        """Load what reading needs, so that the first input is not charged with the time this takes."""

    def reader_needs(self) -> str:
        """What its readers must be allowed beyond reading files: `network`, `browser` (and so all), or nothing."""
        return ""

    def check(self) -> None:  # noqa: B027  # most sources need nothing
        """Raise ValueError, saying what to do, if this machine lacks what the settings need: fonts, a browser.

        Settings that contradict each other are refused when the source is made. What a machine has is asked for only
        here, after the last setting is known, so that a setting can do without it.
        """

    @abstractmethod
    def open(self, path: Path, digest: str | None = None) -> AbstractContextManager[Items]:
        """Open the input at `path` for as long as its items are read.

        Args:
            digest: the result of `digest_of`, if it is known already; ids and provenance of the samples hold it.
        Raises:
            InputError: the input cannot be read.
        """

    def digest_of(self, path: Path) -> str:
        """Return what identifies the content of the input at `path`, as 64 hex digits. Raises InputError."""
        return file_digest(path)

    def members(self, names: list[str]) -> list[str] | None:
        """Return the inputs among the files of an archive; None if the archive as a whole is an input.

        Args:
            names: files whose names have a suffix of the source or its companion's, sorted.
        """
        return names

    @abstractmethod
    def locator(self, item: int) -> str:
        """The place of an item inside its input, as in `Provenance.locator`."""

    def document(self, digest: str, first: int, locator: str) -> str:
        """A digest of the document that a sample belongs to: a split never cuts through one.

        Args:
            digest: of the sample's input.
            first: the first item of that input in the sample's unit.
            locator: the sample's place in the input.
        """
        return digest

    def keeps_html(self) -> bool:
        """Return True if samples have the HTML document that they were made of."""
        return False

    def repeats_pictures(self) -> bool:
        """Return True if an item may give several samples, which then have the same picture."""
        return False

    def written_languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes of the only languages that its samples are in; empty if they are not known beforehand."""
        return ()

    def max_side_px(self) -> int | None:
        """The longest side that its images can have, in pixels; None if it is not known beforehand."""
        return None

    def costs(self) -> ReadingCosts:
        """What reading an item costs in addition to what the recipe's limits allow."""
        return ReadingCosts()

    @abstractmethod
    def fingerprint(self) -> Mapping[str, Any]:
        """Everything except the input that the bytes of a part depend on: settings and library versions, as JSON."""


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, hex. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable_file(error) from error


def unreadable_file(error: OSError) -> InputError:
    """Return the error of an input whose file cannot be read."""
    causes: dict[type[OSError], str] = {FileNotFoundError: "not_found", PermissionError: "permission_denied"}
    return InputError(causes.get(type(error), "unreadable"), f"the file cannot be read: {error.strerror or error}")
