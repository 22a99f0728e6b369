"""Published pairs: rows of Parquet, JSONL, JSON and WebDataset files with images and text or conversations."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import ftfy
import PIL
import pyarrow as pa

from sources.base.card import SourceCard
from sources.base.marks import IMAGE_PLACEHOLDER, escaped, num_images_marked, unescaped
from sources.base.sample import Message, Sample, Words, sample_id
from sources.base.source import InputError, ItemError, Items, Source, file_digest
from sources.images.decoding import DecodedImage, read_image
from sources.pairs.boxes import BOX_FORMATS, SCALES, boxes_of, elements_of, words_of
from sources.pairs.card import CARD
from sources.pairs.image_data import ImageAddresses, ImageFiles, image_data, names_in
from sources.rows.columns import OPTIONAL, TEXT_NAMES, Columns, Names, check_columns, columns_of
from sources.rows.content import content_of, provenance_of
from sources.rows.open_rows import SUFFIXES, open_rows
from sources.rows.parquet_rows import ParquetRows
from sources.rows.row import Rows

CODE_VERSION = 3  # increase it when this package, sources.rows or sources.images give another sample for the same row
FORMATS = ("auto", "jsonl", "json", "parquet", "webdataset")
VELLUM_ROWS = "vellum"  # field of rows that `vellum export` wrote: their texts are clean, and foreign marks are escaped
PAIR_NAMES: Names = {
    **TEXT_NAMES,
    "text": ("caption", "captions", "text", "txt", "description", "alt_text", "content"),
    "image": (
        *("images", "image", "img", "jpg", "png", "picture", "image_path", "image_file"),
        *("file_name", "filename", "path"),
    ),
    "image_url": (),  # never guessed: fetching is asked for
    "exported": (VELLUM_ROWS,),
    "words": ("words",),
    "boxes": (),
    "labels": (),
}
LOOKED_AT = 16  # first rows that tell whether a file names image files


@dataclass(frozen=True, kw_only=True)
class Pairs(Source):
    """Images with text, and conversations about images, as others have published them.

    Args:
        format: `parquet`, `jsonl`, `json` (an array) or `webdataset` (a tar); `auto` looks at the content.
        columns: names of columns by their meaning, `a.b` for a field of a struct: `image`; and `text`, or `messages`,
            or `question` and `answer`. Others: `context`, `boxes` with `words` or `labels`, `url`, `license`, and
            `image_url`, which needs `http`. What is not named is guessed, as `--dry-run` shows.
        image_folder: folder of the image files that rows name; empty means the folder of the input.
        image_mark: text that marks an image in texts and conversations.
        box_format: `xyxy`, `xywh` or `cxcywh`.
        box_scale: `pixels`, `unit` (0 to 1) or `1000`.
        side_px: an image with a longer side is made smaller; 0 keeps images byte for byte.
        max_megapixels: a larger image is an error.
        max_image_mb: a larger image file is an error, in megabytes.
        max_row_mb: a longer JSON row is an error, in megabytes.
        encodings: tried in order on JSON rows and text files.
        repair: undo UTF-8 that was decoded as another encoding.
    """

    name: ClassVar[str] = "pairs"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, ".tar", ".tar.gz", ".tgz", ".tar.zst")
    item_noun: ClassVar[str] = "pair"

    format: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    image_folder: str = ""
    image_mark: str = IMAGE_PLACEHOLDER
    box_format: str = "xyxy"
    box_scale: str = "pixels"
    side_px: int = 0
    max_megapixels: float = 80
    max_image_mb: float = 32
    max_row_mb: float = 64
    encodings: tuple[str, ...] = ("utf-8",)
    repair: bool = True
    items_per_unit: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, choices in (("format", FORMATS), ("box_format", BOX_FORMATS), ("box_scale", tuple(SCALES))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        check_columns(self.columns, PAIR_NAMES)
        if "image_url" in self.columns and not self.http:
            raise ValueError("columns names image_url; fetching images must be allowed with http: true")
        if "image_url" in self.columns and "image" in self.columns:
            raise ValueError("columns must name one of image and image_url")
        if "boxes" not in self.columns and ("words" in self.columns or "labels" in self.columns):
            raise ValueError("columns names words or labels without their boxes")
        if not self.image_mark:
            raise ValueError("image_mark must not be empty")
        if self.side_px < 0:
            raise ValueError(f"side_px must be at least 0, got {self.side_px}")
        if not 0 < self.max_megapixels <= 400:
            raise ValueError(f"max_megapixels must be above 0 and at most 400, got {self.max_megapixels}")
        for name in ("max_image_mb", "max_row_mb"):
            if not 0 < getattr(self, name) <= 512:
                raise ValueError(f"{name} must be above 0 and at most 512, got {getattr(self, name)}")

    def reader_needs(self) -> str:
        return "network" if "image_url" in self.columns else ""

    def max_side_px(self) -> int | None:
        return self.side_px or None

    def locator(self, item: int) -> str:
        return f"item={item + 1}"

    def document(self, digest: str, first: int, locator: str) -> str:
        """Rows do not belong together: the split of every unit of a long file is decided separately."""
        return digest if first == 0 else sample_id(digest, self.locator(first)) * 2

    def fingerprint(self) -> Mapping[str, Any]:
        left_out = {"input", "license", "items_per_unit", "http", "http_allow", "columns", "encodings", "image_folder"}
        return {
            "source": self.name,
            "code": CODE_VERSION,
            "ftfy": ftfy.__version__,
            "pillow": PIL.__version__,
            "pyarrow": pa.__version__,
            "columns": dict(self.columns),
            "encodings": list(self.encodings),
            **{name: value for name, value in vars(self).items() if name not in left_out},
        }

    def digest_of(self, path: Path) -> str:
        """The sha256 of the file; where its rows name image files, also of their names and sizes."""
        digest = file_digest(path)
        rows, columns = self._rows(path, digest)
        files = self._files(path)
        if "image" not in columns.found or not any(_names(rows, k, columns) for k in range(min(LOOKED_AT, len(rows)))):
            return digest
        content = hashlib.sha256(digest.encode())
        for number in range(len(rows)):
            for name in _names(rows, number, columns):
                content.update(f"{name}\n{_size(files, name)}\n".encode(errors="surrogatepass"))
        return content.hexdigest()

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        known = digest or self.digest_of(path)
        rows, columns = self._rows(path, known)
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            fetched = ImageAddresses(self.http_allow, Path(folder) / "image", int(self.max_image_mb * 1_000_000))

            def read(item: int) -> Sample:
                row = rows[item]
                if "image_url" in columns.found:
                    data = fetched.read(columns.value(row, "image_url"))
                else:
                    data = image_data(columns.value(row, "image"), self._files(path))
                return self._sample(row, data, columns, known, item)

            yield Items(len(rows), read, note=columns.guesses())

    def _rows(self, path: Path, digest: str) -> tuple[Rows, Columns]:
        rows = open_rows(path, digest, self.format, int(self.max_row_mb * 1_000_000), self.encodings)
        if not isinstance(rows, Rows):
            raise InputError("not_rows", "the file is plain text; expected rows with images")
        optional = [*OPTIONAL, "exported", *(["image"] if "image_url" not in self.columns else [])]
        columns = columns_of(rows.names, self.columns, PAIR_NAMES, optional)
        if "image" not in columns.found and "image_url" not in columns.found:
            has = ", ".join(map(str, rows.names[:20]))
            raise InputError("wrong_columns", f"no column of images is known; it has {has}; name one in `columns`")
        if isinstance(rows, ParquetRows):
            rows.select(columns.top_level())
        return rows, columns

    def _files(self, path: Path) -> ImageFiles:
        folder = Path(self.image_folder) if self.image_folder else path.parent
        return ImageFiles(folder, int(self.max_image_mb * 1_000_000))

    def _sample(self, row: Mapping[str, Any], data: list[bytes], columns: Columns, digest: str, item: int) -> Sample:
        is_ours = columns.value(row, "exported") is True
        content = content_of(row, columns, repair=self.repair, is_clean=is_ours)
        content = _own_content(content, len(data)) if is_ours else with_marks(content, len(data), self.image_mark)
        pixels = int(self.max_megapixels * 1_000_000)
        images = [read_image(each, max_pixels=pixels, max_side_px=self.side_px) for each in data]
        provenance = provenance_of(row, columns, digest=digest, locator=self.locator(item))
        text = content if isinstance(content, str) else None
        messages = None if isinstance(content, str) else content
        if not images:
            return Sample(
                id=sample_id(digest, provenance.locator),
                source=self.name,
                provenance=provenance,
                text=text,
                messages=messages,
            )
        sample = Sample.of_picture(
            images[0].grey,
            source=self.name,
            provenance=provenance,
            images=[image.encoded for image in images],
            text=text,
            messages=messages,
        )
        return sample if "boxes" not in columns.found else self._with_boxes(sample, row, images[0], columns)

    def _with_boxes(self, sample: Sample, row: Mapping[str, Any], image: DecodedImage, columns: Columns) -> Sample:
        value = columns.value(row, "boxes")
        shown = (image.encoded.width, image.encoded.height)
        boxes = boxes_of([] if value is None else value, self.box_format, self.box_scale, image.size, shown)
        if "words" in columns.found:
            return replace(sample, words=words_of(columns.value(row, "words") or [], boxes))
        return replace(sample, words=Words(), elements=elements_of(columns.value(row, "labels"), boxes))


def with_marks(content: str | list[Message], num_images: int, mark: str) -> str | list[Message]:
    """Return the content with one `<image>` for each image, and all other text escaped.

    Marks are looked for in a text or in the user's turns; a text that begins with one for each image has no others. A
    content without any is given all of them at its beginning. Conversations without images have none.

    Raises:
        ItemError: it has another number of marks, or they are in answers alone, or a text has no image.
    """
    turns = [Message(role="user", content=content)] if isinstance(content, str) else content
    split = [_split(turn.content, mark, num_images if turn.role == "user" else None) for turn in turns]
    num_marks = sum(len(pieces) - 1 for turn, pieces in zip(turns, split, strict=True) if turn.role == "user")
    if num_marks not in (0, num_images):
        raise ItemError("image_count", f"the text marks {num_marks} images, the row holds {num_images}")
    if isinstance(content, str) and not num_images:
        raise ItemError("no_image", "the row has a text and no image")
    if not num_marks and any(len(pieces) > 1 for pieces in split):
        raise ItemError("image_count", "a turn that is not the user's marks an image")
    written = []
    for turn, pieces in zip(turns, split, strict=True):
        is_marked = turn.role == "user"
        text = IMAGE_PLACEHOLDER.join(map(escaped, pieces)) if is_marked else escaped(mark.join(pieces))
        written.append(replace(turn, content=text))
    if num_images and not num_marks:
        first = next(k for k, turn in enumerate(written) if turn.role == "user")
        marks = f"{IMAGE_PLACEHOLDER}\n" * num_images
        written[first] = replace(written[first], content=marks + written[first].content)
    return written[0].content if isinstance(content, str) else written


def _own_content(content: str | list[Message], num_images: int) -> str | list[Message]:
    """Return the content of a row that an export wrote, as it is: its foreign marks are escaped already.

    Raises:
        ItemError: it has another number of marks than images.
    """
    turns = [Message(role="user", content=content)] if isinstance(content, str) else content
    num_marks = sum(num_images_marked(turn.content) for turn in turns)
    if num_marks != num_images:
        raise ItemError("image_count", f"the text marks {num_marks} images, the row holds {num_images}")
    pieces = [turn.content.split(IMAGE_PLACEHOLDER) for turn in turns]
    own = [IMAGE_PLACEHOLDER.join(escaped(unescaped(each)) for each in of_turn) for of_turn in pieces]
    if isinstance(content, str):
        return own[0]
    return [replace(turn, content=text) for turn, text in zip(turns, own, strict=True)]


def _split(text: str, mark: str, num_images: int | None) -> list[str]:
    """Cut a text at its marks; if it begins with exactly one for each image, each on a line, only at these."""
    led = f"{mark}\n" * (num_images or 0)
    is_led = led and text.startswith(led) and not text.startswith(led + mark)
    return text.split(mark, num_images or 0) if is_led else text.split(mark)


def _names(rows: Rows, number: int, columns: Columns) -> list[str]:
    try:
        return names_in(columns.value(rows[number], "image"))
    except ItemError:
        return []


def _size(files: ImageFiles, name: str) -> int:
    """Size of an image file in bytes; -1 where there is none."""
    try:
        return Path(files.place(name)).stat().st_size
    except (ItemError, OSError):
        return -1
