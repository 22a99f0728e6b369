"""Settings that contradict each other: together they can give no sample, so they are refused before the run."""

from pathlib import Path

from filters.language import Language
from filters.short_side import MinShortSide
from pipelines.recipe import Recipe, UsageError
from sources.base.source import Source
from taxonomy.instructions import Instructions
from taxonomy.loader import BUNDLED, load, unasked_writers
from taxonomy.targets import leaf_shares
from taxonomy.tree import Taxonomy
from taxonomy.writers.registry import WRITERS
from taxonomy.yaml_file import TaxonomyError


def refuse_contradictions(recipe: Recipe) -> None:
    """Raise UsageError, saying what to change, if a source or the whole recipe can keep no sample."""
    for source in recipe.sources:
        _check_filters(recipe, source)
    if recipe.taxonomy is None or (recipe.instructions is None and recipe.taxonomy.samples is None):
        return
    try:
        taxonomy = load(Path(recipe.taxonomy.path) if recipe.taxonomy.path else BUNDLED)
    except TaxonomyError as error:
        raise UsageError(f"the taxonomy cannot be used:\n{error}") from error
    writers = _writers(recipe, taxonomy)
    if recipe.taxonomy.samples is not None:
        _check_shares(recipe, taxonomy, writers)


def _check_filters(recipe: Recipe, source: Source) -> None:
    """Compare what a source is known to make with what the filters keep."""
    languages, largest = source.written_languages(), source.max_side_px()
    for f in recipe.filters:
        if isinstance(f, Language) and f.keep and languages and not set(f.keep) & set(languages):
            raise UsageError(
                f"language.keep is {', '.join(f.keep)}, but {source.name} writes {', '.join(languages)} alone: none of "
                f"its samples would be kept; add one of its languages to language.keep, or leave the source out"
            )
        if isinstance(f, MinShortSide) and largest is not None and largest < f.side_px:
            raise UsageError(
                f"min_short_side.side_px is {f.side_px}, but images of {source.name} have at most {largest} pixels a "
                f"side: none would be kept; lower it to {largest} or less, or make the source's images larger"
            )


def _writers(recipe: Recipe, taxonomy: Taxonomy) -> list[str]:
    """The instruction writers that can ask something. Raises UsageError if the named ones, or all, cannot."""
    settings = recipe.instructions
    if settings is None:
        return []
    assert recipe.taxonomy is not None
    unasked = unasked_writers(taxonomy)
    for name in settings.writers:
        if name in unasked:
            leaves = sorted({pool.use_case for pool in WRITERS[name].question_templates.values()})
            raise UsageError(
                f"instructions.writers names {name}, but the taxonomy has no questions for it; add "
                f"`question_templates` under {' or '.join(leaves)}, or leave the writer out"
            )
    writing = Instructions(taxonomy, settings, recipe.taxonomy.shares)
    able = [name for name in writing.writers() if name not in unasked]
    has_conversations = any(source.card.messages for source in recipe.sources)
    if not able and not has_conversations:
        raise UsageError(
            "no instruction writer is left: all have no questions in the taxonomy, the weight 0 in "
            "instructions.weights or the share 0 in taxonomy.shares; give one of them questions and a share"
        )
    return able


def _check_shares(recipe: Recipe, taxonomy: Taxonomy, writers: list[str]) -> None:
    """Raise UsageError if the shares leave no sample to any use case that the sources and writers can give."""
    settings = recipe.taxonomy
    assert settings is not None
    assert settings.samples is not None
    if settings.labeller is not None or settings.corrections is not None:
        return  # these may give any use case
    names = [pool.use_case for writer in writers for pool in WRITERS[writer].question_templates.values()]
    for source in recipe.sources:
        if recipe.instructions is None or source.card.messages:  # else the writers say what its samples are
            names += source.use_cases
    given = sorted({leaf for name in names if (leaf := taxonomy.resolve(name)) is not None})
    targets = leaf_shares(taxonomy, settings.shares)
    if not any(round(targets[leaf] * settings.samples) for leaf in given):
        raise UsageError(
            f"taxonomy.samples is {settings.samples:,}, and taxonomy.shares leave none of them to the use cases that "
            f"the sources give ({', '.join(given) or 'none'}); give one of these a share, or raise taxonomy.samples"
        )
