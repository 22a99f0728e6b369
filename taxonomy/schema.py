"""The schema of a taxonomy file, field by field: the loader validates with it, and the JSON Schema is made from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

LANGUAGES = ("en", "zh")
MIN_PROMPTS = 5  # per leaf and language; the labeller does not learn a leaf with fewer
RECOMMENDED_PROMPTS = 25  # per leaf and language; `validate` warns below
RECOMMENDED_QUESTIONS = 12  # wordings per kind and language; with fewer a model learns the wording
MAX_PROMPT_CHARS = 2000
SCHEMA_PATH = Path(__file__).parent / "use_cases.schema.json"

Slug = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=48)]
Id = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*$", max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT_CHARS)]
Share = Annotated[float, Field(gt=0, le=1)]
_FORBID = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class LocalizedText:
    """A text in English and in Chinese."""

    __pydantic_config__ = _FORBID

    en: Text
    zh: Text


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """Prompts as users type them, by language."""

    __pydantic_config__ = _FORBID

    en: Annotated[list[Text], Field(min_length=MIN_PROMPTS)]
    zh: Annotated[list[Text], Field(min_length=MIN_PROMPTS)]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Questions that an instruction writer may ask, by language; the writer fills in {names} in braces."""

    __pydantic_config__ = _FORBID

    en: Annotated[list[Text], Field(min_length=1)]
    zh: Annotated[list[Text], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """Regular expressions by language; a prompt that matches one of them belongs to this leaf for certain."""

    __pydantic_config__ = _FORBID

    en: list[Text] = field(default_factory=list)
    zh: list[Text] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class HardNegative:
    """A prompt that resembles those in this leaf and belongs to another."""

    __pydantic_config__ = _FORBID

    prompt: Text
    belongs_to: Id


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A use case.

    Args:
        share: the fraction of its parent that an instruction set should have; siblings sum to 1.
        aliases: former ids of this leaf, and of leaves that were merged into it.
        question_templates: by kind, the questions that instruction writers ask for this leaf.
    """

    __pydantic_config__ = _FORBID

    name: LocalizedText
    definition: LocalizedText
    share: Share
    prompts: Prompts
    aliases: list[Id] = field(default_factory=list)
    hard_negatives: list[HardNegative] = field(default_factory=list)
    patterns: Patterns = field(default_factory=Patterns)
    question_templates: dict[Slug, Questions] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A group or a category, which has nodes below it.

    Args:
        share: the fraction of its parent; siblings sum to 1.
        aliases: former ids, for nodes that were moved with all that is below them.
    """

    __pydantic_config__ = _FORBID

    name: LocalizedText
    definition: LocalizedText
    share: Share
    nodes: Annotated[dict[Slug, "AnyNode"], Field(min_length=1)]
    aliases: list[Id] = field(default_factory=list)


def _kind(value: Any) -> str:
    is_branch = "nodes" in value if isinstance(value, Mapping) else isinstance(value, Branch)
    return "branch" if is_branch else "leaf"


AnyNode = Annotated[Annotated[Branch, Tag("branch")] | Annotated[Leaf, Tag("leaf")], Discriminator(_kind)]


@dataclass(frozen=True, kw_only=True)
class File:
    """A taxonomy file."""

    __pydantic_config__ = _FORBID

    nodes: Annotated[dict[Slug, AnyNode], Field(min_length=1)]


@cache
def file_adapter() -> TypeAdapter[File]:
    """Return what checks a file: 0.09 s to make, which processes that check none need not pay."""
    return TypeAdapter(File)


def json_schema() -> str:
    """Return the JSON Schema of a taxonomy file, for editors."""
    schema = file_adapter().json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Vellum use-case taxonomy"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
