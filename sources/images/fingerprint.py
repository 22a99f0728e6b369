"""The fingerprint of a picture: perceptual hashes that find near duplicates, and measures of its content.

All hashes are computed from one small picture, the *look*, so that others can reproduce the bits:

    look  = grey.reduce(k).resize((64, 64), LANCZOS), k = max(1, long side // 256)
    inset = look.resize((64, 64), LANCZOS, box=(1.92, 1.92, 62.08, 62.08))

`phash` is `imagehash.phash(look, 16)`, which is bit for bit `imagehash.phash(grey.reduce(k), 16)`. The inset is the
look without 3 % on each side: its hash is close to the hash of the same picture cropped, or with a border added.
"""

import imagehash
import numpy as np
from PIL import Image

from sources.images.ink import grey_view

LOOK_PX = 64
INSET_SHARE = 0.03  # of each side; matches crops of 1 to 4 % and borders of 1 to 3 % (docs/concepts/duplicates.md)
HASH_BYTES = {"phash": 32, "dhash": 32, "phash_64": 8, "dhash_64": 8}
PICTURE = np.dtype(
    [(f"{name}{variant}", "u1", num) for name, num in HASH_BYTES.items() for variant in ("", "_inset")]
    # Standard deviation of the look, in grey levels: a text page has 7 to 12, a lone page number 1.4, a blank page 0.
    + [("detail", "<f4")]
    # Share of the look within 2 grey levels of its most common level: pages, charts and screenshots, which have a
    # background, have 0.25 to 1; two thirds of photographs have less.
    + [("flatness", "<f4")]
)


def picture_fingerprint(grey: np.ndarray) -> bytes:
    """Return the `PICTURE` record of an image.

    Args:
        grey: (height, width) uint8 luma.
    """
    view = grey_view(grey)
    look = view.reduce(max(1, max(view.size) // 256)).resize((LOOK_PX, LOOK_PX), Image.Resampling.LANCZOS)
    margin = LOOK_PX * INSET_SHARE
    box = (margin, margin, LOOK_PX - margin, LOOK_PX - margin)
    inset = look.resize((LOOK_PX, LOOK_PX), Image.Resampling.LANCZOS, box=box)
    record = np.zeros(1, PICTURE)
    for variant, picture in (("", look), ("_inset", inset)):
        for name, num_bytes in HASH_BYTES.items():
            hash_of = imagehash.phash if name.startswith("phash") else imagehash.dhash
            bits = hash_of(picture, hash_size=16 if num_bytes == 32 else 8).hash
            record[name + variant][0] = np.packbits(bits.ravel())
    levels = np.bincount(np.asarray(look).ravel(), minlength=256)
    record["detail"] = np.asarray(look, np.float32).std()
    record["flatness"] = np.convolve(levels, np.ones(5), "same").max() / levels.sum()
    return record.tobytes()


def phash_of(fingerprint: bytes) -> bytes:
    """Return the 256-bit pHash of a `PICTURE` record: 32 bytes, row by row, most significant bit first."""
    return fingerprint[: HASH_BYTES["phash"]]
