"""A stack of token streams that can be read, peeked into and pushed back to, within limits."""

from collections.abc import Iterator

from sources.base.source import InputError
from sources.papers.definitions import Parameter, Tokens
from sources.papers.tokens import PARAGRAPH, Raw

MAX_EXPANDED = 1_500_000  # tokens that macros expand to, ten times as many as the manuals of Debian's TeX packages have
MAX_ARGUMENT = 400_000  # tokens of an argument
END = ""  # no more tokens


class Frame:
    """Tokens of a file, and those that were pushed back in front of them."""

    __slots__ = ("back", "name", "source")

    def __init__(self, source: Iterator[str], name: str):
        self.source, self.name = source, name
        self.back: list[str] = []


class TokenReader:
    """Reads tokens of nested files."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._num_pushed = 0

    def open_frame(self, source: Iterator[str], name: str) -> None:
        """Read the tokens of a file next."""
        self.frames.append(Frame(source, name))

    def raw(self) -> str:
        """Return the next token without expanding it; END if there is none."""
        while self.frames:
            frame = self.frames[-1]
            if frame.back:
                return frame.back.pop()
            token = next(frame.source, END)
            if token:
                return token
            self.frames.pop()
        return END

    def push(self, tokens: Tokens) -> None:
        """Read tokens next. Raises InputError when macros expand to too many."""
        self._num_pushed += len(tokens)
        if self._num_pushed > MAX_EXPANDED:
            raise InputError("expansion_limit", f"the macros expand to more than {MAX_EXPANDED:,} tokens")
        if not self.frames:
            self.open_frame(iter(()), "")
        self.frames[-1].back += [token for token in reversed(tokens) if token]

    def skip_spaces(self) -> str:
        """Return the next token that is no space, and leave it unread."""
        token = self.raw()
        while token == " ":
            token = self.raw()
        self.push((token,))
        return token

    def argument(self) -> list[str]:
        """Return the tokens of an argument: a group without its braces, or one token."""
        token = self.raw()
        while token in (" ", PARAGRAPH):
            token = self.raw()
        if token == "{":
            return self.until_brace()
        if token == "}":  # an argument is missing
            self.push((token,))
            return []
        if len(token) > 1 and token[0] != "\\" and not isinstance(token, Raw):
            self.push((token[1:],))
            return [token[0]]
        return [token] if token else []

    def until_brace(self) -> list[str]:
        """Return the tokens up to the end of the group that is open, which is read too."""
        found: list[str] = []
        depth = 0
        while token := self.raw():
            if token == "{":
                depth += 1
            elif token == "}":
                if depth == 0:
                    break
                depth -= 1
            found.append(token)
            if len(found) > MAX_ARGUMENT:
                raise InputError("expansion_limit", f"an argument has more than {MAX_ARGUMENT:,} tokens")
        return found

    def optional(self) -> list[str] | None:
        """Return the tokens in brackets; None if none follow."""
        token = self.raw()
        had_space = token == " "
        while token == " ":
            token = self.raw()
        if token != "[":
            self.push((" ", token) if had_space else (token,))
            return None
        return self.until(("]",))

    def star(self) -> bool:
        """Return True and read it if a star follows."""
        token = self.raw()
        if token == "*":
            return True
        self.push((token,))
        return False

    def until(self, delimiter: Tokens) -> list[str]:
        """Return the tokens up to a delimiter outside of groups, which is read too."""
        found: list[str] = []
        depth = 0
        num = len(delimiter)
        while token := self.raw():
            depth += (token == "{") - (token == "}")
            if depth < 0:
                self.push((token,))
                return found
            found.append(token)
            if depth == 0 and found[-num:] == list(delimiter):
                del found[-num:]
                break
            if len(found) > MAX_ARGUMENT:
                raise InputError("expansion_limit", f"an argument has more than {MAX_ARGUMENT:,} tokens")
        if len(found) > 1 and found[0] == "{" and found[-1] == "}" and _is_one_group(found):
            return found[1:-1]
        return found

    def of_parameter(self, parameter: Parameter) -> list[str]:
        """Return the argument for a parameter."""
        if parameter.kind == "star":
            return ["*"] if self.star() else []
        if parameter.kind == "optional":
            given = self.optional()
            return list(parameter.default) if given is None else given
        if parameter.kind == "delimited":
            return self.until(parameter.delimiter)
        return self.argument()


def _is_one_group(tokens: Tokens) -> bool:
    depth = 0
    for k, token in enumerate(tokens):
        depth += (token == "{") - (token == "}")
        if depth == 0:
            return k == len(tokens) - 1
    return False
