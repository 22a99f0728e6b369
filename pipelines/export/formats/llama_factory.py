"""LLaMA-Factory: `dataset_info.json`, a folder of JSONL files for each split, and image files."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pipelines.export.formats.format import ExportFile, Format
from pipelines.export.formats.ms_swift import write_conversations
from pipelines.export.sample import ExportedSample
from pipelines.storage import Storage

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


class LlamaFactory(Format):
    name: ClassVar[str] = "llama-factory"
    about: ClassVar[str] = "dataset_info.json, JSONL and image files for `llamafactory-cli train`"

    def write(
        self, storage: Storage, split: str, number: str, batches: Iterable[Sequence[ExportedSample]], left_out: Counter[str]
    ) -> list[ExportFile]:
        return write_conversations(self, f"{split}/{number}.jsonl", storage, batches, left_out)

    def extra_files(self, name: str, files: Sequence[ExportFile]) -> Mapping[str, bytes]:
        entries = {
            dataset_name(name, split): {
                "file_name": split,
                "formatting": "sharegpt",
                "columns": {"messages": "messages", "images": "images"},
                "tags": TAGS,
            }
            for split in sorted({file.path.partition("/")[0] for file in files})
        }
        return {"dataset_info.json": (json.dumps(entries, indent=2) + "\n").encode()}

    def next_step(self, name: str, place: str) -> str:
        chosen = f"--dataset {dataset_name(name, 'train')} --dataset_dir {place} --media_dir {place}"
        return f"llamafactory-cli train --stage sft {chosen} …"


def dataset_name(name: str, split: str) -> str:
    """The name of a split in `dataset_info.json`: LLaMA-Factory separates names by commas."""
    plain = "-".join(re.findall("[A-Za-z0-9_.]+", name)) or "vellum"
    return plain if split == "train" else f"{plain}_{split}"
