"""How to load a data set: code for the card, and the splits that there are."""

from collections.abc import Mapping
from typing import Any

from pipelines.report.presentation.composition import sections
from pipelines.report.presentation.escaping import Markdown, code_block
from pipelines.report.presentation.numbers import size
from pipelines.report.presentation.statistics import Statistics
from pipelines.tables.manifest import paths

PLACE = "path/to/this/folder"  # in the snippets: a folder or the name of a dataset on the hub


def load_datasets(manifest: Mapping[str, Any], statistics: Statistics) -> Markdown:
    split = next((name for name, counts in sorted(manifest["splits"].items()) if counts["samples"]), "train")
    total = statistics.composition()
    lines = [
        "from datasets import load_dataset",
        "",
        f'dataset = load_dataset("{PLACE}", split="{split}")  # or its name on the hub',
        "sample = dataset[0]",
    ]
    if total.with_images == total.samples:
        lines.append('image = sample["images"][0]  # a PIL image')
    elif total.with_images:
        lines.append('images = sample["images"]  # PIL images; may be empty')
    if total.with_messages == total.samples:
        lines += ['for message in sample["messages"]:', '    print(message["role"], message["content"])']
    elif total.with_text == total.samples:
        lines.append('print(sample["text"])  # "<image>" where an image stands')
    else:
        lines += [
            'if sample["messages"]:  # a conversation',
            '    for message in sample["messages"]:',
            '        print(message["role"], message["content"])',
            "else:",
            '    print(sample["text"])',
        ]
    return code_block("\n".join(lines), "python")


def load_pyarrow(statistics: Statistics) -> Markdown:
    total = statistics.composition()
    held = {"images": total.with_images, "messages": total.with_messages, "text": total.with_text}
    columns = ", ".join(f'"{name}"' for name in ("id", *(name for name, count in held.items() if count)))
    lines = [
        "import pyarrow.dataset",
        "",
        f'shards = pyarrow.dataset.dataset("{PLACE}/data", format="parquet")',
        f"for batch in shards.to_batches(columns=[{columns}], batch_size=64):",
        "    for sample in batch.to_pylist():",
    ]
    if total.with_images:
        lines.append('        encoded = [image["bytes"] for image in sample["images"]]  # PNG, JPEG or WebP')
    else:
        lines.append('        print(sample["id"])')
    return code_block("\n".join(lines), "python")


def examples(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    """Python for each source, to be run after `load_datasets`."""
    found = sections(manifest, statistics)
    examples = []
    for section in found:
        chosen = "dataset"
        if len(found) > 1:
            chosen = f'dataset.filter(lambda sample: sample["source"] == "{section.name}")'
        for example in section.examples:
            code = f"samples = {chosen}\n{example.code.rstrip()}"
            examples.append({"title": example.title, "code": code_block(code, "python")})
    return examples


def empty_split(manifest: Mapping[str, Any]) -> str:
    """Why a validation split is missing that the recipe has a share for; empty if none is missing."""
    wanted = manifest["recipe"].get("output", {}).get("validation", 0)
    kept = manifest["samples"]["kept"]
    if not wanted or not kept or manifest["splits"].get("validation", {}).get("samples"):
        return ""
    return (
        f"There is no validation split: the recipe asks for {wanted:g} of the documents, chosen by their content, and "
        f"none of these few was chosen. Set `output.validation` higher, or add documents."
    )


def splits(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "samples": f"{counts['samples']:,}",
            "shards": f"{len(paths(manifest, name)):,}",
            "size": size(counts["bytes"]),
        }
        for name, counts in sorted(manifest["splits"].items())
        if counts["samples"]
    ]
