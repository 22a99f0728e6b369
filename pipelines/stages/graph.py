"""The graph of a run. What crosses a shuffle is light: names of units, counts and error rows, never pixels."""

from collections import Counter
from collections.abc import Iterable, Mapping

import apache_beam as beam

from pipelines.job import Job
from pipelines.stages.balance import Quota, TallyUseCases
from pipelines.stages.decide import Decide
from pipelines.stages.deduplicate import FindDuplicates, unit_number
from pipelines.stages.inspect import Inspect
from pipelines.stages.list_inputs import read_listing
from pipelines.stages.plan_shards import MakePlan
from pipelines.stages.publish import Publish
from pipelines.stages.score import ScoreAll
from pipelines.stages.stage import Stage
from pipelines.stages.step import COUNTS
from pipelines.stages.write_shards import WriteShard
from pipelines.units import ERRORS, units_of


def build(pipeline: beam.Pipeline, job: Job) -> beam.PCollection[str]:
    """Lay out the whole run on a pipeline.

    inputs ─► inspect ─► units ─► stage ─► score by part ─► find duplicates ─► settle ─► entries ─► shards ─► publish
                 └ errors, counts ┴─────────────────────────────────────────────┴─────────┘ plan ┘      counts ┘
    """
    recipe = job.load_recipe()
    storage = job.storage()
    inputs = (
        pipeline
        | "Listing" >> beam.Create(list(job.listing), reshuffle=False)
        | "ReadListing" >> beam.FlatMap(lambda file: read_listing(storage, file))
        | "Distinct" >> beam.Distinct()  # overlapping patterns name a file twice; also spreads the work
    )
    matched = inputs | "CountInputs" >> beam.Map(lambda _: {"inputs.matched": 1})
    inspected = inputs | "Inspect" >> beam.ParDo(Inspect(job)).with_outputs(ERRORS, COUNTS, main="inputs")
    staged = (
        inspected.inputs
        | "SameContent" >> beam.GroupByKey()
        | "Units" >> beam.FlatMap(units_of, tuple(source.items_per_unit for source in recipe.sources))
        | "SpreadUnits" >> beam.Reshuffle()
        | "Stage" >> beam.ParDo(Stage(job)).with_outputs(ERRORS, COUNTS, main="units")
    )
    units = staged.units | "ScoreByPart" >> ScoreAll(job)
    decisions = pipeline | "NoDecisions" >> beam.Create([])
    if recipe.dedupe is not None or recipe.decontaminate:
        num_samples = (
            staged[COUNTS]
            | "Samples" >> beam.Map(lambda counts: counts["samples.total"])
            | "NumSamples" >> beam.CombineGlobally(sum)
        )
        decisions = units | "FindDuplicates" >> FindDuplicates(job, beam.pvalue.AsSingleton(num_samples))
    decided = {
        "units": units | "Number" >> beam.Map(lambda unit: (unit_number(unit), unit)),
        "decisions": decisions,
    } | "Decided" >> beam.CoGroupByKey()
    sides = []
    if recipe.taxonomy is not None and recipe.taxonomy.samples is not None:
        tally = (
            decided
            | "TallyUseCases" >> beam.ParDo(TallyUseCases(job))
            | "SumTallies" >> beam.CombineGlobally(SumCounts())
        )
        sides.append(beam.pvalue.AsSingleton(tally | "Quotas" >> beam.Map(Quota(job))))
    settled = decided | "Decide" >> beam.ParDo(Decide(job), *sides).with_outputs(COUNTS, main="entries")
    counts = (
        (matched, inspected[COUNTS], staged[COUNTS], settled[COUNTS])
        | "AllCounts" >> beam.Flatten()
        | "SumCounts" >> beam.CombineGlobally(SumCounts())
    )
    entries = (settled.entries, inspected[ERRORS], staged[ERRORS]) | "AllEntries" >> beam.Flatten()
    plan = beam.pvalue.AsSingleton(entries | "Plan" >> beam.CombineGlobally(MakePlan(recipe.output.shard_mb)))
    shards = (
        entries
        | "ByShard" >> beam.Map(lambda entry, plan: (plan.shard_of(entry.table, entry.bucket), entry.payload), plan)
        | "GroupByShard" >> beam.GroupByKey()
        | "WriteShards" >> beam.ParDo(WriteShard(job), plan)
    )
    return (
        pipeline
        | "Once" >> beam.Create([None], reshuffle=False)
        | "Publish" >> beam.ParDo(Publish(job), beam.pvalue.AsSingleton(counts), beam.pvalue.AsList(shards))
    )


class SumCounts(beam.CombineFn):
    """Sums mappings of counters."""

    def create_accumulator(self) -> Counter[str]:
        return Counter()

    def add_input(self, accumulator: Counter[str], counts: Mapping[str, int]) -> Counter[str]:
        accumulator.update(counts)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counter[str]]) -> Counter[str]:
        merged: Counter[str] = Counter()
        for accumulator in accumulators:
            merged.update(accumulator)
        return merged

    def extract_output(self, accumulator: Counter[str]) -> dict[str, int]:
        return dict(accumulator)
