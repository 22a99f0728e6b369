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
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        paths = f"{split}-{number}.jsonl", f"{split}-plain-{number}.jsonl"
        return write_conversations(self, paths, storage, batches, left_out)

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        return f"ROOT_IMAGE_DIR={place} swift sft --dataset {place}/train-*.jsonl …"


def write_conversations(
    layout: Format,
    paths: tuple[str, str],
    storage: Storage,
    batches: Iterable[Sequence[ExportedSample]],
    left_out: Counter[str],
) -> list[ExportFile]:
    """Write JSONL files of conversations, and their image files; samples without an answer are left out.

    Args:
        paths: the file of conversations with images, and the one without: loaders take the type of the column `images`
            from the first rows of a file.
    """
    with of_shard(storage) as writing:
        for samples in batches:
            rows: list[tuple[ExportedSample, dict[str, Any]]] = []
            for sample in samples:
                turns = as_conversation(sample, layout.prompt)
                if not turns:
                    left_out["no_text"] += 1
                    continue
                messages = [{"role": turn.role, "content": turn.content} for turn in turns]
                row: dict[str, Any] = {"id": sample.id, "messages": messages}
                if sample.images:
                    row["images"] = [image_path(image) for image in sample.images]
                rows.append((sample, row))
            writing.add_images(sample for sample, _ in rows)
            for sample, row in rows:
                writing.add_line(paths[0] if sample.images else paths[1], row)
    return writing.files()
