"""Blocks of a paper under construction: the text that is open, where it belongs, and the blocks before it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sources.base.source import InputError
from sources.papers.blocks import Block, Content, Hole, Kind, Object, Stream, object_mark

MAX_BLOCKS = 100_000


class OpenBlocks:
    """Collects the text of a block, and the blocks of a paper.

    Attributes:
        text: parts of the block that is open, with marks.
        kind, level, stream, group: what the block will be.
        closers: for each open group, the marks that end the styles in it.
    """

    def __init__(self) -> None:
        self.content = Content()
        self.text: list[str] = []
        self.kind: Kind = "paragraph"
        self.level = 0
        self.stream: Stream = "main"
        self.group = 0
        self.closers: list[list[str]] = [[]]

    def add(self, block: Block) -> None:
        """Add a block. Raises InputError if the paper has too many."""
        self.content.blocks.append(block)
        if len(self.content.blocks) > MAX_BLOCKS:
            raise InputError("too_large", f"the paper has more than {MAX_BLOCKS:,} blocks")

    def flush(self) -> None:
        """End the block that is open."""
        text = "".join(self.text)
        self.text = []
        if text.strip():
            self.add(Block(self.kind, text, self.level, self.stream, self.group))
        if self.kind == "item":  # the item's further paragraphs
            self.kind = "paragraph"

    def literal(self, kind: Kind, text: str, level: int = 0) -> None:
        """Add a block with a text that is not in the paper."""
        self.flush()
        self.add(Block(kind, text, level, self.stream, self.group))

    def object(self, item: Object) -> None:
        """Put an object into the text."""
        self.text.append(object_mark(len(self.content.objects)))
        self.content.objects.append(item)

    def label(self) -> None:
        """Put the label that the page prints before a text."""
        self.object(Hole("label"))
        self.text.append(" ")

    @contextmanager
    def apart(self, kind: Kind, stream: Stream | None = None, *, level: int = 0) -> Iterator[None]:
        """Collect separate text, and go on with the text around it afterwards."""
        kept = self.text, self.kind, self.stream, self.level, self.closers
        self.text, self.kind, self.stream, self.level = [], kind, stream or self.stream, level
        self.closers = [[]]
        yield
        self.flush()
        self.text, self.kind, self.stream, self.level, self.closers = kept

    def close_group(self) -> None:
        """End the styles of the group that is open."""
        if len(self.closers) > 1:
            self.text += reversed(self.closers.pop())
