"""Collections to compare with: image files and Parquet files with images, read by the reader process."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from pipelines.duplicates.fingerprint import fingerprints, to_arrow
from pipelines.duplicates.text import ngrams_of
from sources.base.sample import EncodedImage, Provenance, Sample
from sources.base.source import InputError
from sources.images.fingerprint import picture_fingerprint

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
IMAGE_COLUMNS = ("images", "image")
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
BATCH_ROWS = 64


def read_collection(path: Path, name: str) -> pa.Table:
    """Name, fingerprint and text runs of every item of an image file or a Parquet file.

    Args:
        name: the file's name, with which the names of its items begin.
    Raises:
        InputError: something cannot be read; the message says which row.
    """
    items = _parquet(path) if name.lower().endswith(".parquet") else _image_file(path)
    names, records, runs = [], [], []
    for suffix, sample, texts in items:
        names.append(name + suffix)
        records.append(fingerprints([sample]))
        runs.append(np.unique(np.concatenate([np.zeros(0, np.uint64), *map(ngrams_of, texts)])))
    if not names:
        raise InputError("empty", "it holds no rows")
    return pa.table(
        {
            "name": pa.array(names, pa.string()),
            "fingerprint": to_arrow(np.concatenate(records)),
            "runs": pa.array(runs, pa.list_(pa.uint64())),
        }
    )


def _image_file(path: Path) -> Iterator[tuple[str, Sample, list[str]]]:
    yield "", sample_of(path.read_bytes(), ""), []


def _parquet(path: Path) -> Iterator[tuple[str, Sample, list[str]]]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError("not_parquet", f"it is not a Parquet file: {error}") from error
    schema = file.schema_arrow
    images = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
    texts = [field.name for field in schema if _is_text(field.type) and field.name not in ("id", "source", "split")]
    if images is None and not texts:
        raise InputError("no_images", f"it has neither a column {' nor '.join(IMAGE_COLUMNS)}, nor one of text")
    columns = [name for name in (images, *texts) if name is not None]
    number = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=columns):
        for row in batch.to_pylist():
            found = [text for name in texts for text in _strings(row[name])]
            data = _first_image(row[images]) if images else None
            try:
                sample = sample_of(data, "\n".join(found))
            except InputError as error:
                raise InputError(error.cause, f"row {number}: {error.message}") from error
            yield f"#row={number}", sample, found
            number += 1


def sample_of(data: bytes | None, text: str) -> Sample:
    """A sample of an encoded image, a text, or both. Raises InputError if the image cannot be decoded."""
    known: dict[str, Any] = {"id": "", "source": "", "provenance": Provenance(locator="", digest=""), "text": text}
    if data is None:
        return Sample(**known)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            grey = np.asarray(image.convert("L"))
    except UnidentifiedImageError as error:
        raise InputError("unreadable_image", "it is no image that can be decoded") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("unreadable_image", f"the image cannot be decoded: {error}") from error
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
