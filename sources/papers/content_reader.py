r"""Reading a paper: tokens to their end, arguments by a specification, and \end of environments."""

from collections.abc import Callable

from sources.papers.blocks import Block
from sources.papers.expansion import Expander
from sources.papers.open_blocks import OpenBlocks
from sources.papers.reading import END
from sources.papers.tokens import PARAGRAPH

_STOP = "\ue07d"


class ContentReader(OpenBlocks):
    """Reads expanded tokens into blocks.

    Args:
        take: puts what a token stands for into the reader.

    Attributes:
        lists: names of the lists that are open.
        front: parts of the title, until the paper prints them.
        has_line_numbers: the lines of the algorithm that is open are numbered.
    """

    def __init__(self, tokens: Expander, take: Callable[["ContentReader", str], None]):
        super().__init__()
        self.tokens = tokens
        self._take = take
        self.num_groups = 0
        self.lists: list[str] = []
        self.front: list[Block] = []
        self.is_book = False
        self.has_line_numbers = False

    def take(self, token: str) -> None:
        """Read a token that is already taken from the paper, and its arguments."""
        self._take(self, token)

    def run(self, tokens: list[str]) -> None:
        """Read tokens to their end."""
        self.tokens.push([*tokens, _STOP])
        while (token := self.tokens.next()) and token != _STOP:
            if token == "\\end":
                self.end()
            else:
                self.take(token)

    def arguments(self, spec: str) -> list[list[str] | None]:
        """Read arguments by their specification (`commands.py`); None for those that are not given."""
        return [self._argument(letter) for letter in spec]

    def _argument(self, letter: str) -> list[str] | None:
        if letter == "s":
            self.tokens.star()
            return None
        if letter == "d":
            while (token := self.tokens.raw()) not in (END, " ", PARAGRAPH, "}"):
                pass
            self.tokens.push((token,))
            return None
        if letter == "o":
            return self.tokens.optional()
        # A group must follow: what is left out takes no letter of the text along.
        return self.tokens.argument() if self.tokens.skip_spaces() == "{" or letter == "M" else None

    def end(self, stop: str = "document") -> bool:
        r"""Handle \end; True for the environment that is waited for."""
        name = "".join(self.tokens.argument())
        if self.tokens.end(name):
            return False
        if name == "document" or name == stop:
            if name != "document":
                self.close_environment()
            return True
        self.close_environment()
        if name in self.lists:
            self.flush()
            while self.lists.pop() != name:
                pass
            self.kind, self.level = "paragraph", max(0, len(self.lists) - 1)
        elif name != "minipage":
            self.flush()
            self.kind = "paragraph"
        if name == "frontmatter":
            self.print_front()
        return False

    def close_environment(self) -> None:
        """End the macros and styles of an environment."""
        self.tokens.close_scope()
        self.close_group()

    def print_front(self) -> None:
        """Add the parts of the title."""
        self.flush()
        self.content.blocks += self.front
        self.front = []
