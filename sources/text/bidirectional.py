"""Right-to-left lines: from the places of their letters to the order in which they are read."""

import re
import unicodedata

import numpy as np

from sources.text.scripts import right_to_left_codes

MAX_MARK_GAP = 0.5  # between a mark and its letter, in font sizes
MAX_MARK_SHIFT = 1.0  # from the left edge of the letter that the file has before a mark to the mark, in font sizes
_ZERO_WIDTH = 0.02  # in font sizes; narrower letters are marks, or further letters of a ligature
_GAP = -1
_UNKNOWN, _NON_JOINER = 0xFFFD, 0x200C
_LAM, _ALEFS = 0x644, (0x622, 0x623, 0x625, 0x627, 0x671)  # together they are one glyph
_SEPARATORS, _SIGNS = ".,:/-–−'٫٬", "%$€£¥°‰#+"
_MINUS = "-–−"
_BRACKETS = {ord(a): ord(b) for a, b in [*zip("([{<«", ")]}>»", strict=True), *zip(")]}>»", "([{<«", strict=True)]}
_OPENING = {ord(bracket) for bracket in "([{<«"}
_NUMBER = re.compile("T*N+(?:SN+)*T*")
_LEFT_TO_RIGHT_PART = re.compile("[LNT](?:.*[LNT])?")


def clusters_of(codes: np.ndarray, starts: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return for each of a line's N letters the index of the letter that it belongs to, mostly itself.

    Letters without width belong to another one. A mark belongs to the letter that the file has before it, if the file
    has letters in the order of reading. Otherwise it is painted where its letter begins, above it, or a little before
    it. The second letter of a ligature is where the glyph ends.

    Args:
        codes, sizes: (N,) code points, and font sizes in points.
        starts, ends: (N,) left and right edge of each letter in points.
    """
    clusters = np.arange(len(codes))
    width = ends - starts
    has_width = width > _ZERO_WIDTH * sizes
    bases = np.flatnonzero(has_width)
    of_marks = bases[right_to_left_codes(codes[bases])]
    of_marks = of_marks[[chr(code).isalpha() for code in codes[of_marks]]] if len(of_marks) else bases
    if not len(bases) or not len(of_marks):
        return clusters
    for k in np.flatnonzero(~has_width):
        place, slack = starts[k], _ZERO_WIDTH * sizes[k]
        is_mark = unicodedata.combining(chr(codes[k])) > 0
        before = _letter_before(k, of_marks, starts, ends, sizes) if is_mark else None
        if before is not None:
            clusters[k] = before
            continue
        if is_mark or codes[k] in (_UNKNOWN, _NON_JOINER):
            owners = of_marks
            inside = (starts[owners] < place - slack) & (ends[owners] > place + slack)
            distance = np.where(inside, 0, np.abs(starts[owners] - place))
            distance[~inside & (starts[owners] < place - slack)] = np.inf
        else:
            owners = bases
            distance = np.abs(ends[owners] - place)
            if codes[k] in _ALEFS and (is_lam := codes[bases] == _LAM).any():
                owners = bases[is_lam]
                distance = np.minimum(np.abs(starts[owners] - place), np.abs(ends[owners] - place))
                distance -= slack * width[owners] / width[owners].max()  # of two next to it the wider one, the ligature
        nearest = int(np.argmin(distance))
        if distance[nearest] <= MAX_MARK_GAP * sizes[k]:
            clusters[k] = owners[nearest]
    return clusters


def _letter_before(
    mark: int, letters: np.ndarray, starts: np.ndarray, ends: np.ndarray, sizes: np.ndarray
) -> int | None:
    """Return the letter that the file has before a mark, or None unless letters there go from right to left."""
    place = int(np.searchsorted(letters, mark))
    if not place:
        return None
    around = starts[letters[max(place - 2, 0) : place + 1]]
    owner = int(letters[place - 1])
    slack = _ZERO_WIDTH * sizes[mark]
    is_near = starts[owner] - MAX_MARK_SHIFT * sizes[mark] <= starts[mark] <= ends[owner] + slack
    return owner if is_near and (np.diff(around) < 0).any() else None


def in_logical_order(
    codes: np.ndarray, middles: np.ndarray, clusters: np.ndarray, gaps: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the (N,) indices of a line's letters in the order in which they are read, and which of them end a word.

    The third result are the (N,) codes in the order given.

    The line is read from the right; numbers, Latin words, and what is between two Latin words, from the left. The
    other parts of a cluster follow its letter. Brackets are turned where the file has them as they look.

    Args:
        codes: (N,) code points, without spaces.
        middles: (N,) place of each letter along the line.
        clusters: (N,) as `clusters_of` returns them.
        gaps: (N,) True for letters with a word gap on their right.
    """
    heads = np.flatnonzero(clusters == np.arange(len(codes)))
    followers: dict[int, list[int]] = {}
    for k in np.flatnonzero(clusters != np.arange(len(codes))):
        followers.setdefault(int(clusters[k]), []).append(int(k))
    visual = [int(k) for k in heads[np.argsort(-middles[heads], kind="stable")]]  # from the right
    kinds = ""
    places: list[int] = []
    for k in visual:
        if gaps[k] and places:
            kinds, places = kinds + " ", [*places, _GAP]
        kinds, places = kinds + _kind(int(codes[k])), [*places, k]
    for part in re.finditer("[^R]+", kinds):
        if "L" in part[0]:
            run = _LEFT_TO_RIGHT_PART.search(part[0])
            runs = [run] if run else []
        else:
            runs = list(_NUMBER.finditer(part[0]))
        for run in runs:
            start, end = part.start() + run.start(), part.start() + run.end()
            if kinds[end - 1] == "N" and kinds[end : end + 1] == "S" and kinds[end + 1 : end + 2] in (" ", ""):
                end += chr(codes[places[end]]) in _MINUS  # a full stop there ends the sentence
            places[start:end] = places[start:end][::-1]
    order: list[int] = []
    ends = np.zeros(len(codes), bool)
    for k in places:
        if k == _GAP:
            ends[len(order) - 1] = True
        else:
            order += [k, *followers.get(k, ())]
    ends[-1] = True
    in_order = codes[order]
    _turn_brackets(in_order, ends)
    codes = codes.copy()
    codes[order] = in_order
    return np.array(order), ends, codes


def _kind(code: int) -> str:
    """Return R, L, N (digit), S (separator in numbers), T (sign at numbers) or O (other)."""
    letter = chr(code)
    if letter.isdecimal():
        return "N"
    if letter in _SEPARATORS:
        return "S"
    if right_to_left_codes(np.array(code)):
        return "R" if letter.isalpha() or unicodedata.combining(letter) else "O"
    if letter.isalpha():
        return "L"
    return "T" if letter in _SIGNS else "O"


def _turn_brackets(codes: np.ndarray, ends: np.ndarray) -> None:
    """Turn the brackets that close at the beginning of a word, or open at its end: the file has them as they look."""
    begins = np.concatenate([[True], ends[:-1]])
    for k in range(len(codes)):
        is_opening = int(codes[k]) in _OPENING
        if int(codes[k]) in _BRACKETS and begins[k] != ends[k] and ends[k] == is_opening:
            codes[k] = _BRACKETS[int(codes[k])]
