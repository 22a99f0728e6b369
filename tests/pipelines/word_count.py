"""A small pipeline with what Vellum's has: inputs in storage, a shuffle, side inputs, tagged outputs."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsIter, TaggedOutput

from pipelines.storage import Storage, fetch
from sources.sample import sample_id

FAILED = "failed"
Row = tuple[str, int, str]


class ReadWords(beam.DoFn):
    """Words of a file; a file that is not there goes to the output `failed`."""

    def process(self, uri: str) -> Iterator[str | TaggedOutput]:
        with TemporaryDirectory() as folder:
            try:
                text = fetch(uri, Path(folder) / "input").read_text()
            except FileNotFoundError:
                yield TaggedOutput(FAILED, uri)
                return
        yield from text.split()


class Count(beam.DoFn):
    """Counts a word unless it is stopped; ids come from a module of another room."""

    def process(self, group: tuple[str, Iterable[int]], stopped: Iterable[str]) -> Iterator[Row]:
        word, ones = group
        if word not in set(stopped):
            yield word, sum(ones), sample_id(word, "word=1")


class Publish(beam.DoFn):
    """Writes each row and what failed where the output is: no shared disk."""

    def __init__(self, storage: Storage):
        self._storage = storage

    def process(self, _: None, rows: Iterable[Row], failed: Iterable[str]) -> None:
        content = json.dumps({"rows": sorted(rows), "failed": sorted(failed)})
        self._storage.write_bytes("counts.json", content.encode())


def run(uris: list[str], output: str, options: list[str]) -> beam.runners.runner.PipelineResult:
    """Count the words of `uris` and write `counts.json` to `output`."""
    parsed = PipelineOptions(options)
    FileSystems.set_options(parsed)
    pipeline = beam.Pipeline(options=parsed)
    read = (
        pipeline
        | "Uris" >> beam.Create(uris, reshuffle=False)
        | "Spread" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(ReadWords()).with_outputs(FAILED, main="words")
    )
    stopped = pipeline | "Stopped" >> beam.Create(["the"], reshuffle=False)
    rows = (
        read.words
        | "Pair" >> beam.Map(lambda word: (word, 1)).with_output_types(tuple[str, int])
        | "Group" >> beam.GroupByKey()
        | "Count" >> beam.ParDo(Count(), AsIter(stopped))
    )
    _ = (
        pipeline
        | "Once" >> beam.Create([None], reshuffle=False)
        | "Publish" >> beam.ParDo(Publish(Storage(output)), AsIter(rows), AsIter(read[FAILED]))
    )
    return pipeline.run()
