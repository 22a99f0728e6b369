"""The composition of samples: whether they hold images, a text, a conversation, word boxes, and how many.

Data shards hold the kept samples alone and are large. The ledger has these counts of every sample, so that a reader of
the ledger, such as the dataset card, knows what a dataset holds without opening an image.
"""

from collections.abc import Sequence

import pyarrow as pa

from sources.base.sample import Sample

COMPOSITION_FIELDS = (
    ("num_images", pa.int32()),
    ("has_text", pa.bool_()),  # a pre-training sample
    ("num_messages", pa.int32()),  # turns of a conversation; 0: not an instruction sample
    ("num_words", pa.int32()),  # words with a box on an image
    ("num_elements", pa.int32()),  # parts of the first image with a box
)


def composition_columns(samples: Sequence[Sample]) -> dict[str, pa.Array]:
    """`COMPOSITION_FIELDS` of samples."""
    values = {
        "num_images": [len(sample.images) for sample in samples],
        "has_text": [sample.text is not None for sample in samples],
        "num_messages": [len(sample.messages or ()) for sample in samples],
        "num_words": [len(sample.words.texts) for sample in samples],
        "num_elements": [len(sample.elements) for sample in samples],
    }
    return {name: pa.array(values[name], kind) for name, kind in COMPOSITION_FIELDS}
