"""The graph of a run. What crosses a shuffle is light: names of units, counts and error rows, never pixels."""

from collections import Counter
from collections.abc import Iterable, Mapping

import apache_beam as beam
from apache_beam.transforms.combiners import ToListCombineFn

from pipelines.job import Job
from pipelines.stages.balance import Quota, TallyUseCases
from pipelines.stages.decide import Decide
from pipelines.stages.deduplicate import FindDuplicates, unit_number
from pipelines.stages.inspect import Inspect, batch_of
from pipelines.stages.judge import Judge
from pipelines.stages.list_inputs import read_listing
from pipelines.stages.mix import Cut, TallyTokens
from pipelines.stages.move_budgets import FetchShares, grants_for, has_budgets
from pipelines.stages.plan_shards import SumUp, by_shard
from pipelines.stages.publish import Publish, Withdraw
from pipelines.stages.score import ScoreAll
from pipelines.stages.stage import Stage
from pipelines.stages.step import ACCOUNT
from pipelines.stages.write_shards import WriteShard
from pipelines.tables.copies import listed
from pipelines.units import Input, group_of, units_of


def build(pipeline: beam.Pipeline, job: Job) -> beam.pvalue.PCollection[str]:
    """Lay out the whole run on a pipeline.

    inputs ─► inspect ─► units ─► stage ─► score by part ─► judge ─► find duplicates ─► decide ─► shards ─► publish
                 └ account ────────┴──────────────────────────────────────────────────────┴─ totals ─┴───────┘

    The account is one collection of error rows, table rows and counters: each further output of a step, each side input
    and each sum is some tasks more on a cluster (docs/decisions.md).
    """
    recipe = job.load_recipe()
    storage = job.storage()
    items_per_unit = tuple(source.items_per_unit for source in recipe.sources)
    batches = (
        pipeline
        | "Listing" >> beam.Create(list(job.listing), reshuffle=False)
        | "ReadListing" >> beam.FlatMap(lambda file: read_listing(storage, file))
        | "Batch" >> beam.Map(lambda line: (batch_of(job, recipe, *line), line[1]))
        | "SpreadInputs" >> beam.GroupByKey()
    )
    shares: dict[str, beam.pvalue.AsSingleton] = {}
    if has_budgets(job, recipe):
        uses = (
            batches
            | "FetchShares" >> beam.ParDo(FetchShares(job))
            | "GatherUses" >> beam.CombineGlobally(ToListCombineFn())
        )
        shares["grants"] = beam.pvalue.AsSingleton(uses | "Grants" >> beam.Map(grants_for(recipe)))
    inspected = batches | "Inspect" >> beam.ParDo(Inspect(job), **shares).with_outputs(ACCOUNT, main="inputs")
    staged = (
        inspected.inputs
        | "ByDigest" >> beam.Map(by_digest, job.num_inputs)
        | "Together" >> beam.GroupByKey()
        | "Units"
        >> beam.FlatMap(
            lambda group: listed(units_of(group[0][0], group[1], items_per_unit[group[0][0]]), storage, job.run)
        )
        | "SpreadUnits" >> beam.Reshuffle()
        | "Stage" >> beam.ParDo(Stage(job)).with_outputs(ACCOUNT, main="units")
    )
    judged = staged.units | "ScoreByPart" >> ScoreAll(job) | "Judge" >> beam.ParDo(Judge(job))
    if recipe.dedupe is not None or recipe.decontaminate:
        by_unit = {
            "units": judged | "Number" >> beam.Map(lambda judged: (unit_number(judged.unit), judged)),
            "decisions": judged | "FindDuplicates" >> FindDuplicates(job),
        } | "ByUnit" >> beam.CoGroupByKey()
    else:
        by_unit = judged | "Alone" >> beam.Map(
            lambda judged: (unit_number(judged.unit), {"units": [judged], "decisions": []})
        )
    sides: dict[str, beam.pvalue.AsSingleton] = {}
    if recipe.taxonomy is not None and recipe.taxonomy.samples is not None:
        tally = (
            by_unit
            | "TallyUseCases" >> beam.ParDo(TallyUseCases(job))
            | "SumTallies" >> beam.CombineGlobally(sum_counts)
        )
        sides["quotas"] = beam.pvalue.AsSingleton(tally | "Quotas" >> beam.Map(Quota(job)))
    if recipe.mixture is not None:
        tokens = (
            by_unit
            | "TallyTokens" >> beam.ParDo(TallyTokens(job), **sides)
            | "SumTokens" >> beam.CombineGlobally(sum_counts)
        )
        sides["cuts"] = beam.pvalue.AsSingleton(tokens | "Cuts" >> beam.Map(Cut(job)))
    decided = by_unit | "Decide" >> beam.ParDo(Decide(job), **sides).with_outputs(ACCOUNT, main="nothing")
    account = (inspected[ACCOUNT], staged[ACCOUNT], decided[ACCOUNT]) | "Account" >> beam.Flatten()
    totals = (
        account
        | "Totals" >> beam.CombineGlobally(SumUp(recipe.output.shard_mb)).without_defaults()
        | "Withdraw" >> beam.ParDo(Withdraw(job))
    )
    shards = (
        account
        | "ByShard" >> beam.FlatMap(by_shard, beam.pvalue.AsSingleton(totals))
        | "GroupByShard" >> beam.GroupByKey()
        | "WriteShards" >> beam.ParDo(WriteShard(job), beam.pvalue.AsSingleton(totals))
    )
    published: beam.pvalue.PCollection[str] = totals | "Publish" >> beam.ParDo(Publish(job), beam.pvalue.AsList(shards))
    return published


def by_digest(found: tuple[int, str, Input], num_inputs: int) -> tuple[tuple[int, int], tuple[str, Input]]:
    """A found input under its source and the range of digests within which units are made."""
    source, digest, each = found
    return (source, group_of(digest, num_inputs)), (digest, each)


def sum_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of mappings of counters."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
