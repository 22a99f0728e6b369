"""A finished output made of given samples, without a run: data, an empty account of everything else, a manifest."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pipelines.recipe_file import build_recipe
from pipelines.tables.composition import composition_columns
from pipelines.tables.schema import ERRORS_SCHEMA, ledger_schema
from sources.base.sample import EncodedImage, Message, Provenance, Sample, dataset_schema, sample_id, to_part


def picture(color: tuple[int, int, int], extension: str = "png", size: tuple[int, int] = (56, 56)) -> EncodedImage:
    """A picture of one colour with a frame."""
    image = Image.new("RGB", size, color)
    image.paste((0, 0, 0), (0, 0, size[0], 4))
    target = io.BytesIO()
    image.save(target, {"jpg": "JPEG"}.get(extension, extension.upper()))
    return EncodedImage(data=target.getvalue(), extension=extension, width=size[0], height=size[1])


def sample(
    name: str,
    *,
    images: Sequence[EncodedImage] = (),
    turns: Sequence[tuple[str, str]] | None = None,
    text: str | None = None,
    uri: str = "pages/a.pdf",
) -> Sample:
    """A sample whose id comes from its name; `turns` are pairs of role and content."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Sample(
        id=sample_id(digest, "item=1"),
        source="pairs",
        provenance=Provenance(locator="item=1", digest=digest, uri=uri, license="cc0-1.0"),
        images=images,
        messages=None if turns is None else [Message(role=role, content=content) for role, content in turns],
        text=text,
    )


def write_output(
    root: Path,
    shards: Sequence[tuple[str, Sequence[Sample]]],
    *,
    languages: Mapping[str, str] | None = None,
    ink: Mapping[str, float] | None = None,
    row_group_size: int = 2,
) -> None:
    """Write an output with these shards, pairs of a split and its samples.

    Args:
        languages, ink: language and score of the filter `min_ink` by the id of a sample.
    """
    recipe = build_recipe({"name": "export test", "sources": [{"type": "pairs"}], "filters": [{"type": "min_ink"}]})
    files: list[dict[str, Any]] = []

    def write(path: str, table: str, rows: pa.Table) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, root / path, row_group_size=row_group_size)
        data = (root / path).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        files.append({"path": path, "table": table, "rows": len(rows), "bytes": len(data), "sha256": digest})

    names = recipe.score_names()
    everything = [(split, each) for split, samples in shards for each in samples]

    def values(split: str, each: Sample) -> dict[str, Any]:
        return {
            "language": (languages or {}).get(each.id, "en"),
            "label": {"use_case": "a/b", "confidence": 0.5, "labeller": "test", "secondary": ""},
            "scores": {name: (ink or {}).get(each.id, 0.5) for name in names},
            "split": split,
        }

    numbers = dict.fromkeys([split for split, _ in shards], 0)
    for split, samples in shards:
        part = to_part(samples).to_pylist()
        rows = [{**row, **values(split, each)} for row, each in zip(part, samples, strict=True)]
        total = sum(other == split for other, _ in shards)
        path = f"data/{split}-{numbers[split]:05d}-of-{total:05d}.parquet"
        write(path, split, pa.Table.from_pylist(rows, schema=dataset_schema(names)))
        numbers[split] += 1
    ledger = [
        {
            "id": each.id,
            "source": each.source,
            "uri": each.provenance.uri,
            "locator": each.provenance.locator,
            "digest": each.provenance.digest,
            "verdict": "kept",
            "reasons": [],
            "flags": [],
            "num_bytes": 100,
            **{name: column[0].as_py() for name, column in composition_columns([each]).items()},
            "num_words": len(each.plain_text().split()),
            **values(split, each),
        }
        for split, each in everything
    ]
    write("ledger/ledger-00000-of-00001.parquet", "ledger", pa.Table.from_pylist(ledger, schema=ledger_schema(names)))
    write("errors/errors-00000-of-00001.parquet", "errors", pa.Table.from_pylist([], schema=ERRORS_SCHEMA))
    kept = len(everything)
    manifest = {
        "vellum": "0.1.0",
        "recipe": recipe.to_json(),
        "versions": {},
        "inputs": {"matched": 1, "read": 1, "failed": 0},
        "items": {"noun": "pair", "found": kept, "failed": 0},
        "samples": {"total": kept, "kept": kept, "rejected": {}, "duplicates": {}},
        "failures": {},
        "splits": {
            split: {
                "samples": sum(file["rows"] for file in files if file["table"] == split),
                "bytes": sum(file["bytes"] for file in files if file["table"] == split),
            }
            for split in numbers
        },
        "scores": names,
        "files": files,
    }
    (root / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
