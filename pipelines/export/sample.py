"""A sample on its way out of an output."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Message

_LEADING_MARKS = re.compile(rf"(?:\s*{re.escape(IMAGE_PLACEHOLDER)})+\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedImage:
    """An image with its name, which is unique in the output: `<id of the sample>-<number>.<extension>`."""

    name: str
    data: bytes

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedSample:
    """A row of `data/`: `messages` for a conversation, else `text`.

    Args:
        about: language, use case, licence and origin, as far as the row has them.
    """

    id: str
    source: str
    images: Sequence[ExportedImage] = ()
    messages: Sequence[Message] | None = None
    text: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)


def as_conversation(sample: ExportedSample, prompt: str = "") -> list[Message]:
    """Return the sample's turns. A text becomes an answer.

    Images at the beginning of the text are the question, followed by `prompt`; the rest is the answer, with its images
    in their places. Nothing is returned for a text that has nothing but images.
    """
    if sample.messages is not None:
        return list(sample.messages)
    text = sample.text or ""
    led = _LEADING_MARKS.match(text)
    marks = led[0].count(IMAGE_PLACEHOLDER) if led else 0
    answer = text[led.end() :] if led else text
    if not answer.strip():
        return []
    question = "\n".join([IMAGE_PLACEHOLDER] * marks + ([prompt] if prompt else []))
    return [Message(role="user", content=question), Message(role="assistant", content=answer)]
