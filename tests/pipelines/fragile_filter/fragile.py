"""A filter by part, in batches and on an accelerator, that does what the text of a sample tells it to."""

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold, WorkerSettings
from sources.base.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Fragile(Filter):
    """Demands at least `min_letters` letters e in the text.

    Args:
        log: file that each process notes in how many samples it was given.
        is_mended: it obeys no text any more.
    """

    name: ClassVar[str] = "fragile"
    score_names: ClassVar[tuple[str, ...]] = ("letters",)
    reasons: ClassVar[Mapping[str, str]] = {"few_letters": "Its text has few letters e."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("min_letters", "letters", "min", ("few_letters",)),)

    min_letters: int = 0
    log: str
    is_mended: bool = False

    def worker(self) -> WorkerSettings:
        return WorkerSettings(
            batch_size=4,
            timeout_s=3,
            wall_timeout_s=3,
            memory_mb=800,
            recycle_samples=8,
            min_ram="1GB",
            accelerator="type:nvidia-l4;count:1;install-nvidia-driver",
        )

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        with Path(self.log).open("a") as log:
            print(os.getpid(), len(samples), file=log)
        texts = [sample.plain_text() for sample in samples]
        if self.is_mended:
            return [Scores(values={"letters": text.count("e")}) for text in texts]
        if any("CRASH" in text for text in texts):
            ctypes.string_at(0)
        if any("HANG" in text for text in texts):
            ctypes.PyDLL(None).sleep(1_000_000)  # holds the interpreter's lock, as a loop in a C library would
        if any("GREED" in text for text in texts):
            bytearray(100_000_000_000)
        return [Scores(values={"letters": text.count("e")}) for text in texts]

    def rejects(self, scores: Scores) -> str | None:
        letters = scores.values["letters"]
        return "few_letters" if letters is not None and letters < self.min_letters else None
