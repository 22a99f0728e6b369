"""What an instruction writer is."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sources.base.ground_truth import GroundTruth
from sources.base.sample import EncodedImage, Words


@dataclass(frozen=True, slots=True)
class Pool:
    """Questions of one kind. They stand in the taxonomy, under the leaf and this pool's name.

    Args:
        use_case: the leaf that is asked for.
        placeholders: names in braces that every question must have.
    """

    use_case: str
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A question still without its wording, and the answer.

    Args:
        pool: which questions fit.
        values: what the placeholders stand for.
        language: of the answer, and so of the question.
        images, words: what the sample shows; the words' boxes are pixels of these images.
    """

    pool: str
    answer: str
    language: str
    images: Sequence[EncodedImage]
    words: Words
    values: Mapping[str, str] = field(default_factory=dict)


class Writer(ABC):
    """Writes conversations whose answers follow from ground truth. Subclasses hold no state.

    Args:
        question_templates: the kinds of questions by name.
        needs: ground truth that must be there: `text`, `words`, `table`, `code`, `elements` or `pages` (several).
        written: share of real pages that it can be written for, measured (benchmarks/taxonomy.py): rare ones are
            tried first where they can be.
    """

    name: ClassVar[str]
    question_templates: ClassVar[Mapping[str, Pool]]
    needs: ClassVar[tuple[str, ...]]
    written: ClassVar[float] = 1.0

    @abstractmethod
    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        """A conversation about page `k`, or None if it does not lend itself to one.

        Args:
            pages: neighbouring pages of one document, in order.
            rng: the same for the same sample.
        """


def of_page(page: GroundTruth, pool: str, answer: str, values: Mapping[str, str] | None = None) -> Conversation:
    """A conversation about one page as it is."""
    return Conversation(
        pool=pool,
        answer=answer,
        language=page.language,
        images=page.sample.images[:1],
        words=Words(texts=page.words, boxes=page.boxes, images=np.zeros(len(page.words), np.int32)),
        values=values or {},
    )


def of_pages(
    pages: Sequence[GroundTruth], pool: str, answer: str, values: Mapping[str, str] | None = None
) -> Conversation:
    """A conversation about several pages, an image each, in this order; the first page's language is spoken."""
    return Conversation(
        pool=pool,
        answer=answer,
        language=pages[0].language,
        images=[page.sample.images[0] for page in pages],
        words=Words(
            texts=[word for page in pages for word in page.words],
            boxes=np.concatenate([page.boxes for page in pages]),
            images=np.concatenate([np.full(len(page.words), k, np.int32) for k, page in enumerate(pages)]),
        ),
        values=values or {},
    )
