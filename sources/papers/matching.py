"""Two sequences of words matched: rare runs of words as anchors, the longest common subsequence between them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

NGRAMS = (4, 2, 1)  # words of an anchor: rare in both sequences
MAX_CELLS = 30_000_000  # of a table between two anchors; more is matched by anchors alone
MIN_CHARS, MAX_STRETCH = 7, 12  # a match of fewer characters, so many words away from others, is chance
MAX_WORDS, MAX_WINDOW, MIN_WORD = 4, 80, 3  # between two matches: few words in a short stretch, and their letters
LOOSE = 3  # words that a formula or a reference may add between two words

Pairs = list[tuple[int, int]]


def match(a: Sequence[str], b: Sequence[str], parts: Sequence[int] = ()) -> Pairs:
    """Return pairs of places of equal words, ascending in both sequences.

    Args:
        parts: for each word of `a` the part of a text that it is in: words of one part are near each other in `b`.
    """
    numbers: dict[str, int] = {}
    left = [numbers.setdefault(word, len(numbers)) for word in a]
    right = [numbers.setdefault(word, len(numbers)) for word in b]
    pairs: Pairs = []
    _match(left, right, 0, len(left), 0, len(right), 0, pairs)
    return _with_near(_without_chance(_compact(pairs, left, right, parts or [0] * len(a)), a), a, b)


def _match(a: Sequence[int], b: Sequence[int], a0: int, a1: int, b0: int, b1: int, level: int, pairs: Pairs) -> None:
    while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
        pairs.append((a0, b0))
        a0, b0 = a0 + 1, b0 + 1
    tail: Pairs = []
    while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
        tail.append((a1, b1))
    if a0 < a1 and b0 < b1:
        if level == len(NGRAMS):
            _longest(a, b, a0, a1, b0, b1, pairs)
        else:
            _by_anchors(a, b, a0, a1, b0, b1, level, pairs)
    pairs += reversed(tail)


def _by_anchors(
    a: Sequence[int], b: Sequence[int], a0: int, a1: int, b0: int, b1: int, level: int, pairs: Pairs
) -> None:
    num = NGRAMS[level]
    at, of = a0, b0
    for i, j in _ascending(_unique_pairs(a, b, a0, a1, b0, b1, num)):
        if i < at or j < of:  # inside the anchor before
            continue
        _match(a, b, at, i, of, j, level + 1, pairs)
        pairs += [(i + k, j + k) for k in range(num)]
        at, of = i + num, j + num
    _match(a, b, at, a1, of, b1, level + 1, pairs)


def _unique_pairs(a: Sequence[int], b: Sequence[int], a0: int, a1: int, b0: int, b1: int, num: int) -> Pairs:
    places: list[dict[tuple[int, ...], int]] = []
    for sequence, start, end in ((a, a0, a1), (b, b0, b1)):
        grams = [tuple(sequence[k : k + num]) for k in range(start, end - num + 1)]
        counts = Counter(grams)
        places.append({gram: start + k for k, gram in enumerate(grams) if counts[gram] == 1})
    return [(i, places[1][gram]) for gram, i in places[0].items() if gram in places[1]]


def _ascending(pairs: Pairs) -> Pairs:
    """Return the longest part of pairs, which ascend on the left, that ascends on the right too."""
    ends: list[int] = []
    last: list[int] = []
    before = [-1] * len(pairs)
    for k, (_, j) in enumerate(pairs):
        place = bisect_left(ends, j)
        before[k] = last[place - 1] if place else -1
        ends[place : place + 1] = [j]
        last[place : place + 1] = [k]
    found: Pairs = []
    k = last[-1] if last else -1
    while k >= 0:
        found.append(pairs[k])
        k = before[k]
    return found[::-1]


def _longest(a: Sequence[int], b: Sequence[int], a0: int, a1: int, b0: int, b1: int, pairs: Pairs) -> None:
    if (a1 - a0) * (b1 - b0) > MAX_CELLS:
        return
    for step in LCSseq.opcodes(a[a0:a1], b[b0:b1]):
        if step.tag == "equal":
            pairs += [(a0 + step.src_start + k, b0 + step.dest_start + k) for k in range(step.src_end - step.src_start)]


def _compact(pairs: Pairs, a: Sequence[int], b: Sequence[int], parts: Sequence[int]) -> Pairs:
    """Move words that are matched far from both neighbours, or from one, next to a neighbour where the same word is."""
    moved = list(pairs)
    for k in range(len(moved) - 2, -1, -1):
        (i, j), (after_i, after_j) = moved[k], moved[k + 1]
        before = moved[k - 1] if k and parts[moved[k - 1][0]] == parts[i] else None
        if before is None and b[after_j - 1] == a[i] and parts[i] == parts[after_i] and after_i == i + 1:
            moved[k] = (i, after_j - 1)  # the first word of a part, and not the label before it
            continue
        if after_j - j - (after_i - i) <= LOOSE or (before and j - before[1] - (i - before[0]) <= LOOSE):
            continue
        for place in range(after_j - 1, max(j, after_j - (after_i - i) - 2 * LOOSE), -1):
            if b[place] == a[i]:
                moved[k] = (i, place)
                break
    for k in range(1, len(moved)):
        (i, j), (before_i, before_j) = moved[k], moved[k - 1]
        after = moved[k + 1] if k + 1 < len(moved) else None  # of any part: a heading is with the text after it
        if j - before_j - (i - before_i) <= LOOSE or (after and after[1] - j - (after[0] - i) <= LOOSE):
            continue
        for place in range(before_j + 1, min(j, before_j + (i - before_i) + 2 * LOOSE)):
            if b[place] == a[i]:
                moved[k] = (i, place)
                break
    return moved


def _without_chance(pairs: Pairs, a: Sequence[str]) -> Pairs:
    """Drop short matches that are far from all others."""
    groups: list[Pairs] = []
    for i, j in pairs:
        if groups and abs(j - groups[-1][-1][1] - (i - groups[-1][-1][0])) <= MAX_STRETCH:
            groups[-1].append((i, j))
        else:
            groups.append([(i, j)])
    return [pair for group in groups if sum(len(a[i]) for i, _ in group) >= MIN_CHARS for pair in group]


def _with_near(pairs: Pairs, a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Add the few words between two matches that are in the stretch between them once, as `hence` between formulas."""
    found: Pairs = []
    for k, (i, j) in enumerate(pairs):
        if k:
            before_i, before_j = pairs[k - 1]
            window = b[before_j + 1 : j]
            if 1 < i - before_i <= MAX_WORDS + 1 and len(window) <= MAX_WINDOW:
                at = 0
                for word in range(before_i + 1, i):
                    if len(a[word]) >= MIN_WORD and window.count(a[word]) == 1 and window.index(a[word]) >= at:
                        at = window.index(a[word])
                        found.append((word, before_j + 1 + at))
        found.append((i, j))
    return found
