"""JSONL: one object per line, `messages` or `text`, and image files in a folder."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from pipelines.export.formats.format import ExportFile, Format, image_path, of_shard
from pipelines.export.sample import ExportedSample
from pipelines.storage import Storage
from sources.pairs.source import VELLUM_ROWS


class Jsonl(Format):
    """Conversations and texts, with images and without, in separate files: loaders take the types of columns from the
    first rows of a file.
    """

    name: ClassVar[str] = "jsonl"
    about: ClassVar[str] = "one JSON object per line, images in a folder; `--source pairs` reads it back"

    def write(
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        with of_shard(storage) as writing:
            for samples in batches:
                writing.add_images(samples)
                for sample in samples:
                    row = {**fields_of(sample), "images": [image_path(image) for image in sample.images]}
                    writing.add_line(f"{split}-{kind_of(sample)}-{number}.jsonl", row)
        return writing.files()

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        return f"vellum run --source pairs --input '{place}/*.jsonl'"


def kind_of(sample: ExportedSample) -> str:
    """The kind of file a sample is in: `conversations` or `texts`; `plain-` before it if it has no images."""
    plain = "" if sample.images else "plain-"
    return plain + ("texts" if sample.messages is None else "conversations")


def fields_of(sample: ExportedSample) -> dict[str, Any]:
    """A sample without its images as JSON has it, marked as ours so that texts are read back as they are."""
    content: dict[str, Any] = {"text": sample.text}
    if sample.messages is not None:
        content = {"messages": [{"role": turn.role, "content": turn.content} for turn in sample.messages]}
    return {"id": sample.id, "source": sample.source, **sample.about, **content, VELLUM_ROWS: True}
