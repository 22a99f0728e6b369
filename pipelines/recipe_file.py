"""Recipe files: YAML or a mapping to a checked recipe, or one sentence about what is wrong and where."""

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from filters.filter import Filter
from pipelines.duplicates.settings import Dedupe
from pipelines.mixture.settings import Mixture
from pipelines.recipe import Limits, Output, Recipe, UsageError
from pipelines.registry import FILTERS, SOURCES
from pipelines.release import Release
from sources.base.source import Source
from sources.config_file import ConfigFileError, Place, load
from taxonomy.settings import InstructionSettings, LabelSettings


def load_recipe(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. It is checked, so that errors name the file and the line. Raises UsageError."""
    expected = f"a mapping with the keys {', '.join(keys(Recipe))}"
    try:
        root = load(path, expected)
    except ConfigFileError as error:
        raise UsageError(str(error)) from error
    content = root.data()
    if not isinstance(content, dict) or content.keys().isdisjoint(keys(Recipe)):  # its text may be anybody's secret
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
    _check_keys(content, keys(Recipe), where)
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
                raise UsageError(f"{place}: no source is of the component {name!r}{nearest(name, components)}")
    mixture = content.get("mixture")
    shares = mixture.get("shares") if isinstance(mixture, Mapping) else None
    if isinstance(shares, Mapping):
        place = where.at("mixture", name="mixture")
        for name in shares:
            if name not in components:
                raise UsageError(f"{place}: no source is of the component {name!r}{nearest(str(name), components)}")
        for name in components:
            if name not in shares:
                raise UsageError(f"{place} has no share for {name}; give it one, or leave its sources out")


def _names(value: Any, where: Place) -> tuple[str, ...]:
    """One name or a list of names, as a tuple."""
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"{where} must be a list of names, got {value!r}")
    return tuple(names)


def keys(cls: Any) -> list[str]:
    """Return the names of the settings of a class."""
    return [f.name for f in dataclasses.fields(cls)]


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the end of a sentence about an unknown word: the known one that is most like it, or all."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return (
        f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(sorted(set(filter(None, known))))}"
    )


def _check_keys(content: Any, known: Sequence[str], where: Place) -> None:
    if not isinstance(content, Mapping):
        raise UsageError(f"{where} must be a mapping, got {type(content).__name__}")
    for key in content:
        if key not in known:
            raise UsageError(f"{where.at(key)} has an unknown key {key!r}{nearest(str(key), known)}")


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
        hint = nearest(str(entry["type"]), list(registry))
        raise UsageError(f"{where.at('type')} has an unknown type {entry['type']!r}{hint}")
    settings = {key: value for key, value in entry.items() if key != "type"}
    return _checked(registry[entry["type"]], settings, where.at(name=f"{where.inside} ({entry['type']})"))


def _checked(cls: type[Any], settings: Any, where: Place) -> Any:
    _check_keys(settings, keys(cls), where)
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
