"""A paper's markup aligned with its pages: the page of every word, formula and reference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.papers.blocks import Content, Formula, Hole, Picture, Stream
from sources.papers.formulas import printed_length
from sources.papers.matching import match
from sources.papers.words import Atom, Tokens, atoms_of, running_heads, tokens_of
from sources.text.words import LayoutWords

STREAMS: Sequence[Stream] = ("main", "figures", "tables", "notes")  # text first, floats and notes in what it leaves
FRONT_PAGES = 2  # pages on which parts of the title are
HOLE_CHARS = {"label": 4, "reference": 2, "citation": 6, "note": 1}  # usual letters and digits


@dataclass(slots=True)
class Placed:
    """A stream of the markup on the pages.

    Args:
        atoms: its words and objects.
        tokens: (N,) token of each matched atom; -1 for others.
        pages: (N,) page of each atom; -1 if it is on none.
    """

    atoms: Sequence[Atom]
    tokens: np.ndarray
    pages: np.ndarray


@dataclass(slots=True)
class Alignment:
    """A paper on its pages.

    Args:
        taken: (M,) True for tokens that the markup has.
        heads: for each page the mask of the words of running heads and feet.
    """

    content: Content
    words: Sequence[LayoutWords]
    heads: Sequence[np.ndarray]
    tokens: Tokens
    taken: np.ndarray
    streams: Sequence[Placed]


def align(content: Content, words: Sequence[LayoutWords]) -> Alignment:
    """Align a paper with the words of its pages, in the order in which they are drawn."""
    streams = {stream: atoms_of(content.blocks, stream) for stream in (*STREAMS, "front")}
    heads = running_heads(words)
    tokens = tokens_of(words, heads, {atom.key for atoms in streams.values() for atom in atoms})
    taken = np.zeros(len(tokens.keys), np.bool_)
    pages = np.array(tokens.pages, np.int64)
    lengths = np.array([len(key) for key in tokens.keys], np.int64)
    placed = [
        _front(content, streams["front"], tokens, taken, pages),
        *(_place(content, streams[stream], tokens, taken, pages, lengths, stream) for stream in STREAMS),
    ]
    return Alignment(content, words, heads, tokens, taken, [each for each in placed if len(each.atoms)])


def _front(content: Content, atoms: list[Atom], tokens: Tokens, taken: np.ndarray, pages: np.ndarray) -> Placed:
    """Place the parts of the title one by one: their order is the class's."""
    found = np.full(len(atoms), -1)
    on = np.full(len(atoms), -1)
    for block in dict.fromkeys(atom.block for atom in atoms):
        own = [k for k, atom in enumerate(atoms) if atom.block == block]
        free = np.flatnonzero(~taken & (pages < FRONT_PAGES))
        pairs = match([atoms[k].key or "\0" for k in own], [tokens.keys[j] for j in free.tolist()])
        num_words = sum(atoms[k].item < 0 for k in own)
        if 2 * len(pairs) < num_words:
            continue
        for i, j in pairs:
            found[own[i]] = free[j]
            taken[free[j]] = True
        page = int(np.bincount(pages[free[[j for _, j in pairs]]]).argmax()) if pairs else -1
        on[own] = page
    return Placed(atoms, found, on)


def _place(
    content: Content,
    atoms: list[Atom],
    tokens: Tokens,
    taken: np.ndarray,
    pages: np.ndarray,
    lengths: np.ndarray,
    stream: Stream,
) -> Placed:
    free = np.flatnonzero(~taken)
    words = [k for k, atom in enumerate(atoms) if atom.item < 0]
    parts = [atoms[k].block for k in words]
    pairs = match([atoms[k].key for k in words], [tokens.keys[j] for j in free.tolist()], parts)
    found = np.full(len(atoms), -1)
    for i, j in pairs:
        found[words[i]] = free[j]
    if stream != "main":
        _keep_together(content, atoms, found, pages)
    taken[found[found >= 0]] = True
    return Placed(atoms, found, _pages(content, atoms, found, taken, pages, lengths))


def _keep_together(content: Content, atoms: Sequence[Atom], found: np.ndarray, pages: np.ndarray) -> None:
    """A float or a note is on one page: words that were found on others are not its words."""
    groups: dict[tuple[int, int], list[int]] = {}
    for k, atom in enumerate(atoms):
        block = content.blocks[atom.block]
        groups.setdefault((block.group, -1 if block.group else atom.block), []).append(k)
    for members in groups.values():
        of_words = [k for k in members if found[k] >= 0]
        if of_words:
            page = np.bincount(pages[found[of_words]]).argmax()
            for k in of_words:
                if pages[found[k]] != page:
                    found[k] = -1


def _pages(
    content: Content,
    atoms: Sequence[Atom],
    found: np.ndarray,
    taken: np.ndarray,
    pages: np.ndarray,
    lengths: np.ndarray,
) -> np.ndarray:
    """Return the page of every atom; what is between two pages goes where the page has room for it."""
    on = np.full(len(atoms), -1)
    matched = np.flatnonzero(found >= 0)
    if not len(matched):
        return on
    on[matched] = pages[found[matched]]
    on[: matched[0]] = on[matched[0]]
    on[matched[-1] :] = on[matched[-1]]
    for left, right in zip(matched[:-1].tolist(), matched[1:].tolist(), strict=True):
        if right == left + 1:
            continue
        if on[left] == on[right]:
            on[left + 1 : right] = on[left]
            continue
        between = np.array([expected_length(content, atom) for atom in atoms[left + 1 : right]])
        span = np.arange(found[left] + 1, found[right])
        span = span[~taken[span]] if len(span) else span
        num_left = int(lengths[span[pages[span] == on[left]]].sum()) if len(span) else 0
        total = np.concatenate([[0], np.cumsum(between)])
        split = int(np.argmin(np.abs(total - num_left)))
        if num_left == 0:
            split = 0
        while split < len(between) and between[split] == 0 and _ends_block(atoms, left, left + 1 + split, right):
            split += 1
        on[left + 1 : left + 1 + split] = on[left]
        on[left + 1 + split : right] = on[right]
    for k in range(len(atoms) - 2, -1, -1):  # a label is with its text
        if atoms[k].block == atoms[k + 1].block and _is_label(content, atoms[k]):
            on[k] = on[k + 1]
    return on


def _ends_block(atoms: Sequence[Atom], left: int, k: int, right: int) -> bool:
    """Return True for an atom of the block that ends before a page does."""
    return atoms[k].block == atoms[left].block != atoms[right].block


def _is_label(content: Content, atom: Atom) -> bool:
    item = content.objects[atom.item] if atom.item >= 0 else None
    return isinstance(item, Hole) and item.kind == "label"


def expected_length(content: Content, atom: Atom) -> int:
    """Return about how many letters and digits of a page an atom fills."""
    if atom.item < 0:
        return len(atom.key)
    item = content.objects[atom.item]
    if isinstance(item, Formula):
        return printed_length(item.tex) + item.num_numbers
    if isinstance(item, Hole):
        return HOLE_CHARS[item.kind]
    return 0


def has_picture(content: Content, atom: Atom) -> bool:
    """Return True if the atom is a picture."""
    return atom.item >= 0 and isinstance(content.objects[atom.item], Picture)
