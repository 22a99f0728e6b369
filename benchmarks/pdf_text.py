"""How our text of PDF pages agrees with poppler's and pdfium's, and where it is read, joined or spaced wrongly.

    python -m benchmarks.pdf_text --corpus FOLDER [FOLDER …] [--pages 1500] [--half first] [--worst 10]

Pages are drawn by the digest of their file, at most `--per-file` of a file, the same ones in every run; `--half` takes
only the files whose digest is in the first or the second half. Measured are

- letters: 2 × characters in common / all characters, without white space and hyphens, whatever their order (`letters`)
  and in order (`sequence`);
- order: a line is a piece of a row without a wide gap; the share of the peer's pairs of consecutive lines that are
  consecutive in ours, too; `order of both` is the share of the pairs that poppler and pdfium agree on;
- rows read across: of the rows of two neighbouring columns of prose, those whose left line is next to the right line in
  the order. Columns are found by `pdf_columns.py` from the boxes of poppler's words, not from anybody's order;
- hyphens: words broken at a line's end that the document spells in one way elsewhere, with a hyphen or without;
- spaces: gaps between characters that the two other engines agree on;
- unseen words: words of ours whose box in the picture has one grey level (up to a bound).

The last line is JSON.
"""

import argparse
import hashlib
import json
import multiprocessing
import re
import subprocess
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pypdfium2
from rapidfuzz.distance import Indel

from benchmarks.pdf_columns import Segments, columns_of_prose, rows_of_columns, segments_of
from benchmarks.pdf_engines import MAX_VOCABULARY_PAGES, PageText, our_page, pdfium_page, poppler_page, poppler_words
from sources.base.source import InputError, ItemError
from sources.pdfs.source import Pdfs

ENGINES = ("ours", "poppler", "pdfium")
PAIRS = (("ours", "poppler"), ("ours", "pdfium"), ("poppler", "pdfium"))
FILE_TIMEOUT_S = 120
MAX_PAGES_OF_FILE = 5000  # a damaged file may claim any number
UNSEEN_CONTRAST = 12  # grey levels between the darkest and the lightest pixel of a word's box
MANY_UNSEEN = 0.2  # of a page's words
MAX_LETTERS = 30_000  # of a page; the comparison takes their product
HYPHENS = "-\u00ad\u2010\u0002\ufffe"  # pdfium writes the last two for a hyphen at a line's end
BROKEN = re.compile(r"[^\W\d_].*[^\W\d_][-\u2010\u00ad]")  # the first half of a word that is broken at a line's end
PUNCTUATION = ".,;:!?()[]“”‘’\"'"


@dataclass(kw_only=True)
class Tally:
    """Counts over pages, and the pages where most of each count was found."""

    counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    sums: dict[str, list[float]] = field(default_factory=dict)
    pages: dict[str, list[tuple[float, str]]] = field(default_factory=dict)

    def add(self, page: str, measured: Mapping[str, float]) -> None:
        for name, value in measured.items():
            if name.startswith("mean "):
                self.sums.setdefault(name[5:], []).append(value)
            else:
                self.counts[name] += value
                if value:
                    self.pages.setdefault(name, []).append((value, page))

    def share(self, part: str, whole: str) -> float:
        return self.counts[part] / self.counts[whole] if self.counts[whole] else float("nan")

    def mean(self, name: str) -> float:
        return float(np.mean(self.sums[name])) if name in self.sums else float("nan")


def sampled(folders: Sequence[Path], num_pages: int, per_file: int, half: str) -> dict[Path, list[int]]:
    """Return the pages of each file to measure. The same content is measured once, under any name."""
    found: dict[str, tuple[Path, int]] = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*.pdf") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if half == "both" or (digest[0] < "8") == (half == "first"):
            found.setdefault(digest, (path, 0))
    drawn: list[tuple[str, Path, int]] = []
    for digest, (path, _) in found.items():
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        keys = sorted(
            (hashlib.sha256(f"{digest}/{k}".encode()).hexdigest(), k) for k in range(min(len(document), 5000))
        )
        drawn += [(key, path, k) for key, k in keys[:per_file]]
        document.close()
    pages: dict[Path, list[int]] = {}
    for _, path, k in sorted(drawn)[:num_pages]:
        pages.setdefault(path, []).append(k)
    return {path: sorted(pages[path]) for path in sorted(pages)}


def measured_pages(path: Path, items: Sequence[int]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the measurements of each page of a file."""
    vocabulary = _vocabulary(path)
    document = pypdfium2.PdfDocument(path)
    try:
        with Pdfs().open(path) as pages:
            for item in items:
                try:
                    ours, picture = our_page(pages[item])
                except ItemError as error:
                    yield item, {f"failed {error.cause}": 1}
                    continue
                try:
                    poppler, size = poppler_page(path, item)
                    texts = {"ours": ours, "poppler": poppler, "pdfium": pdfium_page(document, item)}
                except (subprocess.SubprocessError, pypdfium2.PdfiumError) as error:
                    yield item, {f"failed peer {type(error).__name__}": 1}
                    continue
                yield item, {"pages": 1, **_of_page(texts, size, vocabulary), **_unseen(ours, picture)}
    except InputError as error:
        yield -1, {f"failed {error.cause}": 1}


def _of_page(texts: Mapping[str, PageText], size: tuple[float, float], vocabulary: Counter[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    if not any(page.words for page in texts.values()):
        return found
    found["pages with text"] = 1
    letters = {name: _letters(page.text) for name, page in texts.items()}
    if max(len(text) for text, _ in letters.values()) <= MAX_LETTERS:
        for a, b in PAIRS:
            found |= _agreement(f"{a}~{b}", letters[a][0], letters[b][0])
        found |= _spaces(letters)
    scale = [*size, *size]
    segments = segments_of(texts["poppler"].boxes * scale) if texts["poppler"].words else None
    if segments is not None:
        found |= _order(texts, segments, scale)
    return found | _hyphens(texts, vocabulary)


def _letters(text: str) -> tuple[str, np.ndarray]:
    """Return the characters without white space and hyphens, and (N,) what follows each.

    It is 1 for white space, 0 for a character, and -1 for a hyphen, after which engines do not agree.
    """
    letters: list[str] = []
    gaps: list[int] = []
    for letter in unicodedata.normalize("NFKC", text):
        if letter in HYPHENS:
            if gaps:
                gaps[-1] = -1
        elif letter.isspace():
            if gaps and gaps[-1] == 0:
                gaps[-1] = 1
        else:
            letters.append(letter)
            gaps.append(0)
    return "".join(letters), np.array(gaps, np.int64)


def _agreement(name: str, a: str, b: str) -> dict[str, float]:
    if not a and not b:
        return {}
    common = sum((Counter(a) & Counter(b)).values())
    return {
        f"mean letters {name}": 2 * common / (len(a) + len(b)),
        f"mean sequence {name}": Indel.normalized_similarity(a, b),
    }


def _spaces(letters: Mapping[str, tuple[str, np.ndarray]]) -> dict[str, float]:
    """Count the gaps that one engine has and the two others have not, or the other way round."""
    ours, gaps = letters["ours"]
    by_engine = {"ours": gaps}
    for name in ENGINES[1:]:
        text, theirs = letters[name]
        by_engine[name] = np.full(len(ours), -1)
        for block in Indel.opcodes(ours, text):
            if block.tag == "equal":
                by_engine[name][block.src_start : block.src_end - 1] = theirs[block.dest_start : block.dest_end - 1]
    found: dict[str, float] = {}
    for name, own in by_engine.items():
        one, other = (by_engine[each] for each in ENGINES if each != name)
        known = (one == other) & (one >= 0) & (own >= 0)
        found[f"gaps {name}"] = int((known & (one == 1)).sum())
        found[f"missing spaces {name}"] = int((known & (one == 1) & (own == 0)).sum())
        found[f"extra spaces {name}"] = int((known & (one == 0) & (own == 1)).sum())
    return found


def _order(texts: Mapping[str, PageText], segments: Segments, scale: Sequence[float]) -> dict[str, float]:
    steps = {}
    for name, page in texts.items():
        sequence = _segment_of(page.boxes * scale, segments.boxes)
        sequence = sequence[sequence >= 0]
        sequence = sequence[np.append(True, sequence[1:] != sequence[:-1])] if len(sequence) else sequence
        steps[name] = set(zip(sequence[:-1].tolist(), sequence[1:].tolist(), strict=True))
    found: dict[str, float] = {}
    for a, b in PAIRS:
        found |= {f"pairs {a}~{b}": len(steps[b]), f"kept {a}~{b}": len(steps[a] & steps[b])}
    both = steps["poppler"] & steps["pdfium"]
    found |= {"pairs of both peers": len(both), "kept of both peers": len(both & steps["ours"])}
    columns = columns_of_prose(segments, texts["poppler"].words)
    rows = rows_of_columns(segments, columns)
    if rows:
        found |= {"rows": len(rows), "pages with columns": 1}
        for name in ENGINES:
            found[f"across {name}"] = sum((a, b) in steps[name] or (b, a) in steps[name] for a, b in rows)
    return found


def _segment_of(boxes: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Return the (N,) segment that holds the middle of each box, the nearest in height; -1 if there is none."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    middle = (segments[:, 1] + segments[:, 3]) / 2
    found = np.full(len(boxes), -1)
    for k in range(len(boxes)):
        inside = np.flatnonzero(
            (segments[:, 0] <= x[k]) & (segments[:, 2] >= x[k]) & (segments[:, 1] <= y[k]) & (segments[:, 3] >= y[k])
        )
        if len(inside):
            found[k] = inside[np.argmin(abs(middle[inside] - y[k]))]
    return found


def _vocabulary(path: Path) -> Counter[str]:
    """Return how often the document spells each word inside its lines; nothing if poppler cannot read it."""
    try:
        words, _, lines, _ = poppler_words(path, 1, MAX_VOCABULARY_PAGES)
    except subprocess.SubprocessError:
        return Counter()
    if not words:
        return Counter()
    inside = np.append(False, lines[1:] == lines[:-1]) & np.append(lines[1:] == lines[:-1], False)
    return Counter(word.strip(PUNCTUATION).lower() for word, is_inside in zip(words, inside, strict=True) if is_inside)


def _hyphens(texts: Mapping[str, PageText], vocabulary: Counter[str]) -> dict[str, float]:
    """Count the broken words that the document spells in one way, and how each engine writes them."""
    found: Counter[str] = Counter()
    words, lines = texts["poppler"].words, texts["poppler"].lines
    for k in np.flatnonzero(lines[1:] != lines[:-1]):
        first, second = words[k], words[k + 1].strip(PUNCTUATION)
        if (
            not re.fullmatch(r"[^\W\d_].*[^\W\d_][-\u2010\u00ad]", first.lstrip(PUNCTUATION))
            or not second[:1].islower()
        ):
            continue
        first = first.lstrip(PUNCTUATION)[:-1]
        kept = vocabulary[f"{first}-{second}".lower()]
        joined = vocabulary[f"{first}{second}".lower()]
        if bool(kept) == bool(joined):
            continue
        truth = "kept" if kept else "joined"
        found[f"hyphens {truth}"] += 1
        before = re.escape(words[k - 1]) + r"\s+" if k and lines[k - 1] == lines[k] else r"(?<!\w)"
        pattern = re.compile(rf"{before}\W*{re.escape(first)}([\W\x02\ufffe]{{0,4}}?){re.escape(second)}(?!\w)")
        for name, page in texts.items():
            match = pattern.search(page.text)
            if match is None:
                found[f"hyphens not found {name}"] += 1
            elif (match[1] == "") == (truth == "joined") and not re.search(r"\s", match[1]):
                found[f"hyphens {truth} {name}"] += 1
    return dict(found)


def _unseen(ours: PageText, picture: np.ndarray) -> dict[str, float]:
    height, width = picture.shape
    boxes = ours.boxes * [width, height, width, height]
    unseen = 0
    for x0, y0, x1, y1 in boxes:
        inside = picture[int(y0) : max(int(y0) + 1, int(np.ceil(y1))), int(x0) : max(int(x0) + 1, int(np.ceil(x1)))]
        unseen += bool(np.ptp(inside) < UNSEEN_CONTRAST) if inside.size else 1
    many = len(boxes) > 0 and unseen >= MANY_UNSEEN * len(boxes)
    return {"words": len(boxes), "unseen words": unseen, "pages with many unseen words": int(many)}


def _serve(pipe: Connection) -> None:
    """Measure the files that arrive; a file that hangs or crashes a library ends only this process."""
    while True:
        path, items = pipe.recv()
        try:
            for item, measured in measured_pages(path, items):
                pipe.send((item, measured))
        except Exception as error:  # every library has its own; the table says how many there were
            pipe.send((-1, {f"failed peer {type(error).__name__}": 1}))
        pipe.send(None)


def measure(pages: Mapping[Path, Sequence[int]]) -> Tally:
    """Measure pages in a child process, which is replaced when it hangs or dies."""
    tally, context = Tally(), multiprocessing.get_context("spawn")
    child = None
    for number, (path, items) in enumerate(pages.items()):
        if child is None:
            pipe, end = context.Pipe()
            child = context.Process(target=_serve, args=(end,), daemon=True)
            child.start()
            end.close()
        pipe.send((path, list(items)))
        try:
            while pipe.poll(FILE_TIMEOUT_S):
                received = pipe.recv()
                if received is None:
                    break
                tally.add(f"{path}#{received[0] + 1}", received[1])
            else:
                raise TimeoutError
        except (EOFError, ConnectionError, TimeoutError) as error:
            tally.add(f"{path}#0", {f"failed {type(error).__name__}": 1})
            child.kill()
            child = None
        if number % 100 == 99:
            print(f"  {number + 1} of {len(pages)} files", flush=True)
    return tally


def figures(tally: Tally) -> dict[str, dict[str, float]]:
    """Return the rows of the table: a figure of each engine or pair of engines."""
    rows: dict[str, dict[str, float]] = {}
    pairs = [f"{a}~{b}" for a, b in PAIRS]
    for name in ("letters", "sequence"):
        rows[name] = {pair: tally.mean(f"{name} {pair}") for pair in pairs}
    rows["order"] = {pair: tally.share(f"kept {pair}", f"pairs {pair}") for pair in pairs}
    rows["order of both"] = {"ours": tally.share("kept of both peers", "pairs of both peers")}
    rows["rows read across"] = {name: tally.share(f"across {name}", "rows") for name in ENGINES}
    for truth in ("kept", "joined"):
        rows[f"hyphens {truth}"] = {
            name: tally.share(f"hyphens {truth} {name}", f"hyphens {truth}") for name in ENGINES
        }
    for kind in ("missing", "extra"):
        rows[f"{kind} spaces"] = {name: tally.share(f"{kind} spaces {name}", f"gaps {name}") for name in ENGINES}
    rows["unseen words"] = {"ours": tally.share("unseen words", "words")}
    return rows


def print_table(tally: Tally) -> None:
    counts = tally.counts
    names = ("pages", "pages with text", "pages with columns", "rows", "hyphens kept", "hyphens joined", "words")
    print(", ".join(f"{counts[name]:,.0f} {name}" for name in (*names, "pages with many unseen words")))
    print("failed:", {name: int(value) for name, value in sorted(counts.items()) if name.startswith("failed")})
    columns = (*ENGINES, *(f"{a}~{b}" for a, b in PAIRS))
    print(f"{'':18}" + "".join(f"{name:>16}" for name in columns))
    for name, row in figures(tally).items():
        print(f"{name:18}" + "".join(f"{row[column]:16.5f}" if column in row else " " * 16 for column in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders with PDFs")
    parser.add_argument("--pages", type=int, default=1500)
    parser.add_argument("--per-file", type=int, default=8, help="pages of one file at most")
    parser.add_argument("--half", choices=("both", "first", "second"), default="both")
    parser.add_argument("--worst", type=int, default=0, help="pages to list for each count")
    args = parser.parse_args()
    for folder in args.corpus:
        if not folder.is_dir():
            raise SystemExit(f"--corpus {folder}: no such folder")
    pages = sampled(args.corpus, args.pages, args.per_file, args.half)
    if not pages:
        raise SystemExit(f"--corpus {' '.join(map(str, args.corpus))}: no PDF that pdfium opens")
    tally = measure(pages)
    for name in sorted(tally.pages) if args.worst else ():
        if re.match("across|missing|extra|hyphens not|unseen|failed|pages with many", name):
            for value, page in sorted(tally.pages[name], key=lambda each: (-each[0], each[1]))[: args.worst]:
                print(f"  {name} {value:g} {page}")
    print_table(tally)
    rows = {
        name: {column: round(value, 6) for column, value in row.items() if value == value}  # without NaN
        for name, row in figures(tally).items()
    }
    print(json.dumps({"counts": {name: int(count) for name, count in sorted(tally.counts.items())}, **rows}))


if __name__ == "__main__":
    main()
