"""Text without images: rows of JSONL, JSON and Parquet files, and plain text files, also compressed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import ftfy
import phonenumbers
import pyarrow as pa

from sources.base.card import SourceCard
from sources.base.marks import IMAGE_PLACEHOLDER, escaped
from sources.base.sample import Message, Provenance, Sample, sample_id
from sources.base.source import ItemError, Items, Source
from sources.plain_text.card import CARD
from sources.plain_text.chunks import Chunks
from sources.rows.bytes_file import BytesFile
from sources.rows.columns import TEXT_NAMES, Columns, check_columns, columns_of
from sources.rows.content import cleaned, content_of, provenance_of
from sources.rows.line_index import Lines
from sources.rows.open_rows import FORMATS, PACKED, SUFFIXES, open_rows
from sources.rows.parquet_rows import ParquetRows
from sources.rows.row import Rows, decoded
from sources.text.personal_data import KINDS, check_regions, mask

_MEASURES = {kind: f"personal_data_{kind}" for kind in KINDS}
CODE_VERSION = 1  # increase it when this package or sources.rows give another text for the same input


@dataclass(frozen=True, kw_only=True)
class PlainText(Source):
    """Texts and conversations without images.

    A file is read by its content, not by its name. Rows of JSONL, JSON and Parquet files are samples; a plain text file
    is one sample, or several if it is longer than `chunk_kb`.

    Args:
        format: `jsonl`, `json` (an array), `parquet` or `text`; `auto` looks at the content.
        columns: names of columns by their meaning: `text`; or `messages`; or `question`, `answer` and perhaps
            `context`; and `url` and `license`. What is not named is guessed, as `--dry-run` shows.
        split_by: `document`: a plain text file is one text; `line`: each of its lines is one.
        chunk_kb: a longer plain text is cut between paragraphs, in kilobytes.
        encodings: tried in order on rows and texts that have no byte order mark.
        repair: undo UTF-8 that was decoded as another encoding.
        mask: kinds of personal data that are masked and counted: `email`, `phone`, `card`, `id`.
        phone_regions: ISO 3166 codes of countries whose telephone numbers are found without the country's prefix too.
        max_row_mb: a longer JSON row is an error, in megabytes.
    """

    name: ClassVar[str] = "text"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, *(f"{s}{p}" for s in (".txt", ".text", ".md") for p in PACKED))
    item_noun: ClassVar[str] = "text"

    format: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    split_by: str = "document"
    chunk_kb: int = 48
    encodings: tuple[str, ...] = ("utf-8",)
    repair: bool = True
    mask: tuple[str, ...] = KINDS
    phone_regions: tuple[str, ...] = ("US", "CN")
    max_row_mb: float = 16
    items_per_unit: int = 2048

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.format not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {self.format!r}")
        if self.split_by not in ("document", "line"):
            raise ValueError(f"split_by must be document or line, got {self.split_by!r}")
        if not 1 <= self.chunk_kb <= 16_000:
            raise ValueError(f"chunk_kb must be between 1 and 16000, got {self.chunk_kb}")
        if not 0 < self.max_row_mb <= 256:
            raise ValueError(f"max_row_mb must be above 0 and at most 256, got {self.max_row_mb}")
        check_columns(self.columns, TEXT_NAMES)
        for encoding in self.encodings:
            try:
                b"a".decode(encoding, "ignore")
            except LookupError as error:
                raise ValueError(f"encodings has an unknown encoding {encoding!r}") from error
        unknown = sorted({*self.mask} - {*KINDS})
        if unknown:
            raise ValueError(f"mask has an unknown kind {unknown[0]!r}; expected some of {', '.join(KINDS)}")
        check_regions(self.phone_regions)
        if not self.encodings:
            raise ValueError("encodings must name at least one encoding, such as utf-8")

    def locator(self, item: int) -> str:
        return f"item={item + 1}"

    def document(self, digest: str, first: int, locator: str) -> str:
        """Rows do not belong together: the split of every unit of a long file is decided separately."""
        return digest if first == 0 else sample_id(digest, self.locator(first)) * 2

    def fingerprint(self) -> Mapping[str, Any]:
        names = ("format", "split_by", "chunk_kb", "repair", "max_row_mb")
        return {
            "source": self.name,
            "code": CODE_VERSION,
            "ftfy": ftfy.__version__,
            "pyarrow": pa.__version__,
            "columns": dict(self.columns),
            "encodings": list(self.encodings),
            "mask": sorted(self.mask),
            "phone_regions": sorted(self.phone_regions),
            "phonenumbers": phonenumbers.__version__,
            **{name: getattr(self, name) for name in names},
        }

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        known = digest or self.digest_of(path)
        max_bytes = int(self.max_row_mb * 1_000_000)
        opened = open_rows(path, known, self.format, max_bytes, self.encodings)
        if isinstance(opened, Rows):
            columns = columns_of(opened.names, self.columns)
            if isinstance(opened, ParquetRows):
                opened.select(columns.top_level())
            yield Items(
                len(opened),
                lambda item: self._sample_of_row(opened[item], columns, known, item),
                note=columns.guesses(),
            )
        else:
            texts = self._texts(opened, known, max_bytes)
            yield Items(len(texts), lambda item: self._sample_of_text(texts[item], known, item))

    def _texts(self, file: BytesFile, digest: str, max_bytes: int) -> Chunks | Lines:
        return Lines(file, digest, max_bytes) if self.split_by == "line" else Chunks(file, self.chunk_kb * 1000)

    def _sample_of_text(self, data: bytes, digest: str, item: int) -> Sample:
        text = cleaned(decoded(data, self.encodings), repair=self.repair)
        return self._sample(Provenance(locator=self.locator(item), digest=digest), text)

    def _sample_of_row(self, row: Mapping[str, Any], columns: Columns, digest: str, item: int) -> Sample:
        provenance = provenance_of(row, columns, digest=digest, locator=self.locator(item))
        return self._sample(provenance, content_of(row, columns, repair=self.repair))

    def _sample(self, provenance: Provenance, content: str | list[Message]) -> Sample:
        texts = [content] if isinstance(content, str) else [message.content for message in content]
        measures: dict[str, float] = {}
        if self.mask:
            masked = [mask(text, self.mask, self.phone_regions) for text in texts]
            texts = [text for text, _ in masked]
            for _, counts in masked:
                for kind, number in counts.items():
                    measures[_MEASURES[kind]] = measures.get(_MEASURES[kind], 0) + number
        if not isinstance(content, str) and any(_is_about_image(turn) for turn in content):
            raise ItemError("image_placeholder", f"a question has {IMAGE_PLACEHOLDER}, an image that the row lacks")
        texts = [escaped(text) for text in texts]
        return Sample(
            id=sample_id(provenance.digest, provenance.locator),
            source=self.name,
            provenance=provenance,
            text=texts[0] if isinstance(content, str) else None,
            messages=None
            if isinstance(content, str)
            else [Message(role=turn.role, content=text) for turn, text in zip(content, texts, strict=True)],
            measures=measures,
        )


def _is_about_image(turn: Message) -> bool:
    """Return True if a question has the mark where published conversations have it: first or last."""
    text = turn.content.strip()
    return turn.role == "user" and (text.startswith(IMAGE_PLACEHOLDER) or text.endswith(IMAGE_PLACEHOLDER))
