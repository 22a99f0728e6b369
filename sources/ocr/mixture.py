"""Which kinds of pages can be made in which languages, with which weights and tasks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sources.ocr.markup.template import Template
from sources.ocr.passages import Passages
from sources.ocr.templates.registry import (
    CONTINUED,
    DIRECT_TEMPLATES,
    KINDS,
    RECORDED,
    TABLED,
    required_languages,
    supported_languages,
)
from sources.text.languages import RIGHT_TO_LEFT, SHAPED

SCENE = "scene"  # the kind that is not a template
DOCUMENTS = 0.5  # fraction of pages that Markdown files are laid out on, where there are some


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """The settings of a source that decide what can be made.

    Args:
        kinds: weights by name; empty for all. `scene` is the share of scenes then.
        languages: of the run; empty for those of the texts.
        templates: pages of the user.
        has_input: texts are the user's.
    """

    kinds: Mapping[str, float]
    scene: float
    tasks: Mapping[str, float]
    languages: Sequence[str]
    templates: Sequence[Template]
    pages: int
    engine: str
    has_input: bool

    def choices(self, passages: Passages, languages: Sequence[str]) -> tuple[dict[str, list[str]], Mapping[str, float]]:
        """Return the languages of each kind that can be made of some texts, and the weights of the kinds."""
        of_templates = self.languages or tuple({template.language: None for template in self.templates})
        weights = self._weights(any(passages.num_blocks(language) for language in languages))
        found: dict[str, list[str]] = {}
        for kind in sorted(weights):
            if weights[kind] > 0 and self.tasks_of(kind):
                possible = self.languages_of(kind, of_templates if kind == "template" else languages)
                found[kind] = [language for language in possible if self._has_material(kind, language, passages)]
        if self.has_input and not self.kinds:  # its text is the grammar's: a translation of the user's is not known
            found.pop("bilingual", None)
        return {kind: possible for kind, possible in found.items() if possible}, weights

    def tasks_of(self, kind: str) -> dict[str, float]:
        """Return the weights of the tasks that a kind has."""
        having = {"json": kind in RECORDED, "table": kind in TABLED}
        if kind == "template":
            having["json"] = self.pages == 1 and all(template.has_pairs for template in self.templates)
            having["table"] = self.pages == 1 and all(template.has_merged_cells for template in self.templates)
        return {
            task: self.tasks[task] for task in sorted(self.tasks) if self.tasks[task] > 0 and having.get(task, True)
        }

    def languages_of(self, kind: str, languages: Iterable[str]) -> list[str]:
        """Return the languages, out of some, that a kind supports with the engine."""
        if kind == SCENE:
            return list(languages)
        found = supported_languages(kind, languages)
        if (
            self.engine == "chromium" and kind not in DIRECT_TEMPLATES
        ):  # its script reports characters from left to right
            return [name for name in found if name not in (*SHAPED, *RIGHT_TO_LEFT)]
        return list(found)

    def _weights(self, has_markdown: bool) -> Mapping[str, float]:
        """Return the weights of the kinds: those named, or by default all with what they need."""
        if self.kinds:
            return self.kinds
        if self.templates:
            return {"template": 1.0}
        kinds = KINDS if self.pages == 1 else tuple(CONTINUED)
        scene = self.scene if self.pages == 1 else 0.0
        own = DOCUMENTS * (1 - scene) if has_markdown else 0.0
        weights = {**dict.fromkeys(kinds, (1 - scene - own) / len(kinds)), SCENE: scene}
        return {**weights, "document": own} if own else weights

    def _has_material(self, kind: str, language: str, passages: Passages) -> bool:
        """Return whether there is what pages of a kind in a language are made of."""
        if kind == "template":
            has_text = not self.has_input or passages.count(language) > 0
            return has_text and any(template.language == language for template in self.templates)
        if kind == "document":
            return passages.num_blocks(language) > 0
        return all(passages.count(needed) for needed in required_languages(kind, language))
