"""Synthetic sources that fill their samples with running text: written by the grammar, or from the user's files."""

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sources.base.sample import Sample
from sources.base.source import Items, file_digest
from sources.base.synthetic import SyntheticSource

if TYPE_CHECKING:
    from sources.ocr.passages import Passages


@dataclass(frozen=True, kw_only=True)
class TextMaterial(SyntheticSource):
    """A synthetic source whose `input` names text, Markdown, JSONL or Parquet files.

    Args:
        text_key: field of JSONL and Parquet rows that holds the text.
    """

    takes_material: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".md", ".jsonl", ".parquet")

    text_key: str = "text"

    @abstractmethod
    def material_languages(self) -> tuple[str, ...]:
        """Return the languages of the texts to keep; empty keeps all."""

    @abstractmethod
    def make_of(self, passages: "Passages", number: int, digest: str) -> Sample:
        """Return the sample with this number. Raises ItemError."""

    def make(self, number: int, digest: str) -> Sample:
        """Return the sample with this number, with texts of our own."""
        return self.make_of(self._passages(Path()), number, digest)

    def digest_of(self, path: Path = Path()) -> str:
        if not self.input:
            return self.digest
        return hashlib.sha256(f"{self.digest}/{file_digest(path)}".encode()).hexdigest()

    def gather(self, path: Path, name: str, out: Path, progress: Callable[[], None]) -> Mapping[str, int]:
        from sources.ocr.corpus_file import gather

        return gather(path, name, self.text_key, out, progress, self.material_languages())

    def merge(self, paths: Iterable[Path], out: Path) -> Mapping[str, int]:
        from sources.ocr.corpus_file import merge

        return merge(paths, out)

    @contextmanager
    def open(self, path: Path = Path(), digest: str | None = None) -> Iterator[Items]:
        known, passages = digest or self.digest_of(path), self._passages(path)
        yield Items(self.num_samples, lambda number: self.make_of(passages, number, known))

    def _passages(self, path: Path) -> "Passages":
        if self.input:
            from sources.ocr.corpus_file import open_corpus

            return open_corpus(path)
        from sources.ocr.passages import BundledPassages

        return BundledPassages()
