"""Text that was rendered word by word, with the line of each word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sources.ocr.arrays import Bools, Ints
from sources.ocr.rendered_text import RenderedText


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRendering:
    """A picture of text and the line of each word.

    A word is the text between spaces; in Chinese it is a whole line or a piece of one.

    Args:
        rendered: the picture with its N words in reading order.
        lines: (N,) int32, non-decreasing line number of each word.
        style: kinds of things in the picture, for `flags`: `plate`, `road_sign`, `handwriting`, etc.
    """

    rendered: RenderedText
    lines: Ints
    style: tuple[str, ...]

    def text(self, kept: Iterable[int] | None = None) -> str:
        """Return the text: words separated by spaces (Chinese words by nothing), lines by newlines.

        Args:
            kept: indices of the words to include, increasing; all by default.
        """
        chosen = range(len(self.rendered.texts)) if kept is None else kept
        rows = groupby(chosen, key=lambda k: int(self.lines[k]))
        return "\n".join(join_words([self.rendered.texts[k] for k in row]) for _, row in rows)


def join_words(words: Sequence[str], is_glued: Sequence[bool] | Bools | None = None) -> str:
    """Join the words of a line with spaces, but without spaces between Chinese characters.

    Args:
        is_glued: whether no space stands before a word, if it is known.
    """
    text = ""
    for k, word in enumerate(words):
        has_none = _is_unspaced(text[-1:]) or _is_unspaced(word[:1]) if is_glued is None else is_glued[k]
        text += word if not text or has_none else f" {word}"
    return text


def _is_unspaced(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef" or character in tuple("“”‘’…—")
