"""Answers to questions that have a few possible ones, and whether each of them is given as often as the others."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sources.base.marks import without_images

MAX_SKEW = 0.1  # distance of an answer's share from an even one
MIN_COUNT = 20  # answers of a leaf; with fewer, chance alone goes beyond MAX_SKEW

# By the set of answers that belong together, and the answer: how its texts begin, or what they are.
_OPENINGS: Mapping[tuple[str, str], str] = {
    ("yes or no", "yes"): r"yes\b|是的|对[，。]|有[，。]",
    ("yes or no", "no"): r"no\b(?!\.? ?\d)|不是|不对|没有[，。]",
    ("present or absent", "present"): r"it is in this sentence|它在这句话里",
    ("present or absent", "absent"): r"the word “[^”]*” does not appear|这一页上没有“",
    ("difference or none", "difference"): r"the second picture lacks|第二张图缺少",
    ("difference or none", "none"): r"there is no difference|没有区别",
    ("same or different", "same"): r"both pictures show the same page|两张图是同一页",
    ("same or different", "different"): r"the pictures show two different pages|两张图是不同的两页",
    ("some or none", "none"): r"there is none on this page|这一页上没有。",
    ("some or none", "some"): r"(?!)",
    ("image or none", "none"): r"it is on none of them|哪一张上都没有",
    ("image or none", "image"): r"(?!)",
    ("instruction or none", "instruction"): r"[^\n]*\n\n(?:\(The image also shows an instruction|（图中还印有一条指令)",
    ("instruction or none", "none"): r"(?!)",
    ("degree of likeness", "identical"): r"they are identical|完全相同",
    ("degree of likeness", "nearly identical"): r"they are nearly identical|几乎相同",
    ("degree of likeness", "different"): r"they are different pages|是不同的两页",
}
_WHOLE: Mapping[tuple[str, str], str] = {
    ("first or second", "first"): r"the first|第一张",
    ("first or second", "second"): r"the second|第二张",
    ("above or below", "above"): r"above|上方",
    ("above or below", "below"): r"below|下方",
    ("left or right", "left"): r"to the left|左边",
    ("left or right", "right"): r"to the right|右边",
    ("letter", "A"): r"\(?a[.)]?",
    ("letter", "B"): r"\(?b[.)]?",
    ("letter", "C"): r"\(?c[.)]?",
    ("letter", "D"): r"\(?d[.)]?",
    ("order of three", "1, 2, 3"): "1, 2, 3",
    ("order of three", "1, 3, 2"): "1, 3, 2",
    ("order of three", "2, 1, 3"): "2, 1, 3",
    ("order of three", "2, 3, 1"): "2, 3, 1",
    ("order of three", "3, 1, 2"): "3, 1, 2",
    ("order of three", "3, 2, 1"): "3, 2, 1",
}
_PATTERNS = [
    *((key, re.compile(pattern, re.IGNORECASE)) for key, pattern in _OPENINGS.items()),
    *((key, re.compile(rf"(?:{pattern})[.。]?$", re.IGNORECASE)) for key, pattern in _WHOLE.items()),
]
# Kinds of questions whose other answer is not of one wording: any text, any number.
_OTHERWISE = {
    "one_script": "some or none: some",
    "page_matching": "image or none: image",
    "printed_instruction": "instruction or none: none",
}
# Kinds of questions that have a few answers; the answers of the others may begin with such words by chance.
_OF_FEW = {
    *_OTHERWISE,
    *("absent_text", "chart_comparison", "horizontal", "leading_question", "more_text", "page_discrimination"),
    *("page_order", "page_similarity", "spot_difference", "vertical", "which_has_word"),
}
_NAMES = {f"{group}: {answer}": (group, answer) for group, answer in (*_OPENINGS, *_WHOLE)}


def choice_of(answer: str, kind: str = "") -> str | None:
    """Return the choice that an answer makes, e.g. `yes or no: yes`; None if the question was not of that kind.

    Args:
        kind: the kind of question of an instruction writer, as in the sample's locator (`…;ask=KIND`).
    """
    if kind and kind not in _OF_FEW:
        return None
    text = without_images(answer).strip()
    for (group, choice), pattern in _PATTERNS:
        if pattern.match(text):
            return f"{group}: {choice}"
    return _OTHERWISE.get(kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """How often each answer of one set was given to the questions of a leaf.

    Args:
        question: the set, e.g. `yes or no`.
        counts: number by answer, those that were never given included.
    """

    use_case: str
    question: str
    counts: Mapping[str, int]

    @property
    def skew(self) -> float:
        """The greatest distance of an answer's share from an even one, 0 to 1."""
        total = sum(self.counts.values())
        return max(abs(count / total - 1 / len(self.counts)) for count in self.counts.values())

    @property
    def is_even(self) -> bool:
        """True if no answer is given so often that a model could learn to give it unseen."""
        return self.skew <= MAX_SKEW or sum(self.counts.values()) < MIN_COUNT


def balances(counts: Mapping[tuple[str, str], int]) -> list[Balance]:
    """Return the balance of every leaf and set of answers, the most one-sided first.

    Args:
        counts: number of answers by (leaf, what `choice_of` returns).
    """
    by_set: dict[tuple[str, str], Counter[str]] = {}
    for (use_case, name), count in counts.items():
        group, choice = _NAMES[name]
        by_set.setdefault((use_case, group), Counter())[choice] += count
    found = []
    for (use_case, group), given in by_set.items():
        possible = [choice for other, choice in _NAMES.values() if other == group]
        if group == "letter":  # how many letters there are differs from question to question
            possible = [choice for choice in possible if given[choice]]
        counted = {choice: given[choice] for choice in possible}
        found.append(Balance(use_case=use_case, question=group, counts=counted))
    return sorted(found, key=lambda balance: (-balance.skew, balance.use_case, balance.question))
