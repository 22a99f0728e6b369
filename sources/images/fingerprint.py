"""The fingerprint of a picture: perceptual hashes that find near duplicates, and measures of its content.

All hashes are computed from one small picture, the *look*, so that others can reproduce the bits:

    look  = grey.reduce(k).resize((64, 64), LANCZOS), k = max(1, long side // 256)
    inset = look.resize((64, 64), LANCZOS, box=(1.92, 1.92, 62.08, 62.08))

`views` (`sources/images/views.py`) have a hash each for copies that were cropped, turned, stamped or put in a window.
`phash` is `imagehash.phash(look, 16)`, which is bit for bit `imagehash.phash(grey.reduce(k), 16)`. The inset is the
look without 3 % on each side: its hash is close to the hash of the same picture cropped, or with a border added.
"""

import hashlib

import imagehash
import numpy as np
from PIL import Image

from sources.images.ink import grey_view
from sources.images.views import LOOK_PX, VIEWS, dct_of, view_hashes

INSET_SHARE = 0.03  # of each side; matches crops of 1 to 4 % and borders of 1 to 3 % (docs/concepts/duplicates.md)
HASH_BYTES = {"phash": 32, "dhash": 32, "phash_64": 8, "dhash_64": 8}
PICTURE = np.dtype(
    [(f"{name}{variant}", "u1", num) for name, num in HASH_BYTES.items() for variant in ("", "_inset")]
    # Standard deviation of the look, in grey levels: a text page has 7 to 12, a lone page number 1.4, a blank page 0.
    + [("detail", "<f4")]
    # Share of the look within 2 grey levels of its most common level: pages, charts and screenshots, which have a
    # background, have 0.25 to 1; two thirds of photographs have less.
    + [("flatness", "<f4")]
    + [("views", "u1", (len(VIEWS), 32))]  # 256-bit pHashes of the views, all zero for those that there are not
    # Of pictures with few details (plain skies, gradients), whose hashes are mostly noise: digests of their strongest
    # frequencies, zero for all others, and the look at 8 × 8, which confirms a pair (`pipelines/duplicates/smooth.py`).
    + [("strongest", "<u8", 3), ("tiny", "u1", (8, 8))]
)
SMOOTH = 5.0  # median frequency, in grey levels of an orthonormal transform, up to which a picture is smooth
NUM_STRONGEST = (3, 4, 6)  # frequencies in each digest


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
    record["views"][0] = view_hashes(view, look)
    record["strongest"][0] = strongest(np.asarray(look))
    record["tiny"][0] = np.asarray(look.resize((8, 8), Image.Resampling.BOX))
    return record.tobytes()


def strongest(look: np.ndarray) -> np.ndarray:
    """(3,) uint64 digests of the places and signs of a smooth picture's strongest frequencies; zeros for others.

    Args:
        look: (64, 64) uint8.
    """
    digests = np.zeros(len(NUM_STRONGEST), np.uint64)
    lowest = dct_of(look[None].astype(np.float64))[0] / (2 * LOOK_PX)  # orthonormal but for the first row and column
    if np.median(np.abs(lowest)) > SMOOTH:
        return digests
    few = lowest[:8, :8].ravel().round(3)
    few[0] = 0
    order = np.argsort(-np.abs(few), kind="stable")
    for k, num in enumerate(NUM_STRONGEST):
        signed = sorted(int(place) * 2 + int(few[place] > 0) for place in order[:num])
        digests[k] = int.from_bytes(hashlib.blake2b(bytes(signed), digest_size=8).digest(), "little")
    return digests


def phash_of(fingerprint: bytes) -> bytes:
    """Return the 256-bit pHash of a `PICTURE` record: 32 bytes, row by row, most significant bit first."""
    return fingerprint[: HASH_BYTES["phash"]]
