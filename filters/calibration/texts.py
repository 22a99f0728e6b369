"""Corruptions of what a sample says about its picture: text or answers, and the words with their boxes."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from sources.base.marks import IMAGE_PLACEHOLDER, with_images
from sources.base.sample import Message, Sample, Words

CHANGED_NUMBERS = CHANGED_WORDS = 0.2  # share of the different ones
LEAST_WORDS = 4
LINE_CHARS = 8  # a shorter line is no loss to speak of
TRIES = 12
_LETTERS = re.compile(r"[^\W_]{3,}")
_NUMBER = re.compile(r"\d+")
_PIECE = re.compile(r"(\s+)")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")


def other_page(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Text, words and conversation of another sample of the same shape."""
    usable = [
        other
        for other in others
        if (other.messages is None) == (sample.messages is None)
        and len(other.images) == len(sample.images)
        and other.plain_text() not in ("", sample.plain_text())
    ]
    if not usable or not sample.plain_text():
        return None
    other = usable[int(chance.integers(len(usable)))]
    words = other.words if len(sample.words.texts) else sample.words
    if sample.messages is not None:
        return dataclasses.replace(sample, messages=other.messages, words=words)
    return dataclasses.replace(sample, text=with_images(other.plain_text(), sample.num_marks()), words=words)


def shuffled_words(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """The words of the text in another order, and on other boxes."""
    order = chance.permutation(len(sample.words.texts))
    words = dataclasses.replace(sample.words, texts=[sample.words.texts[k] for k in order])
    changed = _with_texts(sample, lambda text: _shuffled(text, chance))
    return None if changed is None else dataclasses.replace(changed, words=words)


def _shuffled(text: str, chance: np.random.Generator) -> str:
    pieces = _PIECE.split(text)
    places = [k for k in range(0, len(pieces), 2) if pieces[k] and pieces[k] != IMAGE_PLACEHOLDER]
    if len(places) < LEAST_WORDS:  # Chinese: characters in twos
        return "".join(_shuffled_pairs(piece, chance) for piece in pieces)
    moved = [pieces[k] for k in chance.permutation(places)]
    for k, piece in zip(places, moved, strict=True):
        pieces[k] = piece
    return "".join(pieces)


def _shuffled_pairs(piece: str, chance: np.random.Generator) -> str:
    if piece == IMAGE_PLACEHOLDER or len(piece) < 2 * LEAST_WORDS or piece.isascii():
        return piece
    pairs = [piece[k : k + 2] for k in range(0, len(piece), 2)]
    return "".join(pairs[k] for k in chance.permutation(len(pairs)))


def changed_digits(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Some of the numbers with other digits, the same ones in text and words."""
    return _with_others(sample, _NUMBER, CHANGED_NUMBERS, lambda number: _other_number(number, chance), chance)


def shuffled_letters(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Some of the words with their letters or digits in another order, the same ones in text and words."""
    return _with_others(sample, _LETTERS, CHANGED_WORDS, lambda word: _reordered(word, chance), chance)


def _reordered(word: str, chance: np.random.Generator) -> str:
    for _ in range(TRIES):
        other = "".join(word[k] for k in chance.permutation(len(word)))
        if other != word:
            return other
    return word


def _with_others(
    sample: Sample, pattern: re.Pattern[str], share: float, change: Callable[[str], str], chance: np.random.Generator
) -> Sample | None:
    """The sample with a share of the different matches changed, at least one, in its text or answers and its words."""
    said = "\n".join([*_said(sample), *sample.words.texts]).replace(IMAGE_PLACEHOLDER, "")
    found = sorted(set(pattern.findall(said)))
    chosen = chance.permutation(found)[: max(1, round(share * len(found)))].tolist()
    other = {match: change(match) for match in chosen}

    def changed(text: str) -> str:
        parts = text.split(IMAGE_PLACEHOLDER)
        return IMAGE_PLACEHOLDER.join(pattern.sub(lambda match: other.get(match[0], match[0]), p) for p in parts)

    words = dataclasses.replace(sample.words, texts=[changed(text) for text in sample.words.texts])
    spoilt = _with_texts(sample, changed)
    return None if spoilt is None else dataclasses.replace(spoilt, words=words)


def _other_number(number: str, chance: np.random.Generator) -> str:
    return "".join(str((int(digit) + int(chance.integers(1, 10))) % 10) for digit in number)


def missing_line(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """One line taken out of text and words."""
    lines = _lines_of(sample.words)
    if len(lines) < 2:
        return _without_text_line(sample, chance)
    for number in chance.permutation(len(lines))[:TRIES].tolist():
        line = [sample.words.texts[k] for k in lines[number]]
        if sum(map(len, line)) < LINE_CHARS:
            continue
        pattern = re.compile(r"\s*".join(map(re.escape, line)))
        changed = _with_texts(sample, partial(pattern.sub, "", count=1))
        if changed is not None:
            return dataclasses.replace(changed, words=_without(sample.words, lines[number]))
    return _without_text_line(sample, chance)  # the text is not what is written on the picture


def _without_text_line(sample: Sample, chance: np.random.Generator) -> Sample | None:
    def change(text: str) -> str:
        for split, joint in ((str.splitlines, "\n"), (_SENTENCE.split, " ")):
            lines: list[str] = split(text)
            long = [k for k, line in enumerate(lines) if len(line.strip()) >= LINE_CHARS]
            if len(long) > 1:
                left_out = long[int(chance.integers(len(long)))]
                return joint.join(line for k, line in enumerate(lines) if k != left_out)
        return text

    return _with_texts(sample, change)


def missing_word(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """One word taken out of the text or an answer, and out of the words; another word must be left."""
    left_out: list[str] = []

    def change(text: str) -> str:
        pieces = _PIECE.split(text)
        places = [k for k in range(0, len(pieces), 2) if pieces[k] not in ("", IMAGE_PLACEHOLDER)]
        if left_out or len(places) < 2:
            return text
        place = places[int(chance.integers(len(places)))]
        left_out.append(pieces[place])
        first = place if place + 1 < len(pieces) else place - 1  # with the space behind it, or before the last one
        del pieces[first : first + 2]
        return "".join(pieces)

    changed = _with_texts(sample, change)
    if changed is None or left_out[0] not in sample.words.texts:
        return changed
    return dataclasses.replace(changed, words=_without(sample.words, [sample.words.texts.index(left_out[0])]))


def _lines_of(words: Words) -> list[list[int]]:
    """Indices of the words of each line: neighbours in reading order that overlap in height."""
    lines: list[list[int]] = []
    for k in range(len(words.texts)):
        if lines:
            before = lines[-1][-1]
            top, bottom = max(words.boxes[[k, before], 1]), min(words.boxes[[k, before], 3])
            height = min(words.boxes[[k, before], 3] - words.boxes[[k, before], 1])
            follows = words.boxes[k, 0] > words.boxes[before, 0] and words.images[k] == words.images[before]
            if follows and bottom - top > 0.5 * height:
                lines[-1].append(k)
                continue
        lines.append([k])
    return lines


def _without(words: Words, left_out: Sequence[int]) -> Words:
    stays = np.setdiff1d(np.arange(len(words.texts)), left_out)
    return Words(texts=[words.texts[k] for k in stays], boxes=words.boxes[stays], images=words.images[stays])


def swapped_answer(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """An answer of another turn, or of another sample, in place of the right one."""
    if sample.messages is None:
        return None
    answers = [k for k, message in enumerate(sample.messages) if message.role == "assistant"]
    if not answers:
        return None
    place = answers[int(chance.integers(len(answers)))]
    right = sample.messages[place].content
    wrong = [sample.messages[k].content for k in answers if sample.messages[k].content != right]
    wrong = wrong or [
        m.content for o in others for m in o.messages or () if m.role == "assistant" and m.content != right
    ]
    if not wrong:
        return None
    messages = list(sample.messages)
    messages[place] = Message(role="assistant", content=wrong[int(chance.integers(len(wrong)))])
    return dataclasses.replace(sample, messages=messages)


def wrong_box(sample: Sample, others: Sequence[Sample], chance: np.random.Generator) -> Sample | None:
    """Every word with the box of another one that is some places further."""
    number = len(sample.words.texts)
    if number < LEAST_WORDS:
        return None
    shift = int(chance.integers(1, number))
    words = sample.words
    moved = Words(texts=words.texts, boxes=np.roll(words.boxes, shift, axis=0), images=np.roll(words.images, shift))
    return dataclasses.replace(sample, words=moved)


def _said(sample: Sample) -> list[str]:
    """The texts that claim something about the picture: the text, or the answers."""
    if sample.messages is None:
        return [sample.text or ""]
    return [message.content for message in sample.messages if message.role == "assistant"]


def _with_texts(sample: Sample, change: Callable[[str], str]) -> Sample | None:
    """The sample with its text or its answers changed; None if that changes nothing."""
    if sample.messages is None:
        changed = dataclasses.replace(sample, text=None if sample.text is None else change(sample.text))
    else:
        turns = [
            Message(role=m.role, content=change(m.content)) if m.role == "assistant" else m for m in sample.messages
        ]
        changed = dataclasses.replace(sample, messages=turns)
    return None if _said(changed) == _said(sample) else changed
