"""Settings of near duplicates, as a recipe's `dedupe` section has them."""

from dataclasses import dataclass
from typing import Literal

FINGERPRINT_VERSION = 3  # raise it when the same sample would get another fingerprint
MAX_MIN_DETAIL = 6.0  # pictures with less detail carry a digest in their fingerprint
BITS_PER_RADIUS = 8  # the default radius is an eighth of the bits: 32 of 256


@dataclass(frozen=True, kw_only=True)
class Dedupe:
    """The rules by which two samples count as the same.

    Args:
        hash: kind of perceptual hash that is compared.
        bits: its length, 256 or 64. 64 bits confuse pages of text (docs/concepts/duplicates.md).
        radius: Hamming distance in bits up to which pictures may be the same; None: an eighth of the bits.
        text_similarity: Jaccard similarity of word triples, 0 to 1, that two texts also need; below it both are kept.
        min_detail: standard deviation of the picture in grey levels (a text page has 7 to 12) below which there is too
            little to see for a hash to decide: the texts must then be equal, or the pictures identical.
        views: whether hashes of the picture cropped, turned, without stamps and cut out of a window are compared too
            (256-bit pHash only); without them a search costs a third.
        flips: whether a picture is the same as its mirror image, left to right or upside down.
        figures: whether a picture is a duplicate of a larger page that prints it as a figure.
        memory_mb: memory that a task of the search may take; more samples than fit into it are compared in partitions.
        against: earlier outputs, or Parquet files with images, whose samples count as already kept.
    """

    hash: Literal["phash", "dhash"] = "phash"
    bits: Literal[256, 64] = 256
    radius: int | None = None
    text_similarity: float = 0.8
    min_detail: float = 3.0
    against: tuple[str, ...] = ()
    memory_mb: int = 2_000
    views: bool = True
    flips: bool = False
    figures: bool = False

    def __post_init__(self) -> None:
        if self.radius is not None and not 0 <= self.radius <= self.bits // 3:
            raise ValueError(f"radius must be between 0 and {self.bits // 3}, a third of the bits, got {self.radius}")
        if not 0 < self.text_similarity <= 1:
            raise ValueError(f"text_similarity must be above 0 and at most 1, got {self.text_similarity}")
        if self.memory_mb < 10:
            raise ValueError(f"memory_mb must be at least 10, got {self.memory_mb}")
        if not 0 <= self.min_detail <= MAX_MIN_DETAIL:
            raise ValueError(f"min_detail must be between 0 and {MAX_MIN_DETAIL}, got {self.min_detail}")

    @property
    def hash_name(self) -> str:
        """Name of the hash in `sources.images.encoding.fingerprint.HASH_BYTES`."""
        return self.hash if self.bits == 256 else f"{self.hash}_64"

    @property
    def has_views(self) -> bool:
        """Whether views are compared: their hashes are 256-bit pHashes."""
        return self.views and self.hash_name == "phash"

    @property
    def radius_bits(self) -> int:
        """The radius, its default filled in."""
        return self.bits // BITS_PER_RADIUS if self.radius is None else self.radius

    @property
    def wide_radius_bits(self) -> int:
        """How far pictures may differ whose texts agree, or that are photographs."""
        return self.radius_bits * 3 // 2
