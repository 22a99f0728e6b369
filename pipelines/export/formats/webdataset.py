"""WebDataset: tars in which the files `<id>.json` and `<id>.<number>.<extension>` are one sample."""

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import ClassVar

from pipelines.export.formats.format import ExportFile, Format, Writing, binary, of_shard
from pipelines.export.formats.jsonl import fields_of, kind_of
from pipelines.export.sample import ExportedSample
from pipelines.storage import Storage


class WebDataset(Format):
    name: ClassVar[str] = "webdataset"
    about: ClassVar[str] = "tars for streaming; `--source pairs` reads them back"

    def write(
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        with of_shard(storage) as writing, ExitStack() as stack:
            tars: dict[str, tarfile.TarFile] = {}
            for samples in batches:
                for sample in samples:
                    path = f"{split}-{kind_of(sample)}-{number}.tar"
                    if path not in tars:
                        tars[path] = stack.enter_context(_opened(writing, path))
                    _add(tars[path], sample)
                    writing.rows[path] += 1
            stack.close()  # the ends of the tars
        return writing.files()

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        return f"vellum run --source pairs --input '{place}/*.tar'"


def _opened(writing: Writing, path: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=binary(writing.file(path)), mode="w|", format=tarfile.USTAR_FORMAT)


def _add(tar: tarfile.TarFile, sample: ExportedSample) -> None:
    """Add the files of a sample. A single image has no number in its name, as in most published sets."""
    fields = fields_of(sample) if sample.images else {**fields_of(sample), "images": []}  # readers look at first rows
    text = json.dumps(fields, ensure_ascii=False)
    for k, image in enumerate(sample.images):
        number = f"{k}." if len(sample.images) > 1 else ""
        _add_file(tar, f"{sample.id}.{number}{image.extension}", image.data)
    _add_file(tar, f"{sample.id}.json", text.encode())


def _add_file(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # time and owner 0: the same samples give the same bytes
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
