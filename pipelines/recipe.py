"""Recipes: what a run depends on, and the keys of what is staged for it."""

import dataclasses
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filters.filter import Filter
from pipelines.duplicates.settings import FINGERPRINT_VERSION, Dedupe
from pipelines.mixture.settings import Mixture
from pipelines.release import Release
from sources.base.secrets import named_files, read_secrets, spoken
from sources.base.source import ReadingCosts, Source
from taxonomy.settings import InstructionSettings, LabelSettings

RECIPES = Path(__file__).parent / "recipes"
PARTS_VERSION = 5  # raise it when parts are written in another way
SCORES_VERSION = 7  # raise it when score files get other columns


class UsageError(ValueError):
    """A mistake in the command or the recipe: one sentence for its user, exit code 2."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """How shards are written.

    Args:
        shard_mb: a shard is closed at about this size, in megabytes.
        row_group_mb: row groups hold at most this much: about 100 pages, as the hub's own tools write (its viewer
            stops at 300 MB), and what a writer keeps in memory.
        validation: share of documents, 0 to 1, whose samples go to the validation split; by content, never cut
            through a document.
        thumbnails: pages shown in the report for each verdict and reason.
        keep_staging: parts and scores stay in `.staging/`, for later runs and `refit`; else they go when the run ends.
    """

    shard_mb: float = 256
    row_group_mb: float = 10
    validation: float = 0.01
    thumbnails: int = 24
    keep_staging: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.row_group_mb <= 300:
            raise ValueError(f"row_group_mb must be above 0 and at most 300, got {self.row_group_mb}")
        if self.shard_mb <= 0:
            raise ValueError(f"shard_mb must be positive, got {self.shard_mb}")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation must be at least 0 and below 1, got {self.validation}")
        if not 0 <= self.thumbnails <= 1000:
            raise ValueError(f"thumbnails must be between 0 and 1000, got {self.thumbnails}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the cost of one input (readers run in a child process that is killed beyond this).

    Args:
        item_timeout_s: seconds of processor time for one page, so that a busy machine loses none.
        item_wall_timeout_s: seconds by the clock for one page, for those that hang without using a processor.
        memory_mb: address space of the reader beyond its start, in megabytes.
        faults_per_unit: pages of one input in a unit that may crash or hang the reader before its others are given up.
        max_failed_share: share of inputs, 0 to 1, that may fail; if more do, the run ends with an exit code of its own.
    """

    item_timeout_s: float = 30
    item_wall_timeout_s: float = 300
    memory_mb: int = 1500
    faults_per_unit: int = 8
    max_failed_share: float = 0.5

    def __post_init__(self) -> None:
        if self.item_timeout_s <= 0:
            raise ValueError(f"item_timeout_s must be positive, got {self.item_timeout_s}")
        if self.item_wall_timeout_s < self.item_timeout_s:
            got = f"{self.item_wall_timeout_s} and {self.item_timeout_s}"
            raise ValueError(f"item_wall_timeout_s must be at least item_timeout_s, got {got}")
        if self.memory_mb < 256:
            raise ValueError(f"memory_mb must be at least 256, got {self.memory_mb}")
        if self.faults_per_unit < 1:
            raise ValueError(f"faults_per_unit must be at least 1, got {self.faults_per_unit}")
        if not 0 <= self.max_failed_share <= 1:
            raise ValueError(f"max_failed_share must be between 0 and 1, got {self.max_failed_share}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a run depends on, except the files themselves.

    Args:
        dedupe: what counts as the same sample; None: near duplicates are not looked for.
        decontaminate: evaluation sets (images, Parquet files, dataset folders) that no kept sample may show.
        decontaminate_except: text files whose lines, such as licences, are no contamination.
        mixture: shares of the tokens; None: all samples are kept that nothing else rejects.
        release: version, date and citation of the data set.
    """

    name: str
    sources: tuple[Source, ...]
    filters: tuple[Filter, ...]
    output: Output = field(default_factory=Output)
    limits: Limits = field(default_factory=Limits)
    dedupe: Dedupe | None = None
    decontaminate: tuple[str, ...] = ()
    decontaminate_except: tuple[str, ...] = ()
    mixture: Mixture | None = None
    release: Release | None = None
    taxonomy: LabelSettings | None = None
    instructions: InstructionSettings | None = None

    def reading_costs(self) -> ReadingCosts:
        """What the most expensive source needs beyond the limits."""
        costs = [source.costs() for source in self.sources]
        return ReadingCosts(
            memory_mb=max(each.memory_mb for each in costs),
            item_s=max(each.item_s for each in costs),
            recycle_mb=min(each.recycle_mb for each in costs),
        )

    def repeats_pictures(self) -> bool:
        """Return True if several samples may have the same picture."""
        return any(source.repeats_pictures() for source in self.sources)

    def keeps_html(self) -> bool:
        """Return True if `data/` has the column `html`."""
        return any(source.keeps_html() for source in self.sources)

    def item_noun(self) -> str:
        """The noun for items of the inputs; `item` where sources differ."""
        nouns = {source.item_noun for source in self.sources}
        return nouns.pop() if len(nouns) == 1 else "item"

    def spoken_secrets(self) -> dict[str, list[str]]:
        """The secrets that the recipe itself holds, by the variable of the environment that may hold them instead."""
        found: dict[str, list[str]] = {}
        configs: tuple[Any, ...] = (*self.sources, *self.filters)
        for config in configs:
            for f in dataclasses.fields(config):
                if variable := f.metadata.get("secret"):
                    found.setdefault(variable, []).extend(spoken(getattr(config, f.name)))
        return {variable: held for variable, held in found.items() if held}

    def component_of(self, source: int) -> str:
        """The component of a source, by the source's index."""
        return self.sources[source].component or self.sources[source].name

    def components(self) -> dict[str, list[str]]:
        """The names of the sources of every component."""
        found: dict[str, list[str]] = {}
        for index, source in enumerate(self.sources):
            found.setdefault(self.component_of(index), []).append(source.name)
        return found

    def score_names(self) -> list[str]:
        """Names of all scores, in the recipe's order."""
        return [name for f in self.filters for name in f.score_names]

    def filters_while_reading(self) -> tuple[Filter, ...]:
        """The filters that readers run on what they have just read."""
        return tuple(f for f in self.filters if f.worker() is None)

    def filters_by_part(self) -> tuple[Filter, ...]:
        """The expensive filters, which run on finished parts."""
        return tuple(f for f in self.filters if f.worker() is not None)

    def to_json(self, *, secrets: bool = False, travels: bool = False) -> dict[str, Any]:
        """The recipe as plain data, without secrets and programs to run.

        Args:
            secrets: with secrets, read from where they are, to hand the recipe to a process that this one starts.
            travels: with the names of files that hold secrets, for other machines.
        """

        def is_shown(f: "dataclasses.Field[Any]", value: Any) -> bool:
            if f.metadata.get("secret") or f.metadata.get("program"):
                return (secrets or travels) and bool(value)
            return bool(value) or not f.metadata.get("optional")

        def value_of(config: Any, f: "dataclasses.Field[Any]") -> Any:
            value = getattr(config, f.name)
            if not f.metadata.get("secret") or not (secrets or travels):
                return _plain(value)
            held = list(read_secrets(value, f.metadata["secret"])) if secrets else named_files(value)
            return held if isinstance(value, tuple) else next(iter(held), None)

        def settings(config: Any) -> dict[str, Any]:
            values = {f.name: (f, value_of(config, f)) for f in dataclasses.fields(config)}
            return {name: value for name, (f, value) in values.items() if is_shown(f, value)}

        return {
            "name": self.name,
            "sources": [{"type": s.name, **settings(s)} for s in self.sources],
            "filters": [{"type": f.name, **settings(f)} for f in self.filters],
            "output": settings(self.output),
            "limits": settings(self.limits),
            **({"dedupe": settings(self.dedupe)} if self.dedupe else {}),
            **({"decontaminate": list(self.decontaminate)} if self.decontaminate else {}),
            **({"decontaminate_except": list(self.decontaminate_except)} if self.decontaminate_except else {}),
            **({"mixture": settings(self.mixture)} if self.mixture else {}),
            **({"release": settings(self.release)} if self.release else {}),
            **({"taxonomy": settings(self.taxonomy)} if self.taxonomy else {}),
            **({"instructions": settings(self.instructions)} if self.instructions else {}),
        }


# Threads of a worker ask for keys at the same time, and the first answer loads what is kept for the others: fonts,
# vocabularies, versions of programs, models.
_one_at_a_time = threading.RLock()


def part_key(source: Source) -> str:
    """Names the parts of a source: changes exactly when the same input would give other bytes."""
    with _one_at_a_time:
        return _key([PARTS_VERSION, source.fingerprint()])


def scores_key(filters: Sequence[Filter]) -> str:
    """Names the score files of a set of filters: changes exactly when a sample would get other scores."""
    with _one_at_a_time:
        return _key([SCORES_VERSION, FINGERPRINT_VERSION, *([f.name, f.cache_key()] for f in filters)])


def tokens_key(recipe: Recipe) -> str:
    """Names what tokens are counted with; empty where they are not counted."""
    return "" if recipe.mixture is None else f"-{_key(recipe.mixture.digest)[:8]}"


def _key(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
