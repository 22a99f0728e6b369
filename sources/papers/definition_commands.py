r"""Commands that define macros, environments and conditionals: \def, \newcommand, \let and their relatives."""

from sources.papers.definitions import Macro, Parameter, Tokens, parameters_of_def, parameters_of_spec
from sources.papers.expansion import BODY_END, Expander


def define_with_def(expander: Expander, *, is_global: bool = False) -> None:
    r"""Read \def."""
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


def newcommand(expander: Expander, *, only_new: bool = False) -> None:
    r"""Read \newcommand and its relatives."""
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


def document_command(expander: Expander) -> None:
    r"""Read \NewDocumentCommand."""
    name = expander.name_argument()
    parameters = parameters_of_spec(expander.argument())
    expander.define(name, Macro(tuple(expander.argument()), parameters), is_global=True)


def let(expander: Expander) -> None:
    r"""Read \let."""
    name = expander.raw()
    if name == " ":
        name = expander.raw()
    token = expander.raw()
    while token in (" ", "="):
        token = expander.raw()
    _copy_meaning(expander, name, token)


def futurelet(expander: Expander) -> None:
    r"""Read \futurelet."""
    name, following, token = expander.raw(), expander.raw(), expander.raw()
    _copy_meaning(expander, name, token)
    expander.push((following, token))


def _copy_meaning(expander: Expander, name: str, token: str) -> None:
    known = expander.macros.get(token)
    if token and token != name:
        expander.define(name, known or Macro((token,), is_alias=True))


def newenvironment(expander: Expander) -> None:
    r"""Read \newenvironment."""
    expander.star()
    name = "".join(expander.argument())
    parameters = _bracketed(expander)
    before, after = expander.argument(), expander.argument()
    _define_environment(expander, name, before, after, parameters)


def document_environment(expander: Expander) -> None:
    r"""Read \NewDocumentEnvironment."""
    name = "".join(expander.argument())
    parameters = parameters_of_spec(expander.argument())
    before, after = expander.argument(), expander.argument()
    _define_environment(expander, name, before, after, parameters)


def _define_environment(
    expander: Expander, name: str, before: Tokens, after: Tokens, parameters: tuple[Parameter, ...]
) -> None:
    if f"\\begin:{name}" not in expander.fixed:
        expander.environments[name] = Macro((*before, BODY_END, *after), parameters)


def operator(expander: Expander) -> None:
    r"""Read \DeclareMathOperator."""
    command = "\\operatorname*" if expander.star() else "\\operatorname"
    name, body = expander.name_argument(), expander.argument()
    star = ["*"] if command.endswith("*") else []
    expander.define(name, Macro(("\\operatorname", *star, "{", *body, "}")), is_global=True)


def newtheorem(expander: Expander) -> None:
    r"""Read \newtheorem."""
    expander.star()
    name = "".join(expander.argument())
    expander.optional()
    expander.theorems[name] = "".join(expander.argument())
    expander.optional()


def newif(expander: Expander) -> None:
    r"""Read \newif."""
    name = expander.raw()
    if name.startswith("\\if") and len(name) > 3:
        stem = name[3:]
        expander.flags[name] = False
        expander.setters[f"\\{stem}true"] = (name, True)
        expander.setters[f"\\{stem}false"] = (name, False)
