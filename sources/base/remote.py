"""Fetched sources: what they read is first brought here, and kept, so that reading it again needs no network."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.base.source import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchTask:
    """A part of what is to be fetched, done by one process from beginning to end.

    Args:
        uri: names the share, and its content: another content has another name.
        content: of the share's file, for `fetch`, `digest_of` and `open`.
    """

    uri: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class RemoteSource(Source):
    """A source whose inputs are fetched. `digest_of` and `open` get the path of a fetched input's file and read what
    was fetched beside it; they never use the network."""

    @abstractmethod
    def shares(self) -> Iterator[FetchTask]:
        """All shares. Raises ValueError if what the user named cannot be read."""

    @abstractmethod
    def path_of(self, uri: str) -> str:
        """The relative path of a share's file. What is fetched stands beside it: the folder depends on how it is
        fetched, not on how much of it, so that a larger share finds what a smaller one had."""

    @abstractmethod
    def fetch(
        self,
        path: Path,
        scratch: Path,
        *,
        retry_failed: bool,
        save: Callable[[Path], None],
        beat: Callable[[int], None],
    ) -> None:
        """Fetch what is missing of a share.

        Args:
            path: the share's file; what was fetched before lies beside it.
            scratch: a folder to write files in.
            retry_failed: try again what failed before.
            save: called with every finished file in `scratch`, which then belongs to the caller.
            beat: called every few seconds with the number of items fetched since the last call.
        """

    @abstractmethod
    def check(self) -> None:
        """Raise ValueError, saying what to do, if fetching needs something that this machine has not."""

    def warnings(self) -> list[str]:
        """Sentences that the user should read before anything is fetched."""
        return []
