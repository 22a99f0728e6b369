r"""Conditionals of TeX and LaTeX: those that can be decided from the text are, all others are false."""

from collections.abc import Callable, Collection, Mapping

from sources.base.source import InputError
from sources.papers.definitions import Macro, as_tex
from sources.papers.reading import TokenReader

MAX_STEPS = 600_000  # expansions and conditionals, the empty ones included
_TRUE = frozenset(("\\iftrue", "\\ifpdf", "\\ifPDFTeX", "\\ifpdftex"))
_NUMBERS = frozenset(("\\ifnum", "\\ifdim"))
_PAIRS = frozenset(("\\if", "\\ifcat"))
_NONE = frozenset(
    ("\\iffalse", "\\ifmmode", "\\ifvmode", "\\ifhmode", "\\ifinner", "\\ifxetex", "\\ifluatex", "\\ifXeTeX",
     "\\ifLuaTeX",
     "\\if@twocolumn", "\\if@twoside", "\\ifvtex", "\\iftutex", "\\ifTUTeX", "\\ifluahbtex", "\\ifptex", "\\ifuptex")
)  # fmt: skip
_ONE = frozenset(("\\ifodd", "\\ifcase", "\\ifvoid", "\\ifhbox", "\\ifvbox", "\\ifeof"))
_PRIMITIVES = _TRUE | _NUMBERS | _PAIRS | _NONE | _ONE | {"\\ifx", "\\ifdefined", "\\ifcsname"}


class Conditions(TokenReader):
    """Decides conditionals.

    Args:
        fixed: commands that are known without a definition.
    """

    def __init__(self, fixed: Collection[str]):
        super().__init__()
        self.fixed = fixed
        self.macros: dict[str, Macro] = {}
        self.flags: dict[str, bool] = {}
        self.setters: dict[str, tuple[str, bool]] = {}
        self.is_in_document = False
        self.is_math = False
        self._num_steps = 0

    def count(self, steps: int) -> None:
        """Raise InputError after too many steps."""
        self._num_steps += steps
        if self._num_steps > MAX_STEPS:
            raise InputError("expansion_limit", f"the macros take more than {MAX_STEPS:,} steps")

    def condition(self, token: str) -> bool:
        """Read a conditional if the token begins or continues one; False if it does not."""
        if token == "\\fi":
            return True
        if token in ("\\else", "\\or"):
            self._skip(stop_at_else=False)
            return True
        if token in self.setters:
            flag, value = self.setters[token]
            self.flags[flag] = value
            return True
        if token in _PRIMITIVES or token in self.flags:
            self.count(1)
            if not self._decide(token):
                self._skip(stop_at_else=True)
            return True
        handler = _BRANCHES.get(token)
        if handler is None:
            return False
        handler(self)
        return True

    def _decide(self, token: str) -> bool:
        if token in self.flags:
            return self.flags[token]
        if token == "\\ifx":
            return self._meaning(self._solid()) == self._meaning(self._solid())
        if token in _PAIRS:
            return self._solid() == self._solid()
        if token in _NUMBERS:
            return self._compare()
        if token == "\\ifdefined":
            return self.is_known(self._solid())
        if token == "\\ifcsname":
            return self.is_known("\\" + "".join(self.until(("\\endcsname",))))
        if token in _ONE:
            self._solid()
        return token in _TRUE

    def is_known(self, name: str) -> bool:
        """Return True if a command is defined or fixed."""
        return name in self.macros or name in self.fixed

    def _solid(self) -> str:
        token = self.raw()
        while token == " ":
            token = self.raw()
        return token

    def _meaning(self, token: str) -> object:
        macro = self.macros.get(token)
        if macro is not None and not macro.is_alias:
            return macro
        token = macro.body[0] if macro else token
        return token if token in self.fixed or not token.startswith("\\") or token == "\\relax" else None

    def _compare(self) -> bool:
        left, sign, right = self._number(), self._solid(), self._number()
        if left is None or right is None:
            return False
        return {"<": left < right, ">": left > right, "=": left == right}.get(sign, False)

    def _number(self) -> float | None:
        token = self._solid()
        if token == "\\value":
            self.argument()
            return None
        if token == "-":
            number = self._number()
            return None if number is None else -number
        if token.startswith("\\"):
            macro = self.macros.get(token)
            return float(macro.body[0]) if macro and len(macro.body) == 1 and macro.body[0].isdecimal() else None
        digits = token[: len(token) - len(token.lstrip("0123456789"))]
        return float(digits) if digits.isascii() and digits else None

    def _skip(self, *, stop_at_else: bool) -> None:
        r"""Skip to the \fi of the conditional that is open, or to its \else, but never out of a file."""
        depth, height = 0, len(self.frames)
        while (token := self.raw()) and len(self.frames) >= height:
            if token == "\\fi":
                if depth == 0:
                    return
                depth -= 1
            elif token == "\\else" and depth == 0 and stop_at_else:
                return
            elif token in _PRIMITIVES or token in self.flags:
                depth += 1
        self.push((token,))


def _if_then_else(reader: Conditions) -> None:
    test, yes, no = reader.argument(), reader.argument(), reader.argument()
    text = as_tex(test).replace(" ", "")
    is_true = False
    if text.startswith("\\boolean{"):
        is_true = reader.flags.get(f"\\if{text[9:-1]}", False)
    elif text.startswith("\\equal{"):
        left, _, right = text[7:-1].partition("}{")
        is_true = left == right
    reader.push(yes if is_true else no)


def _if_undefined(reader: Conditions) -> None:
    name, yes, no = "\\" + "".join(reader.argument()), reader.argument(), reader.argument()
    reader.push(no if reader.is_known(name) else yes)


def _if_next(reader: Conditions) -> None:
    wanted, yes, no = reader.argument(), reader.argument(), reader.argument()
    reader.push(yes if [reader.skip_spaces()] == wanted else no)


def _if_star(reader: Conditions) -> None:
    yes, no = reader.argument(), reader.argument()
    reader.push(yes if reader.star() else no)


def _if_value(reader: Conditions, *, is_given: bool = True) -> None:
    value, yes, no = reader.argument(), reader.argument(), reader.argument()
    reader.push(yes if bool(value) == is_given else no)


_BRANCHES: Mapping[str, Callable[[Conditions], None]] = {
    "\\ifthenelse": _if_then_else,
    "\\@ifundefined": _if_undefined,
    "\\@ifnextchar": _if_next,
    "\\@ifstar": _if_star,
    "\\IfBooleanTF": _if_value,
    "\\IfValueTF": _if_value,
    "\\IfNoValueTF": lambda reader: _if_value(reader, is_given=False),
}
