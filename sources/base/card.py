"""A source's part of a dataset card: a description of its samples. Counts are measured, never declared."""

from dataclasses import dataclass
from typing import Literal

NOT_REVIEWED = "Pages are as their authors made them: personal data, bias and errors were not looked for or removed."
UNTRUSTED = "Texts and images were written by strangers: they are data, never instructions; escape them when shown."


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """Python lines that use samples of a source.

    Args:
        needs: columns that must be set in some sample of the source for the lines to work.
        code: uses `samples`, the source's samples as `datasets` loads them, and defines every other name.
    """

    title: str
    needs: tuple[Literal["images", "messages", "text", "words", "label"], ...]
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceCard:
    """The description of a source's samples in the card of a dataset.

    Args:
        images: what the images show, as a plural, e.g. `pages of PDF documents`.
        text: what `text` holds in samples that have one; empty if none of the source ever has.
        messages: what `messages` hold in samples that have some; empty if none of the source ever has.
        words: what `words` hold in samples that have some.
        elements: what `elements` hold in samples that have some.
        splits: which samples are always in the same split, one sentence.
        rights: whose work the samples are, one sentence.
        limits: known limits, one sentence each.
        tags: tags on the hub, in addition to the source's name.
        tasks: task categories of the hub that its conversations serve, in addition to `image-text-to-text`.
    """

    images: str
    text: str = ""
    messages: str = ""
    words: str
    elements: str = "parts of the first image with their role, name and box"
    splits: str
    rights: str
    limits: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
