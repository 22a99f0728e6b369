"""Corpus files: clean paragraphs of text, JSONL and Parquet files, and blocks of Markdown, addressed by number."""

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
from sources.ocr.markdown_text import markdown_paragraphs, read_markdown
from sources.ocr.markup.markdown_blocks import usable_blocks
from sources.text.fonts import FontError, fonts_for, missing, script_of
from sources.text.languages import LANGUAGES, SQUARE

# The document that a block of Markdown is in; a paragraph has none.
SCHEMA = pa.schema([("language", pa.string()), ("text", pa.string()), ("document", pa.string())])
MARKDOWN = (".md", ".markdown")
TOLD_BY = 20_000  # characters of a document that tell its language
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
    """Writes paragraphs, or blocks of documents, of one language into each record batch of an Arrow file.

    Memory: two batches per language.
    """

    def __init__(self, path: Path):
        self._rows: dict[tuple[str, bool], list[tuple[str, str]]] = {}
        self._sizes: Counter[tuple[str, bool]] = Counter()
        self._stack = ExitStack()
        file = self._stack.enter_context(pa.OSFile(str(path), "wb"))
        self._writer = self._stack.enter_context(pa.ipc.new_file(file, SCHEMA))

    def add(self, language: str, text: str, document: str = "") -> None:
        """Append a paragraph, or a block of a document."""
        key = (language, bool(document))
        self._rows.setdefault(key, []).append((text, document))
        self._sizes[key] += len(text)
        if len(self._rows[key]) >= BATCH_ROWS or self._sizes[key] >= BATCH_CHARACTERS:
            self._flush(key)

    def _flush(self, key: tuple[str, bool]) -> None:
        texts, documents = zip(*self._rows.pop(key), strict=True)
        self._sizes[key] = 0
        columns = [pa.array([key[0]] * len(texts)), pa.array(texts), pa.array(documents)]
        self._writer.write_batch(pa.record_batch(columns, schema=SCHEMA))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in sorted(self._rows):
            self._flush(key)
        self._stack.close()


class CorpusFile:
    """The paragraphs of a corpus file, which is memory-mapped: memory does not grow with the file."""

    def __init__(self, path: Path):
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        # By language, and whether a batch holds blocks of documents.
        self._batches: dict[tuple[str, bool], list[int]] = {}
        self._ends: dict[tuple[str, bool], list[int]] = {}
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            key = (batch["language"][0].as_py(), bool(batch["document"][0].as_py()))
            before = self._ends.setdefault(key, [])
            self._batches.setdefault(key, []).append(number)
            before.append((before[-1] if before else 0) + len(batch))

    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({language for language, _ in self._ends}))

    def count(self, language: str) -> int:
        return self._count((language, False))

    def paragraph(self, language: str, number: int) -> str:
        batch, row = self._place((language, False), number)
        return str(batch["text"][row].as_py())

    def num_blocks(self, language: str) -> int:
        return self._count((language, True))

    def block(self, language: str, number: int) -> tuple[str, str]:
        batch, row = self._place((language, True), number)
        return str(batch["document"][row].as_py()), str(batch["text"][row].as_py())

    def _count(self, key: tuple[str, bool]) -> int:
        return self._ends[key][-1] if key in self._ends else 0

    def _place(self, key: tuple[str, bool], number: int) -> tuple[pa.RecordBatch, int]:
        """Return the batch that an entry is in, and its row there."""
        place = bisect.bisect_right(self._ends[key], number)
        first = self._ends[key][place - 1] if place else 0
        return self._reader.get_batch(self._batches[key][place]), number - first

    def title(self, language: str, number: int) -> str:
        return ""

    def all(self) -> Iterator[tuple[str, str]]:
        """Yield (language, text) of every paragraph."""
        return ((language, text) for language, text, document in self.rows() if not document)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield language, text and document of every paragraph and every block."""
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            yield from zip(*(batch[name].to_pylist() for name in SCHEMA.names), strict=True)


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
        if name.lower().endswith(MARKDOWN):
            _add_document(path, languages, corpus, dropped)
    return dict(dropped)


def _add_document(path: Path, languages: tuple[str, ...], corpus: CorpusWriter, dropped: Counter[str]) -> None:
    """Add the blocks of a Markdown file, if it is in one of the languages."""
    text = read_markdown(path)
    language, _ = LanguageTeller(languages).tell(" ".join(text[:TOLD_BY].split()))
    if language is not None and (not languages or language in languages):
        for html in usable_blocks(text, language, dropped):
            corpus.add(language, html, path.name)


def _raw_paragraphs(path: Path, name: str, text_key: str, dropped: Counter[str]) -> Iterator[str]:
    lower = name.lower()
    if lower.endswith(".parquet"):
        for text in _parquet_texts(path, text_key):
            yield from _join_lines(iter(text.splitlines()))
    elif lower.endswith(".jsonl"):
        for text in _jsonl_texts(path, text_key, dropped):
            yield from _join_lines(iter(text.splitlines()))
    elif lower.endswith(MARKDOWN):
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
        Number of paragraphs by language, and of blocks of Markdown as `markdown.en`.
    """
    counts: Counter[str] = Counter()
    with CorpusWriter(out) as corpus:
        for number, path in enumerate(paths, start=1):
            for language, text, document in CorpusFile(path).rows():
                corpus.add(language, text, document and str(number))
                counts[f"markdown.{language}" if document else language] += 1
    return dict(counts)
