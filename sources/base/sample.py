"""The sample: one row of the dataset, in memory and as Arrow."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from PIL import Image

from sources.base.marks import num_images_marked, without_images
from sources.images.fingerprint import HASH_BYTES, PICTURE, phash_of, picture_fingerprint
from sources.images.ink import ink

TASK_MARK = ";task="  # in a locator, before the task of one of an item's samples
NUM_PHASH_BYTES = HASH_BYTES["phash"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedImage:
    """One encoded image and its size in pixels."""

    data: bytes
    extension: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation; `<image>` in the content marks an image."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Layout ground truth in reading order.

    Args:
        texts: N words.
        boxes: (N, 4) float32 x0, y0, x1, y1 in pixels of the word's image, origin top left.
        images: (N,) int32 index of the image each word is on.
    """

    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    images: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True)
class Element:
    """A part of the first image: its role (`button`, `table`, …), its name or text if it has one, its box in pixels."""

    role: str
    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a sample comes from.

    Args:
        uri: the item's own address, if it has one; else empty, and filled in with the input's name when shards are
            written, so that a renamed file keeps its parts.
        locator: the place inside the input, e.g. `page=17` (counted from 1).
        digest: sha256 of the input's bytes, hex.
        license: licence that the item names; without one, the licence of the source is written.
        fetched_at: UTC time of a download, ISO 8601; None for files.
    """

    locator: str
    digest: str
    uri: str = ""
    license: str | None = None
    fetched_at: str | None = None


_NO_WORDS = Words()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One training sample: `messages` for an instruction sample, else `text`.

    Args:
        elements: parts of the first image that are known for certain, words excluded.
        html: the document as its host sent it; None where the source keeps none.
        flags: facts about the sample that are no verdict, e.g. `scan`, `ocr_layer`.
        measures: numbers taken from the raw pixels while staging, before lossy encoding.
        fingerprint: hashes of the first image (`sources/images/fingerprint.py` has the rules), None without an image.
        use_case: the leaf of the taxonomy that the sample is of by construction, None if its maker does not know.
        secondary: further leaves that turns of the same conversation are of.
        labeller: who says so, e.g. `writer:counting`; empty means the source.
    """

    id: str
    source: str
    provenance: Provenance
    images: Sequence[EncodedImage] = ()
    messages: Sequence[Message] | None = None
    text: str | None = None
    words: Words = field(default_factory=lambda: _NO_WORDS)
    elements: Sequence[Element] = ()
    html: str | None = None
    flags: Sequence[str] = ()
    measures: dict[str, float] = field(default_factory=dict)
    fingerprint: bytes | None = None
    use_case: str | None = None
    secondary: Sequence[str] = ()
    labeller: str = ""

    @classmethod
    def of_picture(
        cls,
        pixels: np.ndarray,
        *,
        source: str,
        provenance: Provenance,
        images: Sequence[EncodedImage],
        messages: Sequence[Message] | None = None,
        text: str | None = None,
        words: Words | None = None,
        elements: Sequence[Element] = (),
        html: str | None = None,
        flags: Sequence[str] = (),
        measures: Mapping[str, float] | None = None,
        use_case: str | None = None,
        secondary: Sequence[str] = (),
    ) -> "Sample":
        """Make a sample of a picture. Its id comes from its provenance, its fingerprint and `ink` from the pixels.

        Args:
            pixels: (height, width) luma or (height, width, 3) RGB of the first image before it was encoded, uint8.
            measures: further measures; `ink` is added.
        """
        grey = pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))
        return cls(
            id=sample_id(provenance.digest, provenance.locator),
            source=source,
            provenance=provenance,
            images=images,
            messages=messages,
            text=text,
            words=words or _NO_WORDS,
            elements=elements,
            html=html,
            flags=flags,
            measures={"ink": ink(grey), **(measures or {})},
            fingerprint=picture_fingerprint(grey),
            use_case=use_case,
            secondary=secondary,
        )

    @property
    def phash(self) -> bytes | None:
        """256-bit perceptual hash of the first image."""
        return None if self.fingerprint is None else phash_of(self.fingerprint)

    def image_sizes(self) -> list[tuple[int, int]]:
        """(width, height) of every image, in pixels."""
        return [(image.width, image.height) for image in self.images]

    def plain_text(self) -> str:
        """The words a reader of the sample sees: text without marks, or all turns joined by newlines."""
        if self.messages is not None:
            joined = "\n".join(message.content for message in self.messages)
        else:
            joined = self.text or ""
        return without_images(joined).strip()

    def num_marks(self) -> int:
        """Number of images that text or messages mark; it must be the number of `images`."""
        if self.messages is not None:
            return sum(num_images_marked(message.content) for message in self.messages)
        return num_images_marked(self.text or "")


def item_locator(locator: str) -> str:
    """Return the place of the item that a sample was made from, without the task for which it was made.

    An item may give several samples, one per task. Their locators are the same up to `;task=`.
    """
    return locator.partition(TASK_MARK)[0]


def sample_id(digest: str, locator: str) -> str:
    """The content id: 32 hex digits from the input's digest and the place inside it, never from its path."""
    return hashlib.sha256(f"{digest}#{locator}".encode()).hexdigest()[:32]


_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_WORD = pa.struct(
    [("text", pa.string())] + [(name, pa.float32()) for name in ("x0", "y0", "x1", "y1")] + [("image", pa.int32())]
)
_ELEMENT = pa.struct([("role", pa.string()), ("name", pa.string()), ("box", pa.list_(pa.float32()))])
_PROVENANCE = pa.struct([(name, pa.string()) for name in ("uri", "locator", "license", "fetched_at", "digest")])

# A part holds everything a source knows, and nothing that a threshold, a label or a file name can change.
PART_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("images", pa.list_(_IMAGE)),
        ("messages", pa.list_(_MESSAGE)),
        ("text", pa.string()),
        ("words", pa.list_(_WORD)),
        ("elements", pa.list_(_ELEMENT)),
        ("flags", pa.list_(pa.string())),
        ("phash", pa.binary(NUM_PHASH_BYTES)),
        ("fingerprint", pa.binary(PICTURE.itemsize)),
        ("provenance", _PROVENANCE),
        ("sizes", pa.list_(pa.struct([("width", pa.int32()), ("height", pa.int32())]))),
        ("measures", pa.map_(pa.string(), pa.float64())),
        ("use_case", pa.string()),
        ("secondary", pa.list_(pa.string())),
        ("labeller", pa.string()),
    ]
)

HTML = pa.field("html", pa.string())  # a column of parts with samples that have some, and of data/ if a source keeps it

LABEL = pa.struct(
    [("use_case", pa.string()), ("confidence", pa.float32()), ("labeller", pa.string()), ("secondary", pa.string())]
)


def dataset_schema(score_names: Sequence[str], *, keeps_html: bool = False) -> pa.Schema:
    """The schema of `data/*.parquet` for these score names (in order); without any there is no `scores` column.

    Args:
        keeps_html: a source of the recipe keeps documents; without one there is no `html` column.
    """
    part = {name: PART_SCHEMA.field(name).type for name in PART_SCHEMA.names}
    kept = ("id", "source", "images", "messages", "text", "words", "elements")
    return pa.schema(
        [(name, part[name]) for name in kept]
        + [
            *([HTML] if keeps_html else []),
            ("flags", part["flags"]),
            ("language", pa.string()),
            ("label", LABEL),
            *scores_field(score_names),
            ("phash", part["phash"]),
            ("provenance", part["provenance"]),
            ("split", pa.string()),
        ]
    )


def scores_field(score_names: Sequence[str]) -> list[tuple[str, pa.DataType]]:
    """The `scores` column, or none where there are no scores: Parquet knows no empty struct."""
    return [("scores", pa.struct([(name, pa.float32()) for name in score_names]))] if score_names else []


def to_part(samples: Sequence[Sample]) -> pa.RecordBatch:
    """Samples as one record batch of `PART_SCHEMA`, with `HTML` if one has some; words go through flat arrays."""

    def image_path(sample: Sample, k: int) -> str:
        return f"{sample.id}-{k}.{sample.images[k].extension}"

    columns: dict[str, pa.Array] = {
        "id": pa.array([s.id for s in samples], pa.string()),
        "source": pa.array([s.source for s in samples], pa.string()),
        "images": pa.array(
            [[{"bytes": im.data, "path": image_path(s, k)} for k, im in enumerate(s.images)] for s in samples],
            pa.list_(_IMAGE),
        ),
        "messages": pa.array(
            [
                None if s.messages is None else [{"role": m.role, "content": m.content} for m in s.messages]
                for s in samples
            ],
            pa.list_(_MESSAGE),
        ),
        "text": pa.array([s.text for s in samples], pa.string()),
        "words": _words_column([s.words for s in samples]),
        "elements": pa.array(
            [[{"role": e.role, "name": e.name, "box": list(e.box)} for e in s.elements] for s in samples],
            pa.list_(_ELEMENT),
        ),
        "flags": pa.array([list(s.flags) for s in samples], pa.list_(pa.string())),
        "phash": pa.array([s.phash for s in samples], pa.binary(NUM_PHASH_BYTES)),
        "fingerprint": pa.array([s.fingerprint for s in samples], pa.binary(PICTURE.itemsize)),
        "provenance": pa.array(
            [
                {
                    "uri": s.provenance.uri,
                    "locator": s.provenance.locator,
                    "license": s.provenance.license,
                    "fetched_at": s.provenance.fetched_at,
                    "digest": s.provenance.digest,
                }
                for s in samples
            ],
            _PROVENANCE,
        ),
        "sizes": pa.array(
            [[{"width": im.width, "height": im.height} for im in s.images] for s in samples],
            PART_SCHEMA.field("sizes").type,
        ),
        "measures": pa.array([list(s.measures.items()) for s in samples], PART_SCHEMA.field("measures").type),
        "use_case": pa.array([s.use_case for s in samples], pa.string()),
        "secondary": pa.array([list(s.secondary) for s in samples], pa.list_(pa.string())),
        "labeller": pa.array([s.labeller for s in samples], pa.string()),
    }
    batch = pa.RecordBatch.from_arrays([columns[name] for name in PART_SCHEMA.names], schema=PART_SCHEMA)
    html = pa.array([s.html for s in samples], HTML.type)
    return batch if html.null_count == len(html) else batch.append_column(HTML, html)


def _words_column(pages: Sequence[Words]) -> pa.ListArray:
    offsets = np.zeros(len(pages) + 1, np.int32)
    np.cumsum([len(words.texts) for words in pages], out=offsets[1:])
    boxes = np.concatenate([words.boxes for words in pages] or [np.zeros((0, 4))]).astype(np.float32)
    images = np.concatenate([words.images for words in pages] or [np.zeros(0)]).astype(np.int32)
    texts = pa.array([text for words in pages for text in words.texts], pa.string())
    assert len(texts) == len(boxes) == len(images) == offsets[-1]
    flat = pa.StructArray.from_arrays(
        [texts, *(pa.array(boxes[:, k]) for k in range(4)), pa.array(images)], fields=list(_WORD)
    )
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=pa.list_(_WORD))


def from_part(table: pa.Table | pa.RecordBatch) -> list[Sample]:
    """The samples of a part, the inverse of `to_part`."""
    samples = []
    for row in table.to_pylist():
        words = row["words"]
        samples.append(
            Sample(
                id=row["id"],
                source=row["source"],
                images=[
                    EncodedImage(data=im["bytes"], extension=im["path"].rpartition(".")[2], **size)
                    for im, size in zip(row["images"], row["sizes"], strict=True)
                ],
                messages=None if row["messages"] is None else [Message(**m) for m in row["messages"]],
                text=row["text"],
                words=Words(
                    texts=[w["text"] for w in words],
                    boxes=np.array([[w["x0"], w["y0"], w["x1"], w["y1"]] for w in words], np.float32).reshape(-1, 4),
                    images=np.array([w["image"] for w in words], np.int32),
                ),
                elements=[Element(e["role"], e["name"], tuple(e["box"])) for e in row["elements"]],
                html=row.get(HTML.name),
                flags=row["flags"],
                measures=dict(row["measures"]),
                fingerprint=row["fingerprint"],
                use_case=row["use_case"],
                secondary=tuple(row["secondary"]),
                labeller=row["labeller"],
                provenance=Provenance(**row["provenance"]),
            )
        )
    return samples
