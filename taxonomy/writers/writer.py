"""The interface of instruction writers."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sources.base.ground_truth import GroundTruth
from sources.base.sample import EncodedImage, Words


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """A kind of question; its templates are in the taxonomy, under the leaf and the kind's name.

    Args:
        use_case: the leaf that the questions belong to.
        placeholders: names in braces that every template must have.
    """

    use_case: str
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A question, not yet worded, and its answer.

    Args:
        kind: name of the kind of question.
        values: values of the template's placeholders.
        language: language of question and answer.
        images, words: content of the sample; the words' boxes are in pixels of these images.
    """

    kind: str
    answer: str
    language: str
    images: Sequence[EncodedImage]
    words: Words
    values: Mapping[str, str] = field(default_factory=dict)


class Writer(ABC):
    """Writes conversations whose answers follow from ground truth. Subclasses have no state.

    Args:
        question_templates: the kinds of questions by name.
        needs: required ground truth: `text`, `words`, `table`, `code`, `elements` or `pages` (several).
        written_share: share of real pages that it can write about (measured by benchmarks/taxonomy.py); a writer for
            few pages is tried first more often.
    """

    name: ClassVar[str]
    question_templates: ClassVar[Mapping[str, QuestionKind]]
    needs: ClassVar[tuple[str, ...]]
    written_share: ClassVar[float] = 1.0

    @abstractmethod
    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        """Return a conversation about page `k`, or None if the page does not have what the writer needs.

        Args:
            pages: consecutive pages of one document, in order.
            k: index into `pages`.
            rng: source of all randomness, seeded by the sample's id.
        """


def about_page(page: GroundTruth, kind: str, answer: str, values: Mapping[str, str] | None = None) -> Conversation:
    """Return a conversation about one page as it is."""
    return Conversation(
        kind=kind,
        answer=answer,
        language=page.language,
        images=page.sample.images[:1],
        words=Words(texts=page.words, boxes=page.boxes, images=np.zeros(len(page.words), np.int32)),
        values=values or {},
    )


def about_pages(
    pages: Sequence[GroundTruth], kind: str, answer: str, values: Mapping[str, str] | None = None
) -> Conversation:
    """Return a conversation about several pages, one image each, in the language of the first page."""
    return Conversation(
        kind=kind,
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
