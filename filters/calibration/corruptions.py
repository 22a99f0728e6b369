"""Corruptions: each turns a good sample into one of the kind that a filter should find, or does not apply to it.

Random choices depend on the id of the sample and the name of the corruption alone.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from filters.calibration import pictures, texts
from sources.base.sample import Sample

Corrupt = Callable[[Sample, Sequence[Sample], np.random.Generator], Sample | None]


@dataclass(frozen=True, slots=True)
class Corruption:
    """A way to spoil a sample.

    Args:
        about: what is done, for a person.
        corrupt: (sample, others, chance) to the spoilt sample, None where it does not apply. The others are good
            samples of the same document, or if it has none, of the same source.
    """

    about: str
    corrupt: Corrupt


CORRUPTIONS: Mapping[str, Corruption] = {
    "other_page": Corruption("the text of another page of the same document", texts.other_page),
    "shuffled_words": Corruption("the words in another order", texts.shuffled_words),
    "shuffled_letters": Corruption("the letters of one word in five in another order", texts.shuffled_letters),
    "changed_digits": Corruption("one number in five has other digits", texts.changed_digits),
    "missing_line": Corruption("a line of the text is missing", texts.missing_line),
    "missing_word": Corruption("a word of the text is missing", texts.missing_word),
    "swapped_answer": Corruption("an answer belongs to another question", texts.swapped_answer),
    "wrong_box": Corruption("the boxes belong to other words of the page", texts.wrong_box),
    "blur": Corruption("the picture is out of focus", pictures.blur),
    "cut": Corruption("a third of the picture is cut off", pictures.cut),
    "rotation": Corruption("the picture is turned by 90, 180 or 270 degrees", pictures.rotation),
}


def corrupted(sample: Sample, name: str, others: Sequence[Sample]) -> Sample | None:
    """The sample spoilt by a corruption; None where that does not apply to it, or changes nothing."""
    return CORRUPTIONS[name].corrupt(sample, others, chance_of(sample.id, name))


def chance_of(sample_id: str, name: str) -> np.random.Generator:
    """A generator that depends on these two alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{sample_id}/{name}".encode()).digest()[:8], "big"))
