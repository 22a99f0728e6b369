"""Recipes: YAML or mappings to checked settings, and `--set` overrides on top."""

import dataclasses
import difflib
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from filters.filter import Filter
from pipelines.duplicates.settings import FINGERPRINT_VERSION, Dedupe
from pipelines.mixture.settings import Mixture
from pipelines.registry import FILTERS, SOURCES
from pipelines.release import Release
from sources.base.secrets import named_files, read_secrets, spoken
from sources.base.source import ReadingCosts, Source
from sources.config_file import ConfigFileError, Place, load
from taxonomy.settings import InstructionSettings, LabelSettings

RECIPES = Path(__file__).parent / "recipes"
PARTS_VERSION = 5  # raise it when parts are written in another way
SCORES_VERSION = 6  # raise it when score files get other columns


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


def load_recipe(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. It is checked, so that errors name the file and the line. Raises UsageError."""
    expected = f"a mapping with the keys {', '.join(_keys(Recipe))}"
    try:
        root = load(path, expected)
    except ConfigFileError as error:
        raise UsageError(str(error)) from error
    content = root.data()
    if not isinstance(content, dict) or content.keys().isdisjoint(_keys(Recipe)):  # its text may be anybody's secret
        raise UsageError(f"{path}:1: the recipe must be {expected}")
    place = Place("the recipe", file=path, node=root)
    _refuse_programs(content, place)
    _build(content, place)
    return content


def _refuse_programs(content: Mapping[str, Any], where: Place) -> None:
    """Raise UsageError if a recipe names a program to run: recipes are passed on, and nobody reads all of one."""
    for kind, registry in (("sources", SOURCES), ("filters", FILTERS)):
        entries = content.get(kind)
        for k, entry in enumerate(entries if isinstance(entries, list) else ()):
            cls = registry.get(str(entry.get("type"))) if isinstance(entry, Mapping) else None
            for f in dataclasses.fields(cls) if cls is not None else ():
                if f.metadata.get("program") and entry.get(f.name) is not None:
                    place = where.at(kind, k, f.name, name=f"{kind}[{k}] ({entry['type']})")
                    raise UsageError(
                        f"{place}.{f.name} names a program to run; give it on the command line instead: "
                        f"--set {entry['type']}.{f.name}=PROGRAM"
                    )


def build_recipe(content: Mapping[str, Any], where: str = "the recipe") -> Recipe:
    """Check a mapping and build the recipe. Raises UsageError naming the place, what was expected and what was got."""
    return _build(content, Place(where))


def _build(content: Mapping[str, Any], where: Place) -> Recipe:
    _check_keys(content, _keys(Recipe), where)
    if not content.get("sources"):
        raise UsageError(f"{where} names no sources; expected `sources: [{{type: pdfs, …}}]`")
    sources = _entries(SOURCES, content, "sources", where)
    filters = _entries(FILTERS, content, "filters", where)
    names = [f.name for f in filters]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{where.at('filters')} has the filter {name} {names.count(name)} times; expected once")
    _check_scores(filters, where)
    name = content.get("name", sources[0].name)
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"{where.at('name', name='name')} must be a non-empty text, got {name!r}")
    _check_components(sources, filters, content, where)
    if "instructions" in content and "taxonomy" not in content:
        place = where.at("instructions")
        raise UsageError(f"{place} has `instructions` without their questions; add `taxonomy: {{}}`")

    def section(cls: type[Any], key: str) -> Any:
        return _checked(cls, {} if content.get(key) is None else content[key], where.at(key, name=key))

    return Recipe(
        name=name,
        sources=tuple(sources),
        filters=tuple(filters),
        output=section(Output, "output"),
        limits=section(Limits, "limits"),
        dedupe=None if content.get("dedupe") is None else section(Dedupe, "dedupe"),
        decontaminate=_names(content.get("decontaminate"), where.at("decontaminate", name="decontaminate")),
        decontaminate_except=_names(
            content.get("decontaminate_except"), where.at("decontaminate_except", name="decontaminate_except")
        ),
        mixture=None if content.get("mixture") is None else section(Mixture, "mixture"),
        release=None if content.get("release") is None else section(Release, "release"),
        taxonomy=section(LabelSettings, "taxonomy") if "taxonomy" in content else None,
        instructions=section(InstructionSettings, "instructions") if "instructions" in content else None,
    )


def _check_scores(filters: Sequence[Filter], where: Place) -> None:
    """Raise UsageError if two filters have a score of the same name, or one names a source that there is not."""
    of_score: dict[str, str] = {}
    for f in filters:
        try:
            f.check_sources(tuple(SOURCES))
        except ValueError as error:
            raise UsageError(str(error)) from error
        for name in f.score_names:
            if of_score.setdefault(name, f.name) != f.name:
                raise UsageError(f"{where.at('filters')}: {of_score[name]} and {f.name} both have a score {name!r}")


def _check_components(
    sources: Sequence[Source], filters: Sequence[Filter], content: Mapping[str, Any], where: Place
) -> None:
    """Raise UsageError if a filter or a share names a component that no source gives, or one has no share."""
    components = list(dict.fromkeys(source.component or source.name for source in sources))
    for k, f in enumerate(filters):
        for name in f.components:
            if name not in components:
                place = where.at("filters", k, name=f"filters[{k}] ({f.name})")
                raise UsageError(f"{place}: no source is of the component {name!r}{_nearest(name, components)}")
    mixture = content.get("mixture")
    shares = mixture.get("shares") if isinstance(mixture, Mapping) else None
    if isinstance(shares, Mapping):
        place = where.at("mixture", name="mixture")
        for name in shares:
            if name not in components:
                raise UsageError(f"{place}: no source is of the component {name!r}{_nearest(str(name), components)}")
        for name in components:
            if name not in shares:
                raise UsageError(f"{place} has no share for {name}; give it one, or leave its sources out")


def _names(value: Any, where: Place) -> tuple[str, ...]:
    """One name or a list of names, as a tuple."""
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"{where} must be a list of names, got {value!r}")
    return tuple(names)


def apply_setting(content: dict[str, Any], setting: str) -> None:
    """Apply one `--set key=value` to a recipe's mapping, in place. The value is YAML.

    A filter's name alone adds it (`min_words=true`, `min_words={words: 9}`) or drops it (`min_words=false`). Else the
    key is `section.field` (`output.shard_mb`, `language.keep`, `pdfs.side_px`) or a field of the only source
    (`side_px`). Raises UsageError.
    """
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not key:
        raise UsageError(f"--set expects key=value, got {setting!r}")
    try:
        value = text if text.startswith("@") else yaml.safe_load(text)  # the name of a file; YAML knows no such value
    except yaml.YAMLError as error:
        raise UsageError(f"--set {key}: the value {text!r} is not valid YAML") from error
    if key in FILTERS and (value is None or isinstance(value, bool | dict)):
        _switch(content, key, value)
        return
    section, dot, name = key.rpartition(".")
    targets: dict[str, tuple[dict[str, Any], Sequence[str]]] = {
        "": (content, ["name", "dedupe", "decontaminate"]),
    }
    sections: list[tuple[str, Any]] = [("output", Output), ("limits", Limits)]
    for section_name, optional in (("taxonomy", LabelSettings), ("instructions", InstructionSettings)):
        if section == section_name or section_name in content:  # without the section nothing is labelled or asked
            sections.append((section_name, optional))
    for section_name, cls in sections:
        content[section_name] = content.get(section_name) or {}
        targets[section_name] = (content[section_name], _keys(cls))
    if section == "mixture" or content.get("mixture") is not None:
        content["mixture"] = content.get("mixture") or {}
        targets["mixture"] = (content["mixture"], _keys(Mixture))
    if section == "release" or content.get("release") is not None:
        content["release"] = content.get("release") or {}
        targets["release"] = (content["release"], _keys(Release))
    if section == "dedupe" or content.get("dedupe") is not None:  # naming it switches it on
        content["dedupe"] = content.get("dedupe") or {}
        targets["dedupe"] = (content["dedupe"], _keys(Dedupe))
    named = section.partition(".")[0]
    if named in FILTERS and named not in [entry.get("type") for entry in content.get("filters") or []]:
        content["filters"] = [*(content.get("filters") or []), {"type": named}]  # naming it switches it on
    holders_of: dict[str, list[tuple[dict[str, Any], Sequence[str]]]] = {}
    for kind, registry in (("sources", SOURCES), ("filters", FILTERS)):
        for entry in content.get(kind) or []:
            typed: Any = registry.get(str(entry.get("type"))) if isinstance(entry, dict) else None
            if typed is not None:
                for where in {typed.name, entry.get("component") or typed.name}:
                    holders_of.setdefault(where, []).append((entry, _keys(typed)))
    targets |= {where: entries[0] for where, entries in holders_of.items() if len(entries) == 1}
    several = [where for where, entries in holders_of.items() if len(entries) > 1]
    outer, inner, key_of_mapping = section.partition(".")
    if inner and outer in targets and key_of_mapping in targets[outer][1]:  # filter.mapping.key
        entry = targets[outer][0]
        entry[key_of_mapping] = {**(entry.get(key_of_mapping) or {}), name: value}
        return
    if dot:
        if section in several:
            raise UsageError(f"--set {key} could mean any of several sources; change the recipe's file")
        if section not in targets:
            raise UsageError(f"--set {key}: no section {section!r} in the recipe{_nearest(section, list(targets))}")
        if name not in targets[section][1]:
            raise UsageError(f"--set {key}: {section} has no setting {name!r}{_nearest(name, targets[section][1])}")
        targets[section][0][name] = value
        return
    holders = [where for where, (_, names) in targets.items() if name in names]
    in_sources = [where for where in holders if where in SOURCES]
    chosen = in_sources if in_sources else holders
    if len(chosen) != 1:
        known = [f"{where}.{n}" if where else n for where, (_, names) in targets.items() for n in names]
        if chosen:
            raise UsageError(f"--set {key} could mean {' or '.join(f'{where}.{name}' for where in chosen)}")
        raise UsageError(f"--set {key}: no such setting{_nearest(name, [n.rpartition('.')[2] for n in known])}")
    targets[chosen[0]][0][name] = value


def _switch(content: dict[str, Any], name: str, value: Any) -> None:
    """Add a filter (`true`, or its settings) or drop it (`false` or `null`). Raises UsageError if it is not there."""
    filters = list(content.get("filters") or [])
    others = [entry for entry in filters if not isinstance(entry, dict) or entry.get("type") != name]
    if isinstance(value, dict):
        content["filters"] = [*others, {"type": name, **value}]
    elif value:
        content["filters"] = filters if len(others) < len(filters) else [*filters, {"type": name}]
    elif len(others) == len(filters):
        there = ", ".join(str(entry["type"]) for entry in filters if isinstance(entry, dict) and "type" in entry)
        raise UsageError(f"--set {name}: the recipe has no filter {name} to drop; it has {there or 'none'}")
    else:
        content["filters"] = others


def _keys(cls: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(cls)]


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return (
        f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(sorted(set(filter(None, known))))}"
    )


def _check_keys(content: Any, known: Sequence[str], where: Place) -> None:
    if not isinstance(content, Mapping):
        raise UsageError(f"{where} must be a mapping, got {type(content).__name__}")
    for key in content:
        if key not in known:
            raise UsageError(f"{where.at(key)} has an unknown key {key!r}{_nearest(str(key), known)}")


def _entries(registry: Mapping[str, type[Any]], content: Mapping[str, Any], key: str, where: Place) -> list[Any]:
    """The sources or filters that a list in the recipe describes."""
    entries = content.get(key) or []
    if not isinstance(entries, list):
        raise UsageError(f"{where.at(key, name=key)} must be a list, got {entries!r}")
    return [_typed(registry, entry, where.at(key, k, name=f"{key}[{k}]")) for k, entry in enumerate(entries)]


def _typed(registry: Mapping[str, type[Any]], entry: Any, where: Place) -> Any:
    if not isinstance(entry, Mapping) or "type" not in entry:
        raise UsageError(f"{where} must be a mapping with a `type`; expected one of {', '.join(registry)}")
    if entry["type"] not in registry:
        hint = _nearest(str(entry["type"]), list(registry))
        raise UsageError(f"{where.at('type')} has an unknown type {entry['type']!r}{hint}")
    settings = {key: value for key, value in entry.items() if key != "type"}
    return _checked(registry[entry["type"]], settings, where.at(name=f"{where.inside} ({entry['type']})"))


def _checked(cls: type[Any], settings: Any, where: Place) -> Any:
    _check_keys(settings, _keys(cls), where)
    settings = dict(settings)
    for f in dataclasses.fields(cls):  # a single value where a list is meant
        if isinstance(settings.get(f.name), str) and str(f.type).startswith("tuple"):
            settings[f.name] = [settings[f.name]]
    try:
        return TypeAdapter(cls).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        got = "" if first["type"] == "value_error" else f", got {first['input']!r}"
        wrong = first["loc"] or (message.split(" ")[0],)  # our own messages mostly begin with the setting's name
        raise UsageError(f"{where.at(*wrong)}{'.' + place if place else ''}: {message}{got}") from error
