"""ms-swift: JSONL with `messages` and the names of image files, `<image>` in the text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from pipelines.export.formats.format import ExportFile, Format, image_path, of_shard
from pipelines.export.sample import ExportedSample, as_conversation
from pipelines.storage import Storage


class MsSwift(Format):
    name: ClassVar[str] = "ms-swift"
    about: ClassVar[str] = "JSONL and image files for `swift sft`"

    def write(
        self, storage: Storage, split: str, number: str, batches: Iterable[Sequence[ExportedSample]], left_out: Counter[str]
    ) -> list[ExportFile]:
        return write_conversations(self, f"{split}-{number}.jsonl", storage, batches, left_out)

    def next_step(self, name: str, place: str) -> str:
        return f"ROOT_IMAGE_DIR={place} swift sft --dataset {place}/train-*.jsonl …"


def write_conversations(
    self: Format, path: str, storage: Storage, batches: Iterable[Sequence[ExportedSample]], left_out: Counter[str]
) -> list[ExportFile]:
    """Write a JSONL file of conversations and their image files; samples without an answer are left out."""
    with of_shard(storage) as writing:
        for samples in batches:
            rows: list[tuple[ExportedSample, dict[str, Any]]] = []
            for sample in samples:
                turns = as_conversation(sample, self.prompt)
                if not turns:
                    left_out["no_text"] += 1
                    continue
                messages = [{"role": turn.role, "content": turn.content} for turn in turns]
                images = [image_path(image) for image in sample.images]
                rows.append((sample, {"id": sample.id, "messages": messages, "images": images}))
            writing.add_images(sample for sample, _ in rows)
            for _, row in rows:
                writing.add_line(path, row)
    return writing.files()
