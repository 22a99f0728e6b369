"""What a source is: files in, samples and errors out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.sample import Sample


class InputError(Exception):
    """An input or an item of it that cannot be read; becomes one error row.

    Args:
        cause: stable snake_case code, e.g. `encrypted`.
        message: one sentence for a person.
    """

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What one input holds.

    Args:
        digest: sha256 of its bytes, hex.
        num_items: pages, images, cells …, whatever the source counts.
    """

    digest: str
    num_items: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemError:
    """An item that gave no sample.

    Args:
        uri: the item's own address, where it has another than its input's.
    """

    item: int
    cause: str
    message: str
    uri: str = ""


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A kind of input file and how to read it. Subclasses are frozen dataclasses of settings.

    Args:
        input: globs, folders, `@list` files or URIs, as the user typed them; empty means the bundled examples.
        license: licence of the inputs as an SPDX id or a hub licence tag, recorded with every sample.
        items_per_unit: items of one work unit, the grain of parallel work and of resuming.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    examples: ClassVar[str] = "examples"  # folder beside the source's module that is read without `input`
    item_noun: ClassVar[str] = "item"
    card: ClassVar[SourceCard]  # its part of the dataset card
    use_cases: ClassVar[tuple[str, ...]] = ()  # leaves of the taxonomy that its samples are of by construction

    input: tuple[str, ...] = ()
    license: str | None = None
    items_per_unit: int = 64

    def __post_init__(self) -> None:
        if self.items_per_unit <= 0:
            raise ValueError(f"items_per_unit must be positive, got {self.items_per_unit}")

    @abstractmethod
    def inspect(self, path: Path) -> Contents:
        """Count the items of the file at `path`. Raises InputError."""

    @abstractmethod
    def read(self, path: Path, digest: str, items: range) -> Iterator[tuple[int, Sample | ItemError | None]]:
        """Yield `(item, None)` before an item is begun, then `(item, its sample or error)`. Raises InputError."""

    @abstractmethod
    def locator(self, item: int) -> str:
        """The place of an item inside its input, as in `Provenance.locator`."""

    def document(self, digest: str, first: int) -> str:
        """A digest of the document that a unit (from item `first`) belongs to: a split never cuts through one."""
        return digest

    def written_languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes of the only languages that its samples are in; empty if they are not known beforehand."""
        return ()

    def max_side_px(self) -> int | None:
        """The longest side that its images can have, in pixels; None if it is not known beforehand."""
        return None

    @abstractmethod
    def fingerprint(self) -> Mapping[str, Any]:
        """Everything that the bytes of a part depend on besides the input: settings and library versions, as JSON."""
