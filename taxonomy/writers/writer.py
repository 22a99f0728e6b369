"""The interface of instruction writers."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sources.base.sample import EncodedImage, Words
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """A kind of question; its templates are in the taxonomy, under the leaf and the kind's name.

    Args:
        use_case: the leaf that the questions belong to.
        placeholders: names in braces that every template must have.
    """

    use_case: str
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """The part of the page that a turn is about, so that a later turn can ask about "it".

    Args:
        kind: `word`, `line`, `sentence` or `row` (of a printed table).
        words: indices of its words on the page.
        text: its text; of a row, its first cell.
    """

    kind: str
    words: tuple[int, ...]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A question, not yet worded, and its answer.

    Args:
        kind: name of the kind of question.
        values: values of the template's placeholders.
        subject: what the answer is about; None if nothing that a further question could refer to.
    """

    kind: str
    answer: str
    values: Mapping[str, str] = field(default_factory=dict)
    subject: Subject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """The first turn about a page, which others may follow, and the content of the sample.

    Args:
        language: language of questions and answers.
        images, words: content of the sample; the words' boxes are in pixels of these images.
    """

    turn: Turn
    language: str
    images: Sequence[EncodedImage]
    words: Words


class Writer(ABC):
    """Writes conversations whose answers follow from ground truth. Subclasses have no state.

    Args:
        question_templates: the kinds of questions by name.
        needs: what a sample must have, by the names in `taxonomy/writers/needs.py`; it is asked about no other.
        written_share: share of real pages that it can write about (measured by benchmarks/taxonomy.py); a writer for
            few pages is tried first more often.
    """

    name: ClassVar[str]
    question_templates: ClassVar[Mapping[str, QuestionKind]]
    needs: ClassVar[tuple[str, ...]]
    written_share: ClassVar[float] = 1.0

    @abstractmethod
    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        """Return a conversation about page `k`, or None if the page does not have what this question needs.

        Args:
            pages: consecutive pages, in order; `neighbours` has the ones of the same document.
            k: index into `pages`.
            rng: source of all randomness, seeded by the sample's id.
            choices: picks the answer of every question that has a few possible ones.
        """


def about_page(
    page: Page, kind: str, answer: str, values: Mapping[str, str] | None = None, subject: Subject | None = None
) -> Conversation:
    """Return a conversation about one page as it is."""
    return Conversation(
        turn=Turn(kind=kind, answer=answer, values=values or {}, subject=subject),
        language=page.language,
        images=page.sample.images[:1],
        words=Words(texts=page.words, boxes=page.boxes, images=np.zeros(len(page.words), np.int32)),
    )


def about_pages(
    pages: Sequence[Page],
    kind: str,
    answer: str,
    values: Mapping[str, str] | None = None,
    images: Sequence[EncodedImage] | None = None,
) -> Conversation:
    """Return a conversation about several pages, one image each, in the language of the first page.

    Args:
        images: edited pictures of the pages, whose words are where they were; None takes the pages' own.
    """
    return Conversation(
        turn=Turn(kind=kind, answer=answer, values=values or {}),
        language=pages[0].language,
        images=images or [page.sample.images[0] for page in pages],
        words=Words(
            texts=[word for page in pages for word in page.words],
            boxes=np.concatenate([page.boxes for page in pages]),
            images=np.concatenate([np.full(len(page.words), k, np.int32) for k, page in enumerate(pages)]),
        ),
    )
