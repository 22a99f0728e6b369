r"""Expansion of a paper's macros, \input inside the paper only, and conditionals. Nothing is executed."""

import posixpath
import re
from collections.abc import Callable, Collection, Mapping

from sources.base.source import InputError
from sources.papers.archive import MissingFile, PaperFiles, inside
from sources.papers.conditions import Conditions
from sources.papers.definitions import (
    Macro,
    Parameter,
    Tokens,
    as_tex,
    parameters_of_def,
    parameters_of_spec,
    with_arguments,
)
from sources.papers.quantities import as_formula, as_text, number_of, unit_of
from sources.papers.reading import END
from sources.papers.tokens import Code, Raw, decode, is_command, tokens

MAX_DEPTH = 40  # files in each other
MAX_INPUTS = 2_000
_DECIMAL, _OCTAL, _HEXADECIMAL = re.compile(r"\d{1,7}"), re.compile("[0-7]{1,7}"), re.compile("[0-9A-F]{1,6}")
_IGNORED = frozenset(
    ("\\xspace", "\\relax", "\\expandafter", "\\noexpand", "\\protect", "\\global", "\\long", "\\outer",
     "\\makeatletter",
     "\\makeatother", "\\unexpanded", "\\protected", "\\immediate", "\\ignorespaces", "\\unskip", "\\leavevmode")
)  # fmt: skip


class Expander(Conditions):
    """Reads tokens of a paper with its macros expanded.

    Args:
        files: files of the paper.
        main: name of its main file.
        fixed: commands that keep their meaning whatever the paper says.
    """

    def __init__(self, files: PaperFiles, main: str, fixed: Collection[str]):
        super().__init__(fixed)
        self.files = files
        self.folder = posixpath.dirname(main)
        self.stem = posixpath.splitext(main)[0]
        self.missing: set[str] = set()
        self.theorems: dict[str, str] = {}
        self.environments: dict[str, Macro] = {}
        self.units: dict[str, str] = {}
        self._ends: list[tuple[str, list[str]]] = []
        self._scopes: list[dict[str, Macro | None]] = []
        self._num_inputs = 0
        self._code = Code()
        self.read_names: list[str] = []
        self.open_file(main)

    def next(self) -> str:
        """Return the next token that no macro stands for; END after the last."""
        while token := self.raw():
            if not is_command(token):
                if token == "{":
                    self._scopes.append({})
                elif token == "}":
                    self._close_scope()
                return token
            macro = self.macros.get(token)
            if macro is not None and macro.is_alias:
                token = macro.body[0]
                self.count(1)
                if not is_command(token):
                    self.push((token,))
                    continue
            elif macro is not None:
                self._expand(macro)
                continue
            if token in _IGNORED:
                continue
            if token in _HANDLERS:
                _HANDLERS[token](self)
            elif token in _QUANTITIES and self.skip_spaces() in ("{", "["):
                _quantity(self, _QUANTITIES[token])
            elif token == "\\DeclareSIUnit":
                _declare_unit(self)
            elif not self.condition(token):
                return token
        return END

    def expanded(self, given: Tokens) -> list[str]:
        """Return tokens with their macros expanded."""
        mark = "\ue07f"
        self.push([*given, mark])
        found: list[str] = []
        while (token := self.next()) and token != mark:
            found.append(token)
        return found

    def define(self, name: str, macro: Macro, *, is_global: bool = False) -> None:
        """Define a macro until the end of the group; commands that are fixed stay as they are."""
        if name in self.fixed or name in _HANDLERS or not name.startswith("\\"):
            return
        if self._scopes and not is_global:
            self._scopes[-1].setdefault(name, self.macros.get(name))
        self.macros[name] = macro

    def open_scope(self) -> None:
        """Begin a group."""
        self._scopes.append({})

    def _close_scope(self) -> None:
        if self._scopes:
            for name, macro in self._scopes.pop().items():
                if macro is None:
                    self.macros.pop(name, None)
                else:
                    self.macros[name] = macro

    close_scope = _close_scope

    def _expand(self, macro: Macro) -> None:
        for wanted in macro.prefix:
            token = self.raw()
            if token != wanted:
                self.push((token,))
                break
        arguments = [self.of_parameter(parameter) for parameter in macro.parameters]
        self.count(1)
        self.push(with_arguments(macro.body, arguments) if "#" in macro.body else macro.body)

    def begin(self, name: str) -> bool:
        r"""Expand \begin of an environment that the paper defines; False if it defines none of this name."""
        macro = self.environments.get(name)
        if macro is None:
            return False
        arguments = [self.of_parameter(parameter) for parameter in macro.parameters]
        split = macro.body.index("\ue07e")
        self._ends.append((name, with_arguments(macro.body[split + 1 :], arguments)))
        self.push(with_arguments(macro.body[:split], arguments))
        return True

    def end(self, name: str) -> bool:
        r"""Expand \end of an environment that the paper defines; False if it is none."""
        for k in range(len(self._ends) - 1, -1, -1):
            if self._ends[k][0] == name:
                self.push(self._ends[k][1])
                del self._ends[k:]
                return True
        return False

    def open_file(self, name: str, *, internal: bool = False) -> bool:
        """Read a file of the paper next; False if it has none of this name. Raises InputError for a loop."""
        found = self.find(name, (".tex", ".ltx", ""))
        if found is None:
            self.missing.add(name[:200])
            return False
        if any(frame.name == found for frame in self.frames):
            raise InputError("input_loop", f"{found} reads itself with \\input")
        self._num_inputs += 1
        if len(self.frames) > MAX_DEPTH or self._num_inputs > MAX_INPUTS:
            raise InputError("input_loop", f"more than {MAX_DEPTH} files in each other, or {MAX_INPUTS:,} in all")
        try:
            text = decode(self.files.read(found))
        except MissingFile:
            self.missing.add(name[:200])
            return False
        self.read_names.append(found)
        self.open_frame(tokens(text, internal=internal, code=self._code), found)
        return True

    def find(self, name: str, suffixes: Collection[str]) -> str | None:
        """Return the file that the paper calls by a name; never one outside of it."""
        plain = name.strip().strip('"').removeprefix("./")
        if inside(plain) is None and inside(posixpath.join(self.folder, plain)) is None:
            return None
        for folder in dict.fromkeys((self.folder, "")):
            for suffix in suffixes:
                found = inside(posixpath.join(folder, plain + suffix)) if not plain.startswith("/") else None
                if found is not None and self.files.has(found):
                    return found
        return None

    def name_argument(self) -> str:
        r"""Return the name of a control sequence that is to be defined, as `\name`."""
        if self.skip_spaces() == "{":
            found = [token for token in self.argument() if token != " "]
            return found[0] if len(found) == 1 else as_tex(found)
        return self.raw()


def _def(expander: Expander, *, is_global: bool = False) -> None:
    name = expander.raw()
    while name == " ":
        name = expander.raw()
    text: list[str] = []
    while (token := expander.raw()) and token != "{":
        text.append(token)
    body = expander.until_brace()
    prefix, parameters = parameters_of_def(text)
    if name in body and not parameters and name in expander.macros:  # \edef\list{\list, more}
        known = expander.macros[name].body
        body = [part for token in body for part in (known if token == name else (token,))]
    expander.define(name, Macro(tuple(body), parameters, prefix), is_global=is_global)


def _newcommand(expander: Expander, *, only_new: bool = False) -> None:
    expander.star()
    name = expander.name_argument()
    parameters = _bracketed(expander)
    body = expander.argument()
    if not (only_new and (name in expander.macros or name in expander.fixed)):
        expander.define(name, Macro(tuple(body), parameters), is_global=not expander.is_in_document)


def _bracketed(expander: Expander) -> tuple[Parameter, ...]:
    """The parameters that `[2][default]` announces."""
    count = "".join(expander.optional() or ()).strip()
    default = expander.optional() if count else None
    num = int(count) if count.isdigit() and len(count) == 1 else 0
    first = () if default is None or not num else (Parameter("optional", default=tuple(default)),)
    return (*first, *(Parameter() for _ in range(num - len(first))))


def _document_command(expander: Expander) -> None:
    name = expander.name_argument()
    parameters = parameters_of_spec(expander.argument())
    expander.define(name, Macro(tuple(expander.argument()), parameters), is_global=True)


def _let(expander: Expander) -> None:
    name = expander.raw()
    if name == " ":
        name = expander.raw()
    token = expander.raw()
    while token in (" ", "="):
        token = expander.raw()
    _copy_meaning(expander, name, token)


def _futurelet(expander: Expander) -> None:
    name, following, token = expander.raw(), expander.raw(), expander.raw()
    _copy_meaning(expander, name, token)
    expander.push((following, token))


def _copy_meaning(expander: Expander, name: str, token: str) -> None:
    known = expander.macros.get(token)
    if token and token != name:
        expander.define(name, known or Macro((token,), is_alias=True))


def _newenvironment(expander: Expander) -> None:
    expander.star()
    name = "".join(expander.argument())
    parameters = _bracketed(expander)
    before, after = expander.argument(), expander.argument()
    _define_environment(expander, name, before, after, parameters)


def _document_environment(expander: Expander) -> None:
    name = "".join(expander.argument())
    parameters = parameters_of_spec(expander.argument())
    before, after = expander.argument(), expander.argument()
    _define_environment(expander, name, before, after, parameters)


def _define_environment(
    expander: Expander, name: str, before: Tokens, after: Tokens, parameters: tuple[Parameter, ...]
) -> None:
    if f"\\begin:{name}" not in expander.fixed:
        expander.environments[name] = Macro((*before, "\ue07e", *after), parameters)


def _operator(expander: Expander) -> None:
    command = "\\operatorname*" if expander.star() else "\\operatorname"
    name, body = expander.name_argument(), expander.argument()
    star = ["*"] if command.endswith("*") else []
    expander.define(name, Macro(("\\operatorname", *star, "{", *body, "}")), is_global=True)


def _newtheorem(expander: Expander) -> None:
    expander.star()
    name = "".join(expander.argument())
    expander.optional()
    expander.theorems[name] = "".join(expander.argument())
    expander.optional()


def _newif(expander: Expander) -> None:
    name = expander.raw()
    if name.startswith("\\if") and len(name) > 3:
        stem = name[3:]
        expander.flags[name] = False
        expander.setters[f"\\{stem}true"] = (name, True)
        expander.setters[f"\\{stem}false"] = (name, False)


def _input(expander: Expander) -> None:
    if expander.skip_spaces() == "{":
        name = as_tex(expander.argument())
    else:
        name = ""
        while (token := expander.raw()) not in (END, " ", "\\par", "}", "\\relax"):
            name += token
        if token == "}":
            expander.push((token,))
    if name:
        expander.open_file(name)


def _import(expander: Expander) -> None:
    expander.star()
    folder, name = as_tex(expander.argument()), as_tex(expander.argument())
    expander.open_file(posixpath.join(folder, name))


def _if_file(expander: Expander) -> None:
    name = as_tex(expander.argument())
    yes, no = expander.argument(), expander.argument()
    expander.push(yes if expander.find(name, (".tex", "")) else no)


def _package(expander: Expander) -> None:
    expander.optional()
    for name in "".join(expander.argument()).split(","):
        if expander.find(name.strip(), (".sty",)) and not expander.is_in_document:
            expander.open_file(f"{name.strip()}.sty", internal=True)
    expander.optional()


def _bibliography(expander: Expander) -> None:
    if expander.skip_spaces() == "{":
        expander.argument()
    _bbl(expander)


def _bbl(expander: Expander) -> None:
    expander.optional()
    own = f"{posixpath.basename(expander.stem)}.bbl"
    others = [name for name in expander.files.names() if name.endswith(".bbl")]
    if expander.find(own, ("",)):
        expander.open_file(own)
    elif len(others) == 1 and not any(frame.name == others[0] for frame in expander.frames):
        expander.open_file(others[0])
    else:
        expander.missing.add(own)


def _csname(expander: Expander) -> None:
    name = expander.until(("\\endcsname",))
    expander.push([f"\\{''.join(token for token in name if token != ' ').replace(chr(92), '')}"])


def _endinput(expander: Expander) -> None:
    if len(expander.frames) > 1:
        expander.frames.pop()


def _begingroup(expander: Expander) -> None:
    expander.open_scope()


def _endgroup(expander: Expander) -> None:
    expander.close_scope()


def _string(expander: Expander) -> None:
    expander.push((Raw(expander.raw(), "text"),))


def _detokenize(expander: Expander) -> None:
    expander.push((Raw(as_tex(expander.argument()), "text"),))


def _char(expander: Expander) -> None:
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


def _symbol(expander: Expander) -> None:
    code = "".join(expander.argument()).strip()
    if code[:1] in ("`", "'", '"') or code.isdecimal():
        expander.push(("\\char", *([code] if code.isdecimal() else [code[0], code[1:]])))


def _ensuremath(expander: Expander) -> None:
    body = expander.argument()
    expander.push(body if expander.is_math else ["$", *body, "$"])


def _quantity(expander: Expander, spec: str) -> None:
    """Push a number, unit, angle or range of siunitx as text, or as a formula if it has powers."""
    expander.optional()
    numbers = [expander.expanded(expander.argument()) for letter in spec if letter in "na"]
    if "u" in spec and numbers:
        expander.optional()  # what is printed before the number
    unit = unit_of(expander.expanded(expander.argument()), expander.units) if "u" in spec else []
    parts: list[str] = []
    for given in numbers or [[]]:
        if spec == "a":
            degrees = as_tex(given).replace(" ", "").split(";")
            number, power = "".join(f"{each}{sign}" for each, sign in zip(degrees, "°′″", strict=False) if each), ""
        else:
            number, power = number_of(given)
        text = as_text(number, power, unit)
        if text is None or expander.is_math:
            formula = list(tokens(as_formula(number, power, unit)))
            parts += formula if expander.is_math else ["$", *formula, "$"]
        else:
            parts.append(Raw(text, "text"))
        parts += ["\\text", "{", " to ", "}"] if expander.is_math else [Raw(" to ", "text")]
    expander.push(parts[: -4 if expander.is_math else -1])


def _declare_unit(expander: Expander) -> None:
    expander.optional()
    name = expander.name_argument()
    symbols = unit_of(expander.expanded(expander.argument()), expander.units)
    expander.units[name] = " ".join(symbol for symbol, _ in symbols)


# `n` number, `u` unit, `a` angle. A paper may give these names another meaning.
_QUANTITIES: Mapping[str, str] = {
    "\\SI": "nu", "\\qty": "nu", "\\si": "u", "\\unit": "u", "\\num": "n", "\\ang": "a",
    "\\SIrange": "nnu", "\\qtyrange": "nnu", "\\numrange": "nn",
}  # fmt: skip
_HANDLERS: Mapping[str, Callable[[Expander], None]] = {
    **dict.fromkeys(("\\def", "\\edef"), _def),
    **{name: lambda expander: _def(expander, is_global=True) for name in ("\\gdef", "\\xdef")},
    **dict.fromkeys(("\\newcommand", "\\renewcommand", "\\DeclareRobustCommand", "\\newrobustcmd",
    "\\DeclareTextFontCommand"), _newcommand),
    "\\providecommand": lambda expander: _newcommand(expander, only_new=True),
    **{
        f"\\{verb}DocumentCommand": _document_command
        for verb in ("New", "Renew", "Provide", "Declare", "NewExpandable", "DeclareExpandable")
    },
    **{f"\\{verb}DocumentEnvironment": _document_environment for verb in ("New", "Renew", "Provide", "Declare")},
    "\\let": _let,
    "\\futurelet": _futurelet,
    "\\newenvironment": _newenvironment,
    "\\renewenvironment": _newenvironment,
    "\\DeclareMathOperator": _operator,
    "\\newtheorem": _newtheorem,
    "\\newif": _newif,
    **dict.fromkeys(("\\input", "\\include", "\\subfile", "\\subfileinclude", "\\@input"), _input),
    **dict.fromkeys(("\\import", "\\subimport", "\\includefrom", "\\inputfrom"), _import),
    "\\IfFileExists": _if_file,
    "\\InputIfFileExists": _if_file,
    "\\usepackage": _package,
    "\\RequirePackage": _package,
    "\\bibliography": _bibliography,
    "\\printbibliography": _bbl,
    "\\csname": _csname,
    "\\endinput": _endinput,
    "\\begingroup": _begingroup,
    "\\endgroup": _endgroup,
    "\\bgroup": _begingroup,
    "\\egroup": _endgroup,
    "\\ensuremath": _ensuremath,
    "\\string": _string,
    "\\detokenize": _detokenize,
    "\\char": _char,
    "\\symbol": _symbol,
}  # fmt: skip
