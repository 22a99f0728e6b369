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
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        paths = f"{split}/{number}.jsonl", f"{split}_plain/{number}.jsonl"
        return write_conversations(self, paths, storage, batches, left_out)

    def extra_files(self, name: str, files: Sequence[ExportFile]) -> Mapping[str, bytes]:
        entries = {
            dataset_name(name, folder): {
                "file_name": folder,
                "formatting": "sharegpt",
                "columns": {
                    column: column for column in ("messages", "images")[: 1 if folder.endswith("_plain") else 2]
                },
                "tags": TAGS,
            }
            for folder in folders(files)
        }
        return {"dataset_info.json": (json.dumps(entries, indent=2) + "\n").encode()}

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        names = ",".join(dataset_name(name, folder) for folder in folders(files) if folder.startswith("train"))
        return f"llamafactory-cli train --stage sft --dataset {names} --dataset_dir {place} --media_dir {place} …"


def folders(files: Sequence[ExportFile]) -> list[str]:
    """The folders of an export, each one data set: `train`, and `train_plain` for conversations without images."""
    return sorted({file.path.partition("/")[0] for file in files})


def dataset_name(name: str, folder: str) -> str:
    """The name of a folder in `dataset_info.json`, without commas, which separate names on the command line."""
    recipe = "-".join(re.findall("[A-Za-z0-9_.]+", name)) or "vellum"
    return recipe if folder == "train" else f"{recipe}_{folder.removeprefix('train_')}"
