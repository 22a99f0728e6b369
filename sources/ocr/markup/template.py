"""A template of the user: a page of HTML with slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sources.ocr.markup.elements import Element

Slots = Mapping[str, str | Sequence[str]]  # of the user, by name: a type, or the values of which one is taken


@dataclass(frozen=True, slots=True)
class Template:
    """A page with slots.

    Args:
        name: of its file.
        language: of its words, and of what fills its slots; `lang` of `html`, else English.
        slots: declared by the user.
    """

    name: str
    body: Element
    language: str
    slots: Slots

    @property
    def has_pairs(self) -> bool:
        """True if it has keys and values."""
        return any(element.tag == "dl" for element in self.body.elements())

    @property
    def has_merged_cells(self) -> bool:
        """True if a table has cells over several columns or rows."""
        return any(not {"colspan", "rowspan"}.isdisjoint(element.attributes) for element in self.body.elements())
