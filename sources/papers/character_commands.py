r"""Commands that make characters and control sequences of other tokens: \char, \string, \csname, \xspace."""

import re

from sources.papers.definitions import as_tex
from sources.papers.expansion import Expander
from sources.papers.tokens import Raw, is_command

_DECIMAL, _OCTAL, _HEXADECIMAL = re.compile(r"\d{1,7}"), re.compile("[0-7]{1,7}"), re.compile("[0-9A-F]{1,6}")
_NO_SPACE_BEFORE = frozenset((*" ~.!,:;?/')-{}", "\\/", "\\ ", "\\space", "\\footnote", "\\footnotemark", "\\par"))


def csname(expander: Expander) -> None:
    r"""Read \csname."""
    name = expander.until(("\\endcsname",))
    expander.push([f"\\{''.join(token for token in name if token != ' ').replace(chr(92), '')}"])


def string(expander: Expander) -> None:
    r"""Read \string."""
    expander.push((Raw(expander.raw(), "text"),))


def detokenize(expander: Expander) -> None:
    r"""Read \detokenize."""
    expander.push((Raw(as_tex(expander.argument()), "text"),))


def char(expander: Expander) -> None:
    r"""Push the character whose code follows: decimal, `'` octal, `"` hexadecimal, or a backtick and the sign."""
    expander.skip_spaces()
    first = expander.raw()
    if first == "`":
        sign = expander.raw()
        rest = "" if is_command(sign) else sign[1:]
        sign = sign[-1:] if is_command(sign) else sign[:1]
        expander.push((Raw(sign, "text"), rest or _without_space(expander)))
        return
    digits = expander.raw() if first in ("'", '"') else first
    found = {"'": _OCTAL, '"': _HEXADECIMAL}.get(first, _DECIMAL).match(digits)
    if found is None:
        expander.push((digits,))
        return
    code = int(found[0], {"'": 8, '"': 16}.get(first, 10))
    is_printed = 32 <= code < 0xE000
    rest = digits[found.end() :] or _without_space(expander)
    expander.push(((Raw(chr(code), "text") if is_printed else ""), rest))


def _without_space(expander: Expander) -> str:
    """Return the next token, which must not be pushed back if it is the space that ends a number."""
    token = expander.raw()
    return "" if token == " " else token


def symbol(expander: Expander) -> None:
    r"""Read \symbol."""
    code = "".join(expander.argument()).strip()
    if code[:1] in ("`", "'", '"') or code.isdecimal():
        expander.push(("\\char", *([code] if code.isdecimal() else [code[0], code[1:]])))


def xspace(expander: Expander) -> None:
    r"""Read \xspace: a space, unless what follows is one, ends a group or is punctuation."""
    following = expander.raw()
    is_mark = "\ue000" <= following[:1] <= "\uf8ff"  # the end of a style, or of what is read separately
    needs_space = following and following not in _NO_SPACE_BEFORE and not is_mark and not expander.is_math
    expander.push((" ", following) if needs_space else (following,))


def expandafter(expander: Expander) -> None:
    r"""Read \expandafter before a command that makes one token: \string, \csname and \detokenize."""
    first, second = expander.raw(), expander.raw()
    handler = {"\\string": string, "\\csname": csname, "\\detokenize": detokenize}.get(second)
    if handler is None:
        expander.push((first, second))
        return
    handler(expander)
    expander.push((first,))


def gobble(expander: Expander) -> None:
    r"""Read \@gobble; of the characters that \string makes it takes the first one."""
    taken = expander.argument()
    if len(taken) == 1 and isinstance(taken[0], Raw):
        expander.push((Raw(taken[0][1:], "text"),))
