"""Words broken at the ends of lines: how many compounds keep their hyphen, and how many broken words are joined.

    python -m benchmarks.hyphens --pdfs FOLDER… --texts FOLDER

Two sources of truth:
- PDFs: a broken word that the document spells in one way elsewhere, with the hyphen or without.
- Texts, `FOLDER/LANGUAGE/*.txt`: words with a hyphen are broken at it, others where pyphen's patterns break them.

Each word is decided three times: `page`, as the source does; `held out`, without the word's own spellings on the page,
as if the page had the word only once; `no list`, as the source does but without the word list. `--fit` fits the weights
of the score to half of the documents, prints what they decide on the other half, and then the weights for all.
"""

import argparse
import json
import random
import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pymupdf
import pyphen

from sources.text import hyphens
from sources.text.hyphens import Halves, Spelling, Vocabulary, bare, language_near, spelling_of
from sources.text.word_list import LANGUAGES, Frequencies, frequencies

PATTERNS = {"en": "en_US", "de": "de_DE", "nl": "nl_NL", "pl": "pl_PL", "pt": "pt_PT", "it": "it_IT"}
NO_WORDS = Frequencies(np.zeros(0, np.uint32), np.zeros(0, np.float16))
MODES = ("page", "held out", "no list")
PAGE_WORDS = 500
WORDS_PER_LINE = 10
BROKEN_SHARE = 0.1  # of the words of a text
COMPOUND_WEIGHT = {"german": 0.15}  # of all compounds, in the fit; all broken words have 1
DEFAULT_WEIGHT = 0.5
RIDGE = 1.0


@dataclass(frozen=True, kw_only=True)
class BrokenWord:
    """A word broken at the end of a line.

    Args:
        group: the language of a text, or the name of the folder of PDFs.
        document: name of the file.
        truth: how it is written.
        first, second: the halves, the first with its hyphen.
        page: words of its page, without the halves of broken words.
        language: the language that the source finds.
    """

    group: str
    document: str
    truth: Spelling
    first: str
    second: str
    page: Vocabulary
    language: str

    def halves(self) -> tuple[str, str]:
        return bare(self.first[:-1]).lower(), bare(self.second).lower()

    def is_made_of_letters(self) -> bool:
        return bare(self.first[:-1]).replace("-", "").isalpha() and bare(self.second).replace("-", "").isalpha()

    def held_out(self) -> Vocabulary:
        """Return the page without the word in either spelling."""
        first, second = self.halves()
        own = (first + second, f"{first}-{second}")
        return Vocabulary({word: count for word, count in self.page.words.items() if word.lower() not in own})

    def is_right(self, spelling: Spelling) -> bool:
        return spelling is self.truth or (self.truth is Spelling.HYPHENATED and spelling is Spelling.SEPARATE)


def words_of_texts(folder: Path) -> Iterator[BrokenWord]:
    for path in sorted(folder.glob("*/*.txt")):
        language = path.parent.name
        if pyphen.language_fallback(language) is None:
            raise SystemExit(f"pyphen has no patterns for {language!r}, the folder of {path}")
        patterns = pyphen.Pyphen(lang=PATTERNS.get(language, language), left=2, right=3 if language == "en" else 2)
        text = path.read_text(encoding="utf-8").split()
        chooser = random.Random(f"{language}/{path.name}")
        for start in range(0, len(text), PAGE_WORDS):
            page = text[start : start + PAGE_WORDS]
            yield from _words_of_page(page, language, f"{language}/{path.name}", patterns, chooser)


def _words_of_page(
    words: Sequence[str], language: str, document: str, patterns: pyphen.Pyphen, chooser: random.Random
) -> Iterator[BrokenWord]:
    lines = [words[k : k + WORDS_PER_LINE] for k in range(0, len(words), WORDS_PER_LINE)]
    counts = Counter(map(bare, words))
    seen: set[str] = set()
    for k, word in enumerate(words):
        core = bare(word)
        at_hyphens = [found.end() for found in re.finditer(r"(?<=[^\W\d_])-(?=[^\W\d_])", word)]
        if core.lower() in seen or not (at_hyphens or chooser.random() < BROKEN_SHARE):
            continue
        seen.add(core.lower())
        if at_hyphens:
            position = chooser.choice(at_hyphens)
            first, second, truth = word[:position], word[position:], Spelling.HYPHENATED
        else:
            positions = patterns.positions(core) if core.isalpha() else []
            if not positions:
                continue
            position = word.find(core) + chooser.choice(positions)
            first, second, truth = f"{word[:position]}-", word[position:], Spelling.JOINED
        page = Vocabulary(
            {known: count - (known == core) for known, count in counts.items() if count > (known == core)}
        )
        found = language_near(lines, k // WORDS_PER_LINE)
        yield BrokenWord(
            group=language, document=document, truth=truth, first=first, second=second, page=page, language=found
        )


def words_of_pdfs(folder: Path, max_pages: int, max_files: int, cost: Counter[str]) -> Iterator[BrokenWord]:
    """Yield the broken words of PDFs, and add to `cost` the pages, the broken words and the seconds to join them."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    paths = sorted(folder.rglob("*.pdf"), key=lambda path: zlib.crc32(path.name.encode()))
    seen: set[int] = set()
    for path in paths[:max_files]:
        try:
            with pymupdf.open(path) as document:
                pages = [_lines(document[k]) for k in range(min(len(document), max_pages))]
        except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):
            continue
        content = hash(str(pages[:2]))
        if content not in seen:  # the collections have copies of each other's files
            seen.add(content)
            for page in pages:
                _add_cost(page, cost)
            yield from _words_of_document(pages, folder.name, path.name)


def _add_cost(lines: Sequence[Sequence[str]], cost: Counter[str]) -> None:
    copy = [list(line) for line in lines]
    start = time.process_time()
    broken = [k for k, line in enumerate(copy[:-1]) if line[-1].endswith(hyphens.HYPHENS)]
    if broken:
        hyphens.join_broken_words(copy, broken)
    cost.update(pages=1, broken_words=len(broken), microseconds=round(1e6 * (time.process_time() - start)))


def _lines(page: pymupdf.Page) -> list[list[str]]:
    """Return the words of the page's lines, in the order of the content stream."""
    lines: dict[tuple[int, int], list[str]] = defaultdict(list)
    for *_, text, block, line, _ in page.get_text("words", flags=pymupdf.TEXT_MEDIABOX_CLIP):
        lines[block, line].append(text)
    return list(lines.values())


def _words_of_document(pages: Sequence[list[list[str]]], group: str, name: str) -> Iterator[BrokenWord]:
    all_broken = [[k for k, line in enumerate(page[:-1]) if line[-1].endswith(hyphens.HYPHENS)] for page in pages]
    kept = [Vocabulary.of(hyphens.unbroken(page, broken)) for page, broken in zip(pages, all_broken, strict=True)]
    spelled: Counter[str] = Counter()
    for vocabulary in kept:
        spelled.update(vocabulary.lower)
    for page, broken, vocabulary in zip(pages, all_broken, kept, strict=True):
        for k in broken:
            first, second = page[k][-1], page[k + 1][0]
            a, b = bare(first[:-1]).lower(), bare(second).lower()
            if not a or not b or not a[-1].isalpha() or not b[0].isalpha():
                continue
            joined, hyphenated = spelled[a + b], spelled[f"{a}-{b}"]
            if bool(joined) == bool(hyphenated):
                continue
            yield BrokenWord(
                group=group,
                document=name,
                truth=Spelling.JOINED if joined else Spelling.HYPHENATED,
                first=first,
                second=second,
                page=vocabulary,
                language=language_near(page, k),
            )


def figures(words: Sequence[BrokenWord], *, print_wrong: bool = False) -> dict[str, dict[str, float | int]]:
    """Return the share of right decisions for each group: `kept` of the compounds, `joined` of the broken words."""
    right: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for word in words:
        name = "joined" if word.truth is Spelling.JOINED else "kept"
        total[word.group, name] += 1
        held_out = word.held_out()
        for mode, page in zip(MODES, (word.page, held_out, word.page), strict=True):
            known = NO_WORDS if mode == "no list" else frequencies(word.language)
            with patch.object(hyphens, "frequencies", return_value=known):
                spelling = spelling_of(word.first, word.second, page, word.language)
            right[word.group, f"{name}, {mode}"] += word.is_right(spelling)
            if print_wrong and mode == "page" and not word.is_right(spelling):
                print(f"{word.group} {word.language} {name}: {word.first} {word.second} -> {spelling.name}")
    rows: dict[str, dict[str, float | int]] = defaultdict(dict)
    for (group, name), count in sorted(total.items()):
        rows[group][name] = count
        rows[group] |= {f"{name}, {mode}": round(right[group, f"{name}, {mode}"] / count, 4) for mode in MODES}
    return rows


def fit(words: Sequence[BrokenWord]) -> Mapping[str, tuple[float, ...]]:
    """Fit the weights of the score by ridge logistic regression, and print what they decide on documents not seen."""
    samples = defaultdict(list)
    for word in words:
        page, halves = word.held_out(), Halves(bare(word.first[:-1]), bare(word.second))
        if word.is_made_of_letters() and not halves.is_unbreakable() and not halves.by_form(page, word.language):
            row = halves.features(frequencies(word.language), page.parts)
            samples[LANGUAGES[word.language].compounds].append((row, word.truth, word.document))
    weights = {}
    for kind, rows in sorted(samples.items()):
        X = np.array([row for row, _, _ in rows], float)
        y = np.array([truth is Spelling.HYPHENATED for _, truth, _ in rows])
        half = np.array([zlib.crc32(document.encode()) % 2 == 0 for *_, document in rows])
        score = np.zeros(len(y))
        for train in (half, ~half):
            score[~train] = X[~train] @ _regression(X[train], y[train], kind)
        print(
            f"{kind}: kept {np.mean(score[y] > 0):.3f} of {y.sum()}, joined {np.mean(score[~y] <= 0):.3f} of {sum(~y)}"
        )
        weights[kind] = tuple(round(float(weight), 2) + 0.0 for weight in _regression(X, y, kind))
    return weights


def _regression(X: np.ndarray, y: np.ndarray, kind: str) -> np.ndarray:
    compound_weight = COMPOUND_WEIGHT.get(kind, DEFAULT_WEIGHT) * np.sum(~y) / max(1, np.sum(y))
    sample_weights = np.where(y, compound_weight, 1.0)
    weights = np.zeros(X.shape[1])
    for _ in range(50):  # Newton's method
        p = 1 / (1 + np.exp(-X @ weights))
        gradient = X.T @ (sample_weights * (p - y)) + RIDGE * weights
        hessian = (X.T * (sample_weights * p * (1 - p))) @ X + RIDGE * np.eye(X.shape[1])
        weights -= np.linalg.solve(hessian, gradient)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", type=Path, nargs="+", default=[], help="folders with PDFs")
    parser.add_argument("--texts", type=Path, help="folder with a folder of UTF-8 texts for each language")
    parser.add_argument("--max-pages", type=int, default=15, help="pages read of each PDF")
    parser.add_argument("--max-files", type=int, default=1000, help="PDFs read, of all in an arbitrary order")
    parser.add_argument("--fit", action="store_true", help="fit the weights anew and print them")
    parser.add_argument("--wrong", action="store_true", help="print the words that are decided wrongly")
    arguments = parser.parse_args()
    start = time.process_time()
    words = [*(words_of_texts(arguments.texts) if arguments.texts else ())]
    cost: Counter[str] = Counter()
    for language in LANGUAGES:
        frequencies(language)  # a process loads them once
    for folder in arguments.pdfs:
        words += words_of_pdfs(folder, arguments.max_pages, arguments.max_files, cost)
    if arguments.fit:
        for kind, weights in fit(words).items():
            print(f'    "{kind}": {weights},')
    rows = figures(words, print_wrong=arguments.wrong)
    for group, row in rows.items():
        print(group.ljust(5), "  ".join(f"{name} {value}" for name, value in row.items()))
    print(json.dumps({"seconds": round(time.process_time() - start, 1), "cost": cost, **rows}))


if __name__ == "__main__":
    main()
