"""`--set KEY=VALUE`: one setting of a recipe changed from the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pipelines.duplicates.settings import Dedupe
from pipelines.mixture.settings import Mixture
from pipelines.recipe import Limits, Output, UsageError
from pipelines.recipe_file import keys, nearest
from pipelines.registry import FILTERS, SOURCES
from pipelines.release import Release
from taxonomy.settings import InstructionSettings, LabelSettings

Settings = dict[str, Any]
Target = tuple[Settings, Sequence[str]]
"""A mapping in the recipe, and the names that it may have."""
# Sections that are there whether the recipe names them or not, and those that naming one of their settings switches on.
ALWAYS: Mapping[str, Any] = {"output": Output, "limits": Limits}
OPTIONAL: Mapping[str, Any] = {
    "taxonomy": LabelSettings,
    "instructions": InstructionSettings,
    "mixture": Mixture,
    "release": Release,
    "dedupe": Dedupe,
}
ON_IF_EMPTY = ("taxonomy", "instructions")  # an empty section of these is not the same as none
OF_RECIPE = ("name", "dedupe", "decontaminate", "decontaminate_except")


def apply_setting(content: Settings, setting: str) -> None:
    """Apply one `--set key=value` to a recipe's mapping, in place. The value is YAML.

    A filter's name alone adds it (`min_words=true`, `min_words={words: 9}`) or drops it (`min_words=false`). Else the
    key is `section.field` (`output.shard_mb`, `language.keep`, `pdfs.side_px`) or a field of the only source
    (`side_px`). Raises UsageError.
    """
    key, value = _parsed(setting)
    if key in FILTERS and (value is None or isinstance(value, bool | dict)):
        _switch(content, key, value)
        return
    section, dot, name = key.rpartition(".")
    targets = _targets(content, section)
    outer, inner, key_of_mapping = section.partition(".")
    if inner and key_of_mapping in _names_in(targets, outer):  # filter.mapping.key
        entry = targets[outer][0][0]
        entry[key_of_mapping] = {**(entry.get(key_of_mapping) or {}), name: value}
        return
    if not dot:
        section = _only_section(targets, key)
    elif section not in targets:
        raise UsageError(f"--set {key}: no section {section!r} in the recipe{nearest(section, list(targets))}")
    if len(targets[section]) > 1:
        raise UsageError(f"--set {key} could mean any of several sources; change the recipe's file")
    mapping, names = targets[section][0]
    if name not in names:
        raise UsageError(f"--set {key}: {section} has no setting {name!r}{nearest(name, names)}")
    mapping[name] = value


def _parsed(setting: str) -> tuple[str, Any]:
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not key:
        raise UsageError(f"--set expects key=value, got {setting!r}")
    try:  # `@FILE` is the name of a file, which YAML does not know
        return key, text if text.startswith("@") else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {key}: the value {text!r} is not valid YAML") from error


def _targets(content: Settings, section: str) -> dict[str, list[Target]]:
    """What may be changed, by section: several where sources share a component. What `section` names is switched on."""
    targets: dict[str, list[Target]] = {"": [(content, OF_RECIPE)]}
    for name, cls in (*ALWAYS.items(), *OPTIONAL.items()):
        is_on = content.get(name) is not None or (name in ON_IF_EMPTY and name in content)
        if name in ALWAYS or name == section or is_on:
            content[name] = content.get(name) or {}
            targets[name] = [(content[name], keys(cls))]
    named = section.partition(".")[0]
    if named in FILTERS and named not in [entry.get("type") for entry in content.get("filters") or []]:
        content["filters"] = [*(content.get("filters") or []), {"type": named}]
    for kind, registry in (("sources", SOURCES), ("filters", FILTERS)):
        for entry in content.get(kind) or []:
            typed: Any = registry.get(str(entry.get("type"))) if isinstance(entry, dict) else None
            if typed is not None:
                for name in sorted({typed.name, entry.get("component") or typed.name}):
                    targets.setdefault(name, []).append((entry, keys(typed)))
    return targets


def _names_in(targets: Mapping[str, Sequence[Target]], section: str) -> Sequence[str]:
    found = targets.get(section, ())
    return found[0][1] if len(found) == 1 else ()


def _only_section(targets: Mapping[str, Sequence[Target]], name: str) -> str:
    """Return the section that a setting without one belongs to: a source's before all others."""
    single = {section: found[0][1] for section, found in targets.items() if len(found) == 1}
    holders = [section for section, names in single.items() if name in names]
    chosen = [section for section in holders if section in SOURCES] or holders
    if len(chosen) > 1:
        raise UsageError(f"--set {name} could mean {' or '.join(f'{section}.{name}' for section in chosen)}")
    if not chosen:
        raise UsageError(
            f"--set {name}: no such setting{nearest(name, [n for names in single.values() for n in names])}"
        )
    return chosen[0]


def _switch(content: Settings, name: str, value: Any) -> None:
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
