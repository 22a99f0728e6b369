"""The fingerprint of a sample: all that comparing it with others needs, under 1 KB, kept in score file and ledger."""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipelines.duplicates.settings import MAX_MIN_DETAIL
from pipelines.duplicates.text import TEXT, text_fingerprint
from sources.base.sample import Sample
from sources.images.fingerprint import PICTURE
from sources.images.quality import encoded_quality


def fields_of(dtype: np.dtype) -> list[tuple[str, np.dtype]]:
    """Name and type of every field of a record."""
    assert dtype.names is not None
    return [(name, dtype[name]) for name in dtype.names]


FINGERPRINT = np.dtype(
    [
        *fields_of(PICTURE),
        ("has_image", "u1"),
        ("picture", "u1", 16),  # digest of the encoded image, for pictures with little to see
        ("num_pixels", "<u4"),  # of the first image
        ("quality", "u1"),  # of its encoding (`sources/images/quality.py`)
        *fields_of(TEXT),
    ]
)


def fingerprints(samples: Sequence[Sample]) -> np.ndarray:
    """(N,) `FINGERPRINT` of samples, in order."""
    records = np.zeros(len(samples), FINGERPRINT)
    for k, sample in enumerate(samples):
        if sample.fingerprint is not None and sample.images:
            picture = np.frombuffer(sample.fingerprint, PICTURE)
            for name, _ in fields_of(PICTURE):
                records[name][k] = picture[name][0]
            image = sample.images[0]
            records["has_image"][k] = 1
            records["num_pixels"][k] = image.width * image.height
            records["quality"][k] = encoded_quality(image.data)
            if picture["detail"][0] < MAX_MIN_DETAIL:
                digest = hashlib.blake2b(image.data, digest_size=16).digest()
                records["picture"][k] = np.frombuffer(digest, np.uint8)
        text = text_fingerprint(sample.plain_text())
        for name, _ in fields_of(TEXT):
            records[name][k] = text[name][0]
    return records


def to_arrow(records: np.ndarray) -> pa.FixedSizeBinaryArray:
    """(N, …) records of any dtype as a column of fixed-size binary."""
    binary = pa.binary(records.dtype.itemsize * math.prod(records.shape[1:]))
    return pa.FixedSizeBinaryArray.from_buffers(binary, len(records), [None, pa.py_buffer(records.tobytes())])


def from_arrow(column: pa.ChunkedArray, dtype: np.dtype) -> np.ndarray:
    """(N, …) records of a column that `to_arrow` made, without a copy if the column is one piece."""
    whole = np.dtype([("", dtype)])  # numpy takes arrays of arrays from a buffer only as a field
    chunks = [
        np.frombuffer(chunk.buffers()[1], whole, len(chunk), chunk.offset * whole.itemsize)["f0"]
        for chunk in column.chunks
        if len(chunk)
    ]
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate(chunks) if chunks else np.zeros(0, whole)["f0"]
