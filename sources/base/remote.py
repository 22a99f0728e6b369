"""Remote sources: their inputs are fetched first and kept, so that reading them again needs no network."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sources.base.source import Source
from sources.base.stores import NO_STORES, Stores


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchTask:
    """One input to fetch; a single process carries the task out, together with others.

    Args:
        uri: name of the input; a task with another content has another name.
        content: bytes of the file whose path is given to `fetch`, `digest_of` and `open`.
    """

    uri: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What was fetched since the last report.

    Args:
        num_items: items, those that failed included.
        hosts: hosts that were not in a report before.
        failures: number of items that failed, by cause.
    """

    num_items: int
    hosts: tuple[str, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetUse:
    """What an input made of its share of the items that may be fetched.

    Args:
        unused: items that it left.
        wanted: further items that it knows of; None if there may be any number of them.
    """

    unused: int = 0
    wanted: int | None = 0


@dataclass(frozen=True, kw_only=True)
class RemoteSource(Source):
    """A source whose inputs are fetched. `digest_of` and `open` get the path of a task's file and read what was
    fetched into the same folder; they never use the network."""

    def reader_needs(self) -> str:
        return "browser"

    @abstractmethod
    def fetch_tasks(self, stores: Stores = NO_STORES) -> Iterator[FetchTask]:
        """Yield all tasks. Raises ValueError if the user's `input` cannot be read.

        Args:
            stores: what `input` may name besides local files.
        """

    def objects_of(self, path: Path, *, retry_failed: bool) -> Sequence[str]:
        """Return the URIs of the objects in stores that fetching a task reads, given the task's file.

        Args:
            retry_failed: as for `fetch`; where nothing is missing, no object is read.
        """
        return ()

    @abstractmethod
    def path_of(self, uri: str) -> str:
        """Return the relative path of a task's file. Its folder, which also holds what is fetched, depends on how
        pages are fetched and not on how many, so that a larger task finds what a smaller one fetched."""

    @abstractmethod
    def fetch(
        self,
        paths: Sequence[Path],
        scratch: Path,
        *,
        retry_failed: bool,
        objects: Mapping[str, Path],
        save: Callable[[int, Path], None],
        beat: Callable[[int, Fetched], None],
    ) -> Sequence[BudgetUse]:
        """Fetch what is missing of some inputs, and return what each made of its share.

        Args:
            paths: the tasks' files; what was fetched before for each is in the folder of its file.
            scratch: a folder to write files in.
            retry_failed: try again what failed before.
            objects: local copies of the objects of `objects_of`, by URI; without those that are not there.
            save: called with the number of an input and every finished file in `scratch`, which then belongs to the
                caller.
            beat: called every few seconds with the number of an input and what was fetched of it since the last call.
        """

    def moved_budgets(self, uses: Mapping[str, BudgetUse]) -> Mapping[str, int]:
        """Return how many items more the inputs may have that some others left, by URI. The order does not matter."""
        return {}

    def enlarged(self, content: bytes, more: int) -> bytes:
        """Return the content of a task that may have some items more than at first."""
        raise NotImplementedError(f"{self.name} moves no budgets")

    def warnings(self, stores: Stores = NO_STORES) -> list[str]:
        """Sentences that the user should read before anything is fetched."""
        return []

    def plan(self, workers: int, stores: Stores = NO_STORES) -> list[str]:
        """Sentences on what will be fetched, for a dry run. Raises ValueError as `fetch_tasks` does."""
        return []
