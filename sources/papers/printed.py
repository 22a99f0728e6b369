"""Text that only the pages have: numbers, labels and citations as printed; and how well markup and pages agree."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sources.papers.alignment import Alignment, Placed, expected_length, has_picture
from sources.papers.blocks import Formula, Hole
from sources.text.gaps import BULLETS

MAX_GAP_CHARS, MAX_VARIABLE = 300, 4  # of a place in which references are looked for: text, and unknown parts
OPTIONAL = "\0"  # in a pattern under construction, after a sign that the page may not have
ROOM = {"label": 14, "reference": 16, "citation": 60, "note": 3}  # letters and digits at most
_PATTERNS = {
    "label": r"([^\W\d_]+\.?\s*(?:[A-Z]\.?)?\d+(?:\.\d+)*[.:]?|[^\W\d_]{4,}[.:]|\(?\w{1,4}[.)])",
    "reference": r"((?:[A-Z]\.?)?\d+(?:[.–-]\d+)*[a-z]?|\([A-Z\d.]+[a-z]?\)|[IVXLC]+(?:[.-][A-Z\d]+)*|.{1,30}?)",
    "citation": r"(\[[^\[\]]*\]|\([^()]*(?:\([^()]*\)[^()]*)*\)|\d[\d,\s–-]*|.{1,120}?)",
    "note": r"(\S{1,3}?)",
}
_LABEL_ABOVE = re.compile(
    r"(?:[^\W\d_]{3,}\.?\s+)?(?:[A-Z]|\d{1,3}|[IVXLC]+)(?:\.\d+)*[.:]?"
    r"|[^\W\d_]{4,}\s+(?:one|two|three|four|five|six|seven|eight|nine|ten)|第\s*\S{1,3}\s*[章节節篇部]",
    re.IGNORECASE,
)
MAX_MARK = 3  # characters of the mark of a footnote
_EQUATION_NUMBER = re.compile(r"\((?:[A-Z]{1,3}[.-]?|S)?\d[\d.]*(?:[-–]\d+)*[a-z]?[′']?\)")
_SIGNS = re.compile(r"[^,;:.()\[\]]")
_BULLETS = frozenset((*BULLETS, "–", "-", "*", "∗", "·", "⋅", "∙"))  # those of itemize at its four levels too
_MARKS = re.compile("[\ue000-\ue0ff]")


@dataclass(slots=True)
class Printed:
    """The findings of the pages about a paper's markup.

    Args:
        values: printed text of a hole by the number of the object.
        numbers: numbers next to a formula by the number of the object.
        absent: (stream, atom) of words that are on no page for sure.
        explained: (M,) True for tokens that belong to formulas, references and pictures of the markup.
        missing: for each page, letters and digits of the markup that it does not show.
        open: for each page, the references of which it could not be told what is printed for them.
    """

    values: dict[int, str] = field(default_factory=dict)
    numbers: dict[int, list[str]] = field(default_factory=dict)
    absent: set[tuple[int, int]] = field(default_factory=set)
    explained: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))
    missing: dict[int, float] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)

    def fit(self, page: int, alignment: Alignment) -> float:
        """Return the share of a page and its markup that agree, 0 to 1, by letters and digits."""
        pages = np.array(alignment.tokens.pages, np.int64)
        on = np.flatnonzero(pages == page).tolist()
        total = sum(len(alignment.tokens.keys[j]) for j in on)
        agreed = sum(len(alignment.tokens.keys[j]) for j in on if alignment.taken[j] or self.explained[j])
        whole = total + self.missing.get(page, 0.0)
        return agreed / whole if whole else 0.0


def read_printed(alignment: Alignment) -> Printed:
    """Return what the pages say."""
    printed = Printed(explained=np.zeros(len(alignment.taken), np.bool_))
    gaps = _Gaps(alignment)
    for number, placed in enumerate(alignment.streams):
        for left, right in _runs(placed):
            for page in dict.fromkeys(placed.pages[left + 1 : right].tolist()):
                if page >= 0:
                    members = [k for k in range(left + 1, right) if placed.pages[k] == page]
                    gaps.read(printed, number, placed, members, left, right, page)
    return printed


def _runs(placed: Placed) -> Iterator[tuple[int, int]]:
    """Yield the matched atoms before and after each run of unmatched ones; -1 and N at the ends."""
    matched = [-1, *np.flatnonzero(placed.tokens >= 0).tolist(), len(placed.atoms)]
    for left, right in itertools.pairwise(matched):
        if right > left + 1:
            yield left, right


class _Gaps:
    """Reads what pages have between matched words."""

    def __init__(self, alignment: Alignment):
        self._alignment = alignment
        tokens = alignment.tokens
        self._taken: list[set[int]] = [set() for _ in alignment.words]
        for j in np.flatnonzero(alignment.taken).tolist():
            self._taken[tokens.pages[j]].add(tokens.words[j])
            if j in tokens.tails:
                page, word, _ = tokens.tails[j]
                self._taken[page].add(word)
        self._first = np.searchsorted(np.array(tokens.pages), np.arange(len(alignment.words) + 1))

    def read(
        self, printed: Printed, stream: int, placed: Placed, members: Sequence[int], left: int, right: int, page: int
    ) -> None:
        content = self._alignment.content
        before = int(placed.tokens[left]) if left >= 0 and placed.pages[left] == page else -1
        after = int(placed.tokens[right]) if right < len(placed.atoms) and placed.pages[right] == page else -1
        free = self._free(before, after, page)
        room = available = 0.0
        atoms = [placed.atoms[k] for k in members]
        has_pictures = any(has_picture(content, atom) for atom in atoms)
        words = [k for k in members if placed.atoms[k].item < 0]
        for atom in atoms:
            if atom.item >= 0:
                item = content.objects[atom.item]
                expected = expected_length(content, atom)
                room += (
                    ROOM[item.kind]
                    if isinstance(item, Hole)
                    else 1.7 * expected + 4
                    if isinstance(item, Formula)
                    else 0
                )
        for j in free:
            length = len(self._alignment.tokens.keys[j])
            if has_pictures or available + length <= room:
                printed.explained[j] = True
            available += length
        formulas = sum(
            expected_length(content, atom)
            for atom in atoms
            if atom.item >= 0 and isinstance(content.objects[atom.item], Formula)
        )
        lost = sum(len(placed.atoms[k].key) for k in words) + max(0.0, 0.4 * formulas - available)
        if lost:
            printed.missing[page] = printed.missing.get(page, 0.0) + lost
        if words and not free and before >= 0 and after >= 0:
            printed.absent |= {(stream, k) for k in words}
        self._fill(printed, placed, members, before, after, page)

    def _free(self, before: int, after: int, page: int) -> list[int]:
        """The tokens between two matched ones that no word of the markup has."""
        taken = self._alignment.taken
        start, end = int(self._first[page]), int(self._first[page + 1])
        found = []
        if before >= 0:
            j = before + 1
            while j < end and not taken[j]:
                found.append(j)
                j += 1
        if after >= 0 and not (found and found[-1] >= after - 1):
            j = after - 1
            back = []
            while j >= start and not taken[j]:
                back.append(j)
                j -= 1
            found += back[::-1]
        return found

    def _pieces(self, before: int, after: int, page: int) -> list[tuple[int, str]]:
        """The words between two tokens, which no words of the markup have, with their numbers on the page."""
        tokens, words = self._alignment.tokens, self._alignment.words[page]
        last = len(words.texts)
        first_word, first_end, last_word, last_start = -1, 0, last, 0
        if before >= 0:
            first_word, first_end = tokens.words[before], tokens.ends[before]
            if before in tokens.tails and tokens.tails[before][0] == page:
                _, first_word, first_end = tokens.tails[before]
        if after >= 0:
            last_word, last_start = tokens.words[after], tokens.starts[after]
        if first_word == last_word:
            return [(first_word, words.texts[first_word][first_end:last_start])]
        heads, taken = self._alignment.heads[page], self._taken[page]
        found = [(first_word, words.texts[first_word][first_end:])] if first_word >= 0 else []
        found += [(k, words.texts[k]) for k in range(first_word + 1, last_word) if not heads[k] and k not in taken]
        if last_word < last:
            found.append((last_word, words.texts[last_word][:last_start]))
        return [(k, text) for k, text in found if text]

    def _fill(
        self, printed: Printed, placed: Placed, members: Sequence[int], before: int, after: int, page: int
    ) -> None:
        content, following = self._alignment.content, members[-1] + 1
        holes = [k for k in members if placed.atoms[k].item >= 0]
        wanted = [k for k in holes if isinstance(content.objects[placed.atoms[k].item], Hole)]
        numbered = [k for k in holes if _num_numbers(content.objects[placed.atoms[k].item])]
        if not wanted and not numbered:
            return
        pieces = self._pieces(before, after, page) if before >= 0 or after >= 0 else []
        labels = [k for k in wanted if _kind(content.objects[placed.atoms[k].item]) == "label"]
        if labels and labels[-1] == wanted[-1] and after >= 0 and _goes_on(placed, labels[-1]):
            pieces = self._label(printed, placed, labels[-1], pieces, before, after, page)
            members = [k for k in members if k < labels[-1]]
            wanted.remove(labels[-1])
        for k in numbered:
            pieces = _take_numbers(printed, placed.atoms[k].item, content.objects[placed.atoms[k].item], pieces)
        if after >= 0 and pieces and pieces[-1][1] in _BULLETS and self._begins_item(placed, following):
            pieces = pieces[:-1]  # TeX prints it, the markup does not have it
        if wanted:
            text = _joined(pieces).strip()
            self._by_pattern(printed, placed, members, text, page)

    def _begins_item(self, placed: Placed, k: int) -> bool:
        atoms = placed.atoms
        is_first = k < len(atoms) and (k == 0 or atoms[k - 1].block != atoms[k].block)
        return is_first and self._alignment.content.blocks[atoms[k].block].kind == "item"

    def _label(
        self,
        printed: Printed,
        placed: Placed,
        k: int,
        pieces: list[tuple[int, str]],
        before: int,
        after: int,
        page: int,
    ) -> list[tuple[int, str]]:
        """Take the words before a text on its line as its label."""
        words, tokens = self._alignment.words[page], self._alignment.tokens
        box = words.boxes[tokens.words[after]]
        middle = (box[1] + box[3]) / 2
        rest_of = tokens.words[before] if before >= 0 else -1  # punctuation of the text before
        on_line = [
            (number, text)
            for number, text in pieces
            if number != rest_of
            and words.boxes[number][1] < middle < words.boxes[number][3]
            and words.boxes[number][0] <= box[0]
        ]
        block = self._alignment.content.blocks[placed.atoms[k].block]
        if block.kind == "note":  # its mark is smaller and higher than its text
            on_line = [piece for piece in pieces[-1:] if len(piece[1]) <= MAX_MARK]
        elif block.kind == "heading" and not _has_letters(on_line) and len(_joined(pieces[-4:])) < 30:
            on_line = _above(pieces)
        value = _joined(on_line).strip()
        between = block.text[placed.atoms[k].end : placed.atoms[k + 1].start] if k + 1 < len(placed.atoms) else ""
        value = value.removesuffix(_MARKS.sub("", between).strip()) if between.strip() else value
        if block.kind == "heading" and not _has_letters(on_line):
            on_line = []
        elif 0 < len(value) <= 60:
            printed.values[placed.atoms[k].item] = value.strip()
        chosen = {number for number, _ in on_line}
        return [(number, text) for number, text in pieces if number not in chosen]

    def _by_pattern(self, printed: Printed, placed: Placed, members: Sequence[int], text: str, page: int) -> None:
        """Find out which part of a text is printed for which reference."""
        content = self._alignment.content
        wanted: list[int] = []
        num_variable = 0
        parts: list[str] = []
        first = members[0]
        parts.append(self._literal(placed, first - 1, first))
        for k in members:
            atom = placed.atoms[k]
            if atom.item < 0:
                parts.append(rf".{{0,{len(atom.key) + 2}}}?")
                num_variable += 1
            else:
                item = content.objects[atom.item]
                if isinstance(item, Hole):
                    parts.append(_PATTERNS[item.kind])
                    wanted.append(atom.item)
                    num_variable += 1
                elif isinstance(item, Formula):
                    parts.append(rf".{{1,{6 * expected_length(content, atom) + 30}}}?")
                    num_variable += 1
            parts.append(self._literal(placed, k, k + 1))
        if num_variable <= MAX_VARIABLE and len(text) <= MAX_GAP_CHARS:
            # Punctuation as the markup has it, else as the page may have it.
            exact = (part.replace(OPTIONAL, "") for part in parts)
            found = re.fullmatch(r"\s*" + r"\s*".join(exact) + r"\s*", text) or re.fullmatch(
                r"\s*" + r"\s*".join(part.replace(OPTIONAL, "?") for part in parts) + r"\s*", text
            )
            if found:
                printed.values |= dict(zip(wanted, (group.strip() for group in found.groups()), strict=True))
                return
        printed.open[page] = printed.open.get(page, 0) + len(wanted)

    def _literal(self, placed: Placed, k: int, after: int) -> str:
        """A pattern of the punctuation between two atoms, or at the end of a block and the beginning of the next."""
        blocks, atoms = self._alignment.content.blocks, placed.atoms
        if k >= 0 and after < len(atoms) and atoms[k].block == atoms[after].block:
            text = blocks[atoms[k].block].text[atoms[k].end : atoms[after].start]
        else:
            text = blocks[atoms[k].block].text[atoms[k].end :] if k >= 0 else ""
            text += blocks[atoms[after].block].text[: atoms[after].start] if after < len(atoms) else ""
        signs = [sign for sign in _MARKS.sub("", text) if not sign.isspace()]
        return r"\s*".join(f"{re.escape(sign)}{OPTIONAL}" if not _SIGNS.match(sign) else ".?" for sign in signs)


def _goes_on(placed: Placed, k: int) -> bool:
    """Return True if a word follows an atom in its block."""
    after = k + 1
    return after < len(placed.atoms) and placed.atoms[after].block == placed.atoms[k].block


def _joined(pieces: Sequence[tuple[int, str]]) -> str:
    return " ".join(text for _, text in pieces)


def _has_letters(pieces: Sequence[tuple[int, str]]) -> bool:
    return any(map(str.isalnum, _joined(pieces)))


def _above(pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the last words that may be a label above a title, as `Chapter 1`."""
    return next((pieces[-k:] for k in (4, 3, 2, 1) if _LABEL_ABOVE.fullmatch(_joined(pieces[-k:]))), [])


def _kind(item: object) -> str:
    return item.kind if isinstance(item, Hole) else ""


def _num_numbers(item: object) -> int:
    return item.num_numbers if isinstance(item, Formula) else 0


def _take_numbers(printed: Printed, number: int, item: object, pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Take equation numbers out of the words next to a formula."""
    found = [k for k, (_, text) in enumerate(pieces) if _EQUATION_NUMBER.fullmatch(text.rstrip(",."))]
    wanted = _num_numbers(item)
    if len(found) < wanted:
        return pieces
    chosen = found[:wanted]
    printed.numbers[number] = [pieces[k][1].rstrip(",.")[1:-1] for k in chosen]
    return [piece for k, piece in enumerate(pieces) if k not in chosen]
