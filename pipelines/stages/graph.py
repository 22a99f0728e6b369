"""The graph of a run. What crosses a shuffle is light: names of units, counts and error rows, never pixels."""

from collections.abc import Sequence

import apache_beam as beam

from pipelines.job import Job
from pipelines.stages.account import Entry, range_of
from pipelines.stages.balance import Quota, TallyUseCases
from pipelines.stages.decide import Decide
from pipelines.stages.deduplicate import FindDuplicates
from pipelines.stages.inspect import Inspect, MakeUnits, batch_of
from pipelines.stages.judge import Judge
from pipelines.stages.list_inputs import read_listing
from pipelines.stages.mix import Cut, TallyTokens
from pipelines.stages.move_budgets import FetchShares, grants_of, has_budgets
from pipelines.stages.publish import PlanShards, Publish
from pipelines.stages.quotes import FindLeaks, Hits, with_texts
from pipelines.stages.references import read_references
from pipelines.stages.score import ScoreAll
from pipelines.stages.stage import Stage
from pipelines.stages.write_shards import WriteShard
from pipelines.tables.verdicts import JudgedUnit
from pipelines.units import bucket_of


def build(pipeline: beam.Pipeline, job: Job) -> beam.pvalue.PCollection[str]:
    """Lay out the whole run on a pipeline.

    inputs ─► inspect ─► units ─► stage ─► score by part ─► judge ─► by range ─► find duplicates ─► decide
                                                                         └─────────────────────────────┘ │
                                                                            publish ◄─ shards ◄─ plan ◄──┘

    Each step has one output, and a step that runs once begins with the only impulse and takes what it needs as a side
    input: each further output, sum and shuffle is some tasks more on a cluster (docs/decisions.md).
    """
    recipe = job.load_recipe()
    storage = job.storage()
    start = pipeline | "Start" >> beam.Impulse()
    batches = (
        start
        | "Listing" >> beam.FlatMap(lambda _: job.listing)
        | "ReadListing" >> beam.FlatMap(lambda file: read_listing(storage, file))
        | "Batch" >> beam.Map(lambda line: (batch_of(job, recipe, *line), line[1]))
        | "SpreadInputs" >> beam.GroupByKey()
    )
    shares: dict[str, beam.pvalue.AsSingleton] = {}
    if has_budgets(job, recipe):
        uses = batches | "FetchShares" >> beam.ParDo(FetchShares(job))
        grants = start | "Grants" >> beam.Map(lambda _, found: grants_of(recipe, found), beam.pvalue.AsIter(uses))
        shares["grants"] = beam.pvalue.AsSingleton(grants)
    judged = (
        batches
        | "Inspect" >> beam.ParDo(Inspect(job), **shares)
        | "Together" >> beam.GroupByKey()
        | "Units" >> beam.ParDo(MakeUnits(job))
        | "SpreadUnits" >> beam.Reshuffle()
        | "Stage" >> beam.ParDo(Stage(job))
        | "ScoreByPart" >> ScoreAll(job)
        | "Judge" >> beam.ParDo(Judge(job))
    )
    quotes = bool(with_texts(read_references(storage, job.references)))
    if quotes:
        judged |= "Hits" >> beam.ParDo(Hits(job))
    items_per_unit = tuple(source.items_per_unit for source in recipe.sources)
    by_range = judged | "Range" >> beam.Map(by_place, items_per_unit) | "ByRange" >> beam.GroupByKey()
    if quotes:
        by_range |= "FindLeaks" >> FindLeaks(job, start)
    sides: dict[str, beam.pvalue.AsSingleton] = {}
    if recipe.dedupe is not None or recipe.decontaminate:
        sides["decided"] = beam.pvalue.AsSingleton(by_range | "FindDuplicates" >> FindDuplicates(job, start))
    if recipe.taxonomy is not None and recipe.taxonomy.samples is not None:
        tally = by_range | "TallyUseCases" >> beam.ParDo(TallyUseCases(job), **sides)
        quotas = start | "Quotas" >> beam.ParDo(Quota(job), beam.pvalue.AsIter(tally))
        sides["quotas"] = beam.pvalue.AsSingleton(quotas)
    if recipe.mixture is not None:
        tokens = by_range | "TallyTokens" >> beam.ParDo(TallyTokens(job), **sides)
        cuts = start | "Cuts" >> beam.ParDo(Cut(job), beam.pvalue.AsIter(tokens))
        sides["cuts"] = beam.pvalue.AsSingleton(cuts)
    sums = by_range | "Decide" >> beam.ParDo(Decide(job), **sides)
    shards = (
        start
        | "Plan" >> beam.ParDo(PlanShards(job), beam.pvalue.AsIter(sums))
        | "SpreadShards" >> beam.Reshuffle()
        | "WriteShards" >> beam.ParDo(WriteShard(job))
    )
    published: beam.pvalue.PCollection[str] = start | "Publish" >> beam.ParDo(Publish(job), beam.pvalue.AsList(shards))
    return published


def by_place(value: JudgedUnit | Entry, items_per_unit: Sequence[int]) -> tuple[int, JudgedUnit | Entry]:
    """A unit or entry under the number of its range.

    Args:
        items_per_unit: of each source.
    """
    if isinstance(value, Entry):
        return value.range, value
    return range_of(bucket_of(value.unit, items_per_unit[value.unit.source])), value
