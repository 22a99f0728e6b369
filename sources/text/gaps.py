"""Words of a page from its characters, by the spaces in it and by the distances between its letters.

A layout engine inserts spaces where it guesses them; those are ignored here. A space that the file paints ends a word,
and so does a gap that is wider than the usual one between the letters of its line.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from sources.text.accents import with_accents
from sources.text.bidirectional import clusters_of, in_logical_order
from sources.text.characters import Characters, Letters, letters_of
from sources.text.repeats import without_repeats
from sources.text.rows import with_rows
from sources.text.scripts import EAST_ASIAN, FIRST_RIGHT_TO_LEFT, east_asian_codes, right_to_left_codes
from sources.text.vertical import with_columns
from sources.text.words import LayoutWords, words_of_letters

MIN_GAP = 0.11  # beyond the usual gap between letters of the line, in font sizes; TeX's narrowest word space is 0.22
USUAL_GAP = 0.3  # quantile of the gaps of a line: most of them are between letters, even if words are short
MAX_USUAL_GAP = 0.12  # in font sizes; letters with wider gaps are spaced out
MIN_USUAL_GAP = -0.25  # in font sizes; letters of narrow text overlap
FEW_NARROW = 0.02  # share of overlapping letters on a page whose lines are all set as usual
MIN_EAST_ASIAN_GAP = 0.5  # between Chinese or Japanese characters, which are spread to justify a line
MIN_MIXED_GAP = 0.35  # between Chinese and Latin; producers add a quarter of the font size
MAX_OVERLAP = 0.5  # in font sizes; letters of a word do not overlap more
_DOT = ord(".")
_FIRST_MARK = 0x300  # lowest code point of a mark without width
BULLETS = "•‣▪▫◦●○■□◆◇▶►➢➤➔→⇒✓✔☐☑☒★☆❖"  # words of their own at the start of a line
_BULLETS = np.array(sorted(map(ord, BULLETS)))
MIN_LARGER = 1.2  # size of a letter after a raised label, in sizes of the label
MIN_RAISED = 0.15  # of a label above the baseline, in font sizes
MIN_LABELLED = 3  # letters after a label; fewer may be an element after the number of its isotope
MIN_SPACED_LETTERS = 5  # single letters in a line that may be spaced out
SPACED_SHARE = 0.7  # share of single letters among the words of a spaced-out line
MIN_SPACED_WORD_GAP = 1.5  # between words of a spaced-out line, in usual gaps


def words_of(characters: Characters) -> LayoutWords:
    """Return the words of a page in the order in which it is painted, with the line of each."""
    letters = letters_of(characters)
    if not len(letters):
        return LayoutWords()
    letters, rows = with_accents(*with_rows(with_columns(without_repeats(letters))))
    ends = _ends_of_words(letters, rows)
    if letters.codes.max() >= FIRST_RIGHT_TO_LEFT and (is_right_to_left := right_to_left_codes(letters.codes)).any():
        letters, ends = _read_from_the_right(letters, rows, ends, is_right_to_left)
    return words_of_letters(letters, rows, ends)


def _ends_of_words(letters: Letters, rows: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the letters that end a word."""
    gaps = _gaps(letters, rows)
    same_row = rows[1:] == rows[:-1]
    same_piece = letters.pieces[1:] == letters.pieces[:-1]
    next_piece = letters.pieces[1:] == letters.pieces[:-1] + 1
    has_space = (letters.spaces[1:] > letters.spaces[:-1]) & (same_piece | next_piece)
    are_dots = (letters.codes[1:] == _DOT) & (letters.codes[:-1] == _DOT)  # leaders have wider gaps
    least = _usual_gaps(np.where(same_row & ~has_space & ~are_dots, gaps, np.inf), rows) + MIN_GAP
    if letters.codes.max() >= 0x2E80:
        is_east_asian = east_asian_codes(letters.codes)
        num_east_asian = is_east_asian[1:].astype(np.int64) + is_east_asian[:-1]
        least = np.choose(num_east_asian, [least, MIN_MIXED_GAP, MIN_EAST_ASIAN_GAP])
    ends = np.append(~same_row | has_space | (gaps > least) | (~same_piece & (gaps < -MAX_OVERLAP)), True)
    _end_bullets(ends, letters, rows)
    _end_labels(ends, letters, rows)
    _join_spaced_out(ends, gaps, letters, rows)
    return ends


def _end_bullets(ends: np.ndarray, letters: Letters, rows: np.ndarray) -> None:
    """Set `ends` at bullets at the start of a line, however near the text is."""
    if letters.codes.max() < _BULLETS[0]:
        return
    for k in np.flatnonzero(np.isin(letters.codes, _BULLETS) & (np.diff(rows, prepend=-1) != 0)).tolist():
        ends[k] |= k + 1 < len(rows) and _is_text(int(letters.codes[k + 1]))


def _is_text(code: int) -> bool:
    """Return True for letters of scripts in which a space follows a bullet."""
    return chr(code).isalpha() and not EAST_ASIAN.match(chr(code))


def _end_labels(ends: np.ndarray, letters: Letters, rows: np.ndarray) -> None:
    """Set `ends` after small raised letters with which a word begins, such as the label of a footnote."""
    sizes, bottoms = letters.sizes, letters.frames[:, 3]
    larger = (sizes[1:] >= MIN_LARGER * sizes[:-1]) & (rows[1:] == rows[:-1]) & ~ends[:-1]
    larger &= bottoms[1:] - bottoms[:-1] > MIN_RAISED * sizes[1:]
    for k in np.flatnonzero(larger).tolist():
        first = k
        while first and not ends[first - 1]:
            first -= 1
        following = letters.codes[k + 1 : k + 1 + MIN_LABELLED]
        is_label = (np.abs(sizes[first : k + 1] - sizes[k]) < 0.1 * sizes[k]).all()
        is_word = len(following) == MIN_LABELLED and not ends[k + 1 : k + MIN_LABELLED].any()
        if is_label and is_word and all(chr(code).isalpha() for code in following):
            ends[k] = True


def _gaps(letters: Letters, rows: np.ndarray) -> np.ndarray:
    """Return the N - 1 gaps between consecutive letters in font sizes; negative where letters overlap."""
    starts, stops = letters.frames[:, 0], letters.frames[:, 2]
    if letters.codes.max() >= _FIRST_MARK:  # marks have no width: the letter before them reaches farther
        far = rows * (np.abs(letters.frames[:, ::2]).max() * 2 + 1)
        stops = np.maximum.accumulate(stops + far) - far
    distance = np.maximum(starts[1:] - stops[:-1], starts[:-1] - stops[1:])
    gaps: np.ndarray = distance / np.maximum(np.maximum(letters.sizes[1:], letters.sizes[:-1]), 1e-3)
    return gaps


def _usual_gaps(gaps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each of the N - 1 gaps the usual gap in its row, without those that are infinite."""
    if not len(gaps):
        return np.zeros(0)
    is_doubtful = (gaps > MIN_GAP) & (gaps <= MIN_GAP + MAX_USUAL_GAP)
    if not is_doubtful.any() and (gaps < -MIN_GAP / 2).mean() < FEW_NARROW:
        return np.zeros(len(gaps))  # no gap's verdict depends on it
    row_of_gap = rows[:-1]
    order = np.lexsort((gaps, row_of_gap))
    num_rows = rows[-1] + 1
    num = np.bincount(row_of_gap[np.isfinite(gaps)], minlength=num_rows)
    firsts = np.searchsorted(row_of_gap, np.arange(num_rows))
    chosen = np.minimum(firsts + (USUAL_GAP * num).astype(np.int64), len(gaps) - 1)
    usual = np.where(num > 0, gaps[order[chosen]], 0)
    result: np.ndarray = np.clip(usual, MIN_USUAL_GAP, MAX_USUAL_GAP)[row_of_gap]
    return result


def _join_spaced_out(ends: np.ndarray, gaps: np.ndarray, letters: Letters, rows: np.ndarray) -> None:
    """Clear `ends` inside the words of lines whose letters are spaced out (`A N N U A L   R E P O R T`)."""
    last = np.flatnonzero(ends)
    is_single = np.diff(last, prepend=-1) == 1
    row_of_word = rows[last]
    num_single = np.bincount(row_of_word, weights=is_single)
    for row in np.flatnonzero(
        (num_single >= MIN_SPACED_LETTERS) & (num_single >= SPACED_SHARE * np.bincount(row_of_word))
    ):
        first, stop = np.searchsorted(rows, [row, row + 1])
        between = gaps[first : stop - 1]
        usual = float(np.median(between))
        if usual <= 0:  # letters on top of each other
            continue
        is_wide = between > MIN_SPACED_WORD_GAP * usual
        text = "".join(map(chr, letters.codes[first:stop]))
        narrow = between[~is_wide]
        is_even = float(np.ptp(narrow)) < usual
        if is_even and _are_letters_of_words(text):
            ends[first : stop - 1] = is_wide


def _are_letters_of_words(text: str) -> bool:
    """Return True unless the letters are Chinese, numbers or an alphabet."""
    is_alphabet = all(a < b for a, b in pairwise(text))
    num_letters = sum(letter.isalpha() for letter in text)
    return not is_alphabet and num_letters >= SPACED_SHARE * len(text) and max(text) < "\u2e80"


def _read_from_the_right(
    letters: Letters, rows: np.ndarray, ends: np.ndarray, is_right_to_left: np.ndarray
) -> tuple[Letters, np.ndarray]:
    """Return the letters, right-to-left rows in the order of reading, and the ends of words."""
    order, ends, codes = np.arange(len(letters)), ends.copy(), letters.codes.copy()
    alphabetic = np.array([chr(code).isalpha() for code in codes])
    num_rows = rows[-1] + 1
    num_alphabetic = np.bincount(rows, alphabetic, num_rows)
    chosen = 2 * np.bincount(rows, is_right_to_left, num_rows) > num_alphabetic
    if 2 * is_right_to_left.sum() > alphabetic.sum():
        chosen |= num_alphabetic == 0  # a line of numbers on a page that is read from the right
    for row in np.flatnonzero(chosen):
        first, stop = np.searchsorted(rows, [row, row + 1])
        line = slice(first, stop)
        starts, stops, sizes = letters.frames[line, 0], letters.frames[line, 2], letters.sizes[line]
        clusters = clusters_of(codes[line], starts, stops, sizes)
        starts, stops = starts[clusters], stops[clusters]  # a mark is as wide as its letter
        gaps = np.zeros(len(starts), bool)
        np.logical_or.at(gaps, clusters, _gaps_on_the_right(starts, stops) > MIN_GAP * sizes)
        first_read, second_read = np.argsort(-(starts + stops), kind="stable")[[0, min(1, len(starts) - 1)]]
        gaps[second_read] |= codes[line][first_read] in _BULLETS
        in_order, ends[line], codes[line] = in_logical_order(codes[line], (starts + stops) / 2, clusters, gaps)
        order[line] = first + in_order
    return replace(letters, codes=codes).take(order), ends


def _gaps_on_the_right(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the (N,) distance from each letter of a line to the next one on its right; 0 for the last."""
    order = np.argsort(starts + stops, kind="stable")
    gaps = np.zeros(len(order))
    gaps[order[:-1]] = starts[order[1:]] - np.maximum.accumulate(stops[order[:-1]])
    return gaps
