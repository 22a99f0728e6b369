"""Corpus files: clean paragraphs of text, JSONL and Parquet files, addressed by number."""

import bisect
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from sources.base.source import InputError
from sources.ocr.language_of_text import LanguageTeller
from sources.ocr.markdown_text import markdown_paragraphs
from sources.text.fonts import FontError, fonts_for, missing, script_of
from sources.text.languages import LANGUAGES, SQUARE

SCHEMA = pa.schema([("language", pa.string()), ("text", pa.string())])
MAX_LINE = 1 << 20  # characters; a longer line of text is cut
MAX_ROW = 1 << 24  # characters of a JSONL row
MAX_PARAGRAPH = 900  # characters; a longer paragraph is cut at the end of a sentence or of a word
MIN_PARAGRAPH = dict.fromkeys(SQUARE, 8)  # characters
MIN_OTHER = 24  # characters, in other languages
MAX_WORD = 40  # characters without a space; a longer word fits no column
BATCH_ROWS = 4096
BATCH_CHARACTERS = 1 << 20
_ENDS = re.compile(r"[.!?][”\")]?\s|[。！？][”」）]?")
_UNSPACED_GAP = re.compile(r"(?<=[\u2e80-\u9fff\uff00-\uffef]) (?=[\u2e80-\u9fff\uff00-\uffef])")


class CorpusWriter(AbstractContextManager["CorpusWriter"]):
    """Writes paragraphs to an Arrow file with one language per record batch. Memory: one batch per language."""

    def __init__(self, path: Path):
        self._rows: dict[str, list[str]] = {}
        self._sizes: Counter[str] = Counter()
        self._stack = ExitStack()
        file = self._stack.enter_context(pa.OSFile(str(path), "wb"))
        self._writer = self._stack.enter_context(pa.ipc.new_file(file, SCHEMA))

    def add(self, language: str, text: str) -> None:
        """Append a paragraph."""
        self._rows.setdefault(language, []).append(text)
        self._sizes[language] += len(text)
        if len(self._rows[language]) >= BATCH_ROWS or self._sizes[language] >= BATCH_CHARACTERS:
            self._flush(language)

    def _flush(self, language: str) -> None:
        texts = self._rows.pop(language)
        self._sizes[language] = 0
        self._writer.write_batch(pa.record_batch([pa.array([language] * len(texts)), pa.array(texts)], schema=SCHEMA))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for language in sorted(self._rows):
            self._flush(language)
        self._stack.close()


class CorpusFile:
    """The paragraphs of a corpus file, which is memory-mapped: memory does not grow with the file."""

    def __init__(self, path: Path):
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._batches: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            language = batch["language"][0].as_py()
            before = self._ends.setdefault(language, [])
            self._batches.setdefault(language, []).append(number)
            before.append((before[-1] if before else 0) + len(batch))

    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(self._ends))

    def count(self, language: str) -> int:
        return self._ends[language][-1] if language in self._ends else 0

    def paragraph(self, language: str, number: int) -> str:
        place = bisect.bisect_right(self._ends[language], number)
        first = self._ends[language][place - 1] if place else 0
        batch = self._reader.get_batch(self._batches[language][place])
        return str(batch["text"][number - first].as_py())

    def title(self, language: str, number: int) -> str:
        return ""

    def all(self) -> Iterator[tuple[str, str]]:
        """Yield (language, text) of every paragraph."""
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            yield from zip(batch["language"].to_pylist(), batch["text"].to_pylist(), strict=True)


@lru_cache(maxsize=2)
def open_corpus(path: Path) -> CorpusFile:
    """Return the corpus file at a path, opened once per process."""
    return CorpusFile(path)


def gather(
    path: Path, name: str, text_key: str, out: Path, progress: Callable[[], None], languages: tuple[str, ...] = ()
) -> Mapping[str, int]:
    """Write the clean paragraphs of one file to a corpus file.

    Args:
        name: file name as the user gave it; its suffix tells the format.
        text_key: field that holds the text of JSONL and Parquet rows.
        progress: called at intervals.
        languages: languages to keep; they also decide between languages that share a script. Empty keeps all.
    Returns:
        Number of dropped paragraphs by reason.
    Raises:
        InputError: the file does not have the format that its name says, or lacks the field.
    """
    dropped: Counter[str] = Counter()
    teller = LanguageTeller(languages)
    with CorpusWriter(out) as corpus:
        for count, raw in enumerate(_raw_paragraphs(path, name, text_key, dropped)):
            if count % 256 == 0:
                progress()
            for text in _split_paragraph(raw):
                language, reason = _classify(text, languages, teller)
                if reason:
                    dropped[reason] += 1
                else:
                    corpus.add(language, text)
    return dict(dropped)


def _raw_paragraphs(path: Path, name: str, text_key: str, dropped: Counter[str]) -> Iterator[str]:
    lower = name.lower()
    if lower.endswith(".parquet"):
        for text in _parquet_texts(path, text_key):
            yield from _join_lines(iter(text.splitlines()))
    elif lower.endswith(".jsonl"):
        for text in _jsonl_texts(path, text_key, dropped):
            yield from _join_lines(iter(text.splitlines()))
    elif lower.endswith((".md", ".markdown")):
        yield from markdown_paragraphs(path)
    else:
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from _join_lines(iter(lambda: file.readline(MAX_LINE), ""))


def _parquet_texts(path: Path, text_key: str) -> Iterator[str]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if text_key not in names:
                raise InputError("no_such_field", f"no column {text_key!r}; it has {', '.join(names)}")
            if not pa.types.is_string(kind := file.schema_arrow.field(text_key).type) and not pa.types.is_large_string(
                kind
            ):
                raise InputError("no_such_field", f"the column {text_key!r} is {kind}, expected text")
            for batch in file.iter_batches(batch_size=256, columns=[text_key]):
                yield from (text for text in batch.column(0).to_pylist() if text)
    except pa.ArrowException as error:
        raise InputError("not_parquet", f"not a readable Parquet file: {str(error).splitlines()[0]}") from error


def _jsonl_texts(path: Path, text_key: str, dropped: Counter[str]) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        is_rest = False  # the rest of a line that is too long
        for number, line in enumerate(iter(lambda: file.readline(MAX_ROW), ""), start=1):
            is_cut = not line.endswith("\n") and len(line) == MAX_ROW
            if is_cut or is_rest:
                dropped["row_too_long"] += not is_rest
                is_rest = is_cut
                continue
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                dropped["not_json"] += 1
                continue
            if not isinstance(row, dict) or text_key not in row:
                has = ", ".join(map(str, row)) if isinstance(row, dict) else f"a {type(row).__name__}"
                raise InputError("no_such_field", f"line {number} has no field {text_key!r}; it has {has}")
            if isinstance(row[text_key], str):
                yield row[text_key]
            else:
                dropped["not_text"] += 1


def _join_lines(lines: Iterator[str]) -> Iterator[str]:
    """Yield paragraphs: lines up to an empty line, joined. A paragraph longer than `MAX_LINE` is yielded in parts."""
    parts: list[str] = []
    length = 0
    for line in lines:
        if line.strip():
            parts.append(line.strip())
            length += len(line)
        if parts and (not line.strip() or length >= MAX_LINE):
            yield " ".join(parts)
            parts, length = [], 0
    if parts:
        yield " ".join(parts)


def _split_paragraph(raw: str) -> Iterator[str]:
    """Yield pieces of at most `MAX_PARAGRAPH` characters, with normalized white space."""
    text = "".join(
        " " if (kind := unicodedata.category(c)) in ("Cc", "Zl", "Zp", "Zs") else "" if kind == "Cf" else c for c in raw
    )
    text = _UNSPACED_GAP.sub("", " ".join(unicodedata.normalize("NFC", text).split()))
    start = 0
    while start < len(text):
        end = start + MAX_PARAGRAPH
        if end < len(text):
            window = text[start:end]
            ends = [found.end() for found in _ENDS.finditer(window)]
            end = start + (ends[-1] if ends else window.rfind(" ") + 1 or MAX_PARAGRAPH)
        yield text[start:end].strip()
        start = end


def _classify(text: str, languages: tuple[str, ...], teller: LanguageTeller) -> tuple[str, str]:
    """Return the language of a paragraph and the reason to drop it; the reason is empty if it is kept."""
    if any("\udc80" <= character <= "\udcff" for character in text):
        return "", "not_utf8"
    if any(unicodedata.category(character) in ("Cn", "Co", "Cs") for character in text):
        return "", "unassigned_character"
    language, script = teller.tell(text)
    if language is None:
        is_known = any(known.script == script for known in LANGUAGES.values())
        return "", "unknown_language" if is_known else f"unsupported_script.{script}"
    if languages and language not in languages:
        return "", f"other_language.{language}"
    if len(text) < MIN_PARAGRAPH.get(language, MIN_OTHER):
        return "", "too_short"
    if any(len(word) > MAX_WORD and word.isascii() for word in text.split()):
        return "", "long_word"
    unsupported = next((character for character in text if not _has_glyph(language, character)), None)
    if unsupported is not None:
        return "", f"no_font.{script_of(unsupported)}"
    return language, ""


@lru_cache(maxsize=100_000)
def _has_glyph(language: str, character: str) -> bool:
    try:
        return any(not missing(character, font) for font in fonts_for(language))
    except FontError:
        return False


def merge(paths: Iterable[Path], out: Path) -> Mapping[str, int]:
    """Merge corpus files into one.

    Returns:
        Number of paragraphs by language.
    """
    counts: Counter[str] = Counter()
    with CorpusWriter(out) as corpus:
        for path in paths:
            for language, text in CorpusFile(path).all():
                corpus.add(language, text)
                counts[language] += 1
    return dict(counts)
