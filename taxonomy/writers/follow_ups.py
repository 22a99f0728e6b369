"""Later turns of a conversation: each asks about what the turn before was about, so that they build on each other."""

import random
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sources.images.boxes import hull, scaled
from taxonomy.sentences import CHINESE
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare
from taxonomy.writers.table_questions import has_names
from taxonomy.writers.writer import QuestionKind, Subject, Turn

PRINTED = "recognition/ocr_and_transcription/printed_text"
POSITION = "recognition/local_description/position"
COUNTING = "recognition/local_description/counting"
TABLE = "analysis/data_chart/table"
MAX_WORDS = 25  # more cannot be counted at a glance
# A word, for counting: with hyphens, dashes or symbols between words, two people count differently.
_UNCLEAR = frozenset("-–—/&+=*|<>@_•·")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A kind of later turn.

    Args:
        subjects: kinds of subjects that it can be about.
        ask: returns the turn about a subject, or None.
    """

    kind: QuestionKind
    subjects: tuple[str, ...]
    ask: Callable[[Page, Subject, random.Random], Turn | None]


def follow_ups(page: Page, first: Turn, num: int, rng: random.Random, asked_for: Container[str]) -> list[Turn]:
    """Return at most `num` turns after the first one; each is about the subject of the turn before it.

    Args:
        asked_for: kinds that the taxonomy has questions of.
    """
    turns = [first]
    while len(turns) <= num:
        subject, asked = turns[-1].subject, {turn.kind for turn in turns}
        if subject is None:
            break
        names = [
            name
            for name, each in FOLLOW_UPS.items()
            if subject.kind in each.subjects and name not in asked and name in asked_for
        ]
        found = (FOLLOW_UPS[name].ask(page, subject, rng) for name in rng.sample(names, len(names)))
        turn = next((turn for turn in found if turn is not None and not _repeats(turn, turns)), None)
        if turn is None:
            break
        turns.append(turn)
    return turns[1:]


def _repeats(turn: Turn, turns: Sequence[Turn]) -> bool:
    """Return True if the answer, or what is asked for, was said already."""
    said = {text for other in turns for text in (other.answer, *other.values.values())}
    return bool(said & {turn.answer, *turn.values.values()})


def _box_of_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    boxes = page.boxes[list(subject.words)]
    is_row = bool(len(boxes)) and bool(boxes[:, 1].max() < boxes[:, 3].min())
    if not is_row:
        return None
    image = page.sample.images[0]
    return Turn(kind="box_of_it", answer=scaled(hull(boxes), image.width, image.height), subject=subject)


def _line_of_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    line = page.line_with(subject.words[0]) if subject.words else None
    if line is None:
        return None
    return Turn(kind="line_of_it", answer=line.text, subject=Subject("line", line.words, line.text))


def _word_after_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    """Ask for the next word; Chinese is not divided into words, so there for the next character."""
    line = page.line_with(subject.words[0]) if subject.words else None
    if line is None:
        return None
    if page.language == "zh":
        start = line.text.find(subject.text)
        after = line.text[start + len(subject.text) :][:1] if line.text.count(subject.text) == 1 else ""
        return Turn(kind="word_after_it", answer=after) if CHINESE.match(after) else None
    if subject.words[0] + 1 not in line.words or not page.words[subject.words[0]].endswith(subject.text[-1:]):
        return None
    after = bare(page.words[subject.words[0] + 1])
    places = (subject.words[0] + 1,)
    return Turn(kind="word_after_it", answer=after, subject=Subject("word", places, after)) if after.isalpha() else None


def _line_after_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    line = next((line for line in page.clear_lines if line.words == subject.words), None)
    after = None if line is None else page.line_after(line)
    if after is None:
        return None
    return Turn(kind="line_after_it", answer=after.text, subject=Subject("line", after.words, after.text))


def _num_words(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    """Ask for the number of words; of a Chinese text, for the number of its characters."""
    num = len(CHINESE.findall(subject.text)) if page.language == "zh" else len(subject.text.split())
    is_clear = page.language == "zh" or (not _UNCLEAR & set(subject.text) and CHINESE.search(subject.text) is None)
    if (
        not is_clear
        or not 2 <= num <= MAX_WORDS
        or not all(any(c.isalpha() for c in word) for word in subject.text.split())
    ):
        return None
    return Turn(kind="num_words", answer=str(num), subject=subject)


def _sentence_after_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    after = page.sentence_after(subject.text)
    if after is None:
        return None
    subject = Subject("sentence", page.words_of(after), after)
    return Turn(kind="sentence_after_it", answer=after, subject=subject)


def _cell_of_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    table = page.tables[0]
    row = next(row for row in table.rows if row[0] == subject.text)
    columns = [j for j in range(1, len(row)) if row[j] and table.header[j]]
    if not columns or not has_names(table):
        return None
    column = int(np.array(columns)[rng.randrange(len(columns))])
    return Turn(kind="cell_of_it", answer=row[column], values={"column": table.header[column]}, subject=subject)


def _row_below_it(page: Page, subject: Subject, rng: random.Random) -> Turn | None:
    names = [row[0] for row in page.tables[0].rows]
    place = names.index(subject.text) + 1
    if place == len(names):
        return None
    return Turn(kind="row_below_it", answer=names[place], subject=Subject("row", (), names[place]))


FOLLOW_UPS: Mapping[str, FollowUp] = {
    "box_of_it": FollowUp(QuestionKind(POSITION), ("word", "line"), _box_of_it),
    "line_of_it": FollowUp(QuestionKind(PRINTED), ("word",), _line_of_it),
    "word_after_it": FollowUp(QuestionKind(PRINTED), ("word",), _word_after_it),
    "line_after_it": FollowUp(QuestionKind(PRINTED), ("line",), _line_after_it),
    "num_words": FollowUp(QuestionKind(COUNTING), ("line", "sentence"), _num_words),
    "sentence_after_it": FollowUp(QuestionKind(PRINTED), ("sentence",), _sentence_after_it),
    "cell_of_it": FollowUp(QuestionKind(TABLE, ("column",)), ("row",), _cell_of_it),
    "row_below_it": FollowUp(QuestionKind(TABLE), ("row",), _row_below_it),
}
