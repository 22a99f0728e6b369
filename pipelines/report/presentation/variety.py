"""How varied the texts of an output are: words, repeated sentences and contents, near duplicates, balance of labels.

Synthesized data are made from a pool. An output that outgrows its pool repeats itself; these figures show it.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipelines.duplicates.text import SKETCH_BYTES, similarity, text_fingerprint, tokens_of
from pipelines.report.presentation.composition import is_synthetic
from pipelines.tables.manifest import Files, paths

MAX_SAMPLES = 10_000  # of one source; read in the order of the shards
MIN_SENTENCE = 12  # characters; shorter lines are labels, headings and cells
MIN_NEAR_TOKENS = 20  # texts with fewer tokens are alike by chance
NEAR_SIMILARITY = 0.8
BANDS = 16  # groups of bytes of a sketch; near duplicates agree in one
# Shares above which an output repeats itself: of 10,000 samples of running text that people wrote, 3 % of the sentences
# are repeated (`benchmarks/variety.py`).
MAX_REPEATED_SENTENCES, MAX_REPEATED_CONTENTS, MAX_NEAR = 0.3, 0.05, 0.1
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_MARKS = re.compile(r"<image>|[*#|`\\]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[a-zà-ɏ]+(?:'[a-z]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Figures of variety; shares are 0 to 1, of samples or of sentences.

    Args:
        num_samples: samples that were read.
        num_words, num_word_types: words of alphabetic scripts in lower case, and different ones.
        num_characters, num_character_types: Chinese characters, and different ones.
        repeated_sentences: share of the sentences that occurred before.
        repeated_contents: share of the samples whose text an earlier one has.
        near_duplicates: share of the samples of `MIN_NEAR_TOKENS` tokens that nearly repeat an earlier one.
        labels: samples by use case.
    """

    num_samples: int
    num_words: int
    num_word_types: int
    num_characters: int
    num_character_types: int
    repeated_sentences: float
    repeated_contents: float
    near_duplicates: float
    labels: Mapping[str, int]

    @property
    def type_token_ratio(self) -> float:
        """Different words per word; it falls as texts grow, so only outputs of like size compare."""
        return self.num_word_types / self.num_words if self.num_words else 0.0

    @property
    def label_balance(self) -> float:
        """Entropy of the use cases as a share of the greatest possible: 1 if all are equally frequent."""
        total = sum(self.labels.values())
        if len(self.labels) < 2:
            return 1.0
        entropy = -sum(count / total * math.log(count / total) for count in self.labels.values())
        return entropy / math.log(len(self.labels))

    def warnings(self) -> list[str]:
        """Return a sentence for each figure that says that the output has outgrown its pool."""
        checks = (
            (self.repeated_sentences, MAX_REPEATED_SENTENCES, "of its sentences occurred before"),
            (self.repeated_contents, MAX_REPEATED_CONTENTS, "of its samples have the text of another one"),
            (self.near_duplicates, MAX_NEAR, "of its samples nearly repeat another one"),
        )
        return [
            f"The output outgrows its pool: {100 * value:.0f} % {what}. Make fewer samples, or give it more material."
            for value, most, what in checks
            if value > most
        ]


@dataclass
class Variety:
    """Adds up the variety of texts, one after another. Memory: 8 bytes per sentence, 136 per text."""

    num_samples: int = 0
    words: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    num_sentences: int = 0
    num_repeated_sentences: int = 0
    num_repeated: int = 0
    num_long: int = 0
    num_near: int = 0
    _sentences: set[bytes] = field(default_factory=set)
    _contents: set[bytes] = field(default_factory=set)
    _sketches: list[np.ndarray] = field(default_factory=list)
    _bands: dict[bytes, list[int]] = field(default_factory=dict)

    def add(self, text: str, label: str | None = None) -> None:
        """Count one text."""
        plain = _MARKS.sub(" ", text)
        self.num_samples += 1
        if label:
            self.labels[label] += 1
        self.words.update(_WORD.findall(plain.lower()))
        self.characters.update(_HAN.findall(plain))
        for match in _SENTENCE.finditer(plain):
            sentence = " ".join(match[0].split())
            if len(sentence) >= MIN_SENTENCE and any(map(str.isalpha, sentence)):
                self.num_sentences += 1
                self.num_repeated_sentences += _was_seen(sentence, self._sentences)
        self.num_repeated += _was_seen(" ".join(plain.split()), self._contents)
        if len(tokens_of(plain)) >= MIN_NEAR_TOKENS:
            self.num_long += 1
            self.num_near += self._nearly_repeats(text_fingerprint(plain)["sketch"])

    def _nearly_repeats(self, sketch: np.ndarray) -> bool:
        width = SKETCH_BYTES // BANDS
        keys = [bytes((band,)) + sketch[0, band * width : (band + 1) * width].tobytes() for band in range(BANDS)]
        candidates = sorted({place for key in keys for place in self._bands.get(key, ())})
        others = np.array([self._sketches[place] for place in candidates]).reshape(-1, SKETCH_BYTES)
        is_near = bool((similarity(others, np.repeat(sketch, len(others), axis=0)) >= NEAR_SIMILARITY).any())
        if not is_near:  # one of a group is enough to find the others
            for key in keys:
                self._bands.setdefault(key, []).append(len(self._sketches))
            self._sketches.append(sketch[0])
        return is_near

    def figures(self) -> Figures:
        """Return the figures of the texts so far."""
        return Figures(
            num_samples=self.num_samples,
            num_words=self.words.total(),
            num_word_types=len(self.words),
            num_characters=self.characters.total(),
            num_character_types=len(self.characters),
            repeated_sentences=self.num_repeated_sentences / max(1, self.num_sentences),
            repeated_contents=self.num_repeated / max(1, self.num_samples),
            near_duplicates=self.num_near / max(1, self.num_long),
            labels=dict(sorted(self.labels.items())),
        )


def _was_seen(text: str, seen: set[bytes]) -> bool:
    """Return True if a text is in a set of digests; add it."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    if digest in seen:
        return True
    seen.add(digest)
    return False


def written_text(row: Mapping[str, Any]) -> str:
    """Return what a sample says: its text, or its questions and answers."""
    return row["text"] or "\n".join(message["content"] for message in row["messages"] or ())


def read_variety(files: Files, manifest: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the figures of each synthesized source of an output, of its first `MAX_SAMPLES` samples."""
    names = dict.fromkeys(entry["type"] for entry in manifest["recipe"]["sources"] if is_synthetic(entry))
    found = {name: Variety() for name in names}
    columns = ["source", "text", "messages", "label"]
    for path in _shards(manifest) if names else ():
        if all(variety.num_samples >= MAX_SAMPLES for variety in found.values()):
            break
        with files.open(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(batch_size=256, columns=columns):
                _add_rows(found, batch.to_pylist())
    return {name: variety.figures() for name, variety in found.items() if variety.num_samples}


def _shards(manifest: Mapping[str, Any]) -> list[str]:
    return [path for split in sorted(manifest["splits"]) for path in paths(manifest, split)]


def _add_rows(found: Mapping[str, Variety], rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        variety = found.get(row["source"])
        if variety is not None and variety.num_samples < MAX_SAMPLES:
            variety.add(written_text(row), (row["label"] or {}).get("use_case"))


def variety_rows(figures: Mapping[str, Figures]) -> Sequence[Mapping[str, str]]:
    """Return the figures of each source for card and report, as text."""
    return [
        {
            "source": name,
            "samples": f"{found.num_samples:,}",
            "words": f"{found.num_word_types:,}",
            "ratio": f"{found.type_token_ratio:.3f}",
            "characters": f"{found.num_character_types:,}",
            "sentences": f"{100 * found.repeated_sentences:.1f} %",
            "contents": f"{100 * found.repeated_contents:.1f} %",
            "near": f"{100 * found.near_duplicates:.1f} %",
            "balance": f"{found.label_balance:.2f} of {len(found.labels)}" if found.labels else "–",
        }
        for name, found in figures.items()
    ]


def variety_warnings(figures: Mapping[str, Figures]) -> list[str]:
    """Return the warnings of all sources, each with the name of its source."""
    return [f"{name}: {sentence}" for name, found in figures.items() for sentence in found.warnings()]
