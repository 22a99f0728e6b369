"""Collections to compare with: image files and Parquet files with images, read by the reader process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.duplicates.contamination import SCHEMA as RUN_SCHEMA
from pipelines.duplicates.contamination import run_rows
from pipelines.duplicates.fingerprint import fingerprints, to_arrow
from sources.base.sample import EncodedImage, Provenance, Sample
from sources.base.source import InputError, ItemError
from sources.images.decoding import read_luma
from sources.images.fingerprint import picture_fingerprint

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff")
IMAGE_COLUMNS = ("images", "image")
MAX_PIXELS = 100_000_000  # of an image; a larger one takes minutes and gigabytes
BATCH_ROWS = 64


Skip = Callable[[str, str], None]


def read_collection(path: Path, name: str, skip: Skip | None = None) -> pa.Table:
    """Name, fingerprint and text runs of every item of an image file or a Parquet file.

    Args:
        name: the file's name, with which the names of its items begin.
        skip: called with name and reason of a row that cannot be read, which is then left out; None: it is an error.
    Raises:
        InputError: something cannot be read; the message says which row.
    """
    items = _parquet(path, name, skip) if name.lower().endswith(".parquet") else _image_file(path)
    names, records, runs = [], [], []
    for suffix, sample, texts in items:
        names.append(name + suffix)
        records.append(fingerprints([sample]))
        runs.append(run_rows(texts))
    if not names:
        raise InputError("empty", "it holds no rows")
    return pa.table(
        {
            "name": pa.array(names, pa.string()),
            "fingerprint": to_arrow(np.concatenate(records)),
            "runs": pa.array(runs, pa.list_(pa.struct(list(RUN_SCHEMA)))),
        }
    )


def _image_file(path: Path) -> Iterator[tuple[str, Sample, list[str]]]:
    yield "", sample_of(path.read_bytes(), ""), []


def _parquet(path: Path, name: str, skip: Skip | None) -> Iterator[tuple[str, Sample, list[str]]]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError("not_parquet", f"it is not a Parquet file: {error}") from error
    schema = file.schema_arrow
    images = next((column for column in IMAGE_COLUMNS if column in schema.names), None)
    texts = [field.name for field in schema if _is_text(field.type) and field.name not in ("id", "source", "split")]
    if images is None and not texts:
        raise InputError("no_images", f"it has neither a column {' nor '.join(IMAGE_COLUMNS)}, nor one of text")
    columns = [column for column in (images, *texts) if column is not None]
    number = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=columns):
        for row in batch.to_pylist():
            found = [text for column in texts for text in _strings(row[column])]
            data = _first_image(row[images]) if images else None
            try:
                yield f"#row={number}", sample_of(data, "\n".join(found)), found
            except InputError as error:
                if skip is None:
                    raise InputError(error.cause, f"row {number}: {error.message}") from error
                skip(f"{name}#row={number}", error.message)
            number += 1


def sample_of(data: bytes | None, text: str) -> Sample:
    """A sample of an encoded image, a text, or both. Raises InputError if the image cannot be decoded."""
    known: dict[str, Any] = {"id": "", "source": "", "provenance": Provenance(locator="", digest=""), "text": text}
    if data is None:
        return Sample(**known)
    try:
        grey = read_luma(data, max_pixels=MAX_PIXELS)
    except ItemError as error:
        raise InputError("unreadable_image", error.message) from error
    encoded = EncodedImage(data=data, extension="", width=grey.shape[1], height=grey.shape[0])
    return Sample(**known, images=[encoded], fingerprint=picture_fingerprint(grey))


def _first_image(value: Any) -> bytes | None:
    """The bytes of an image, or of the first of several, in the hub's layout or plain."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("bytes")
    return value if isinstance(value, bytes) else None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        is_message = pa.types.is_struct(kind.value_type) and kind.value_type.get_field_index("content") >= 0
        return _is_text(kind.value_type) or bool(is_message)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for entry in value for text in _strings(entry)]
    if isinstance(value, dict):
        return _strings(value.get("content"))
    return [value] if isinstance(value, str) else []
