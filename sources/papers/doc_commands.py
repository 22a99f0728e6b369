r"""Commands of the classes for manuals, ltxdoc and its relatives: `\cs{a}` prints \a, `\marg{a}` prints {⟨a⟩}."""

from collections.abc import Callable, Mapping
from functools import partial

from sources.papers.definitions import as_tex
from sources.papers.expansion import Expander
from sources.papers.tokens import Raw, is_command


def _meta(expander: Expander, before: str, after: str) -> bool:
    """Read the name of an argument."""
    if expander.is_math or expander.skip_spaces() != "{":
        return False
    name = expander.argument()
    expander.push((Raw(f"{before}⟨", "text"), "\\emph", "{", *name, "}", Raw(f"⟩{after}", "text")))
    return True


def _named(expander: Expander) -> bool:
    r"""Read `\cs{name}`."""
    if expander.is_math or expander.skip_spaces() != "{":
        return False
    expander.push(("\\texttt", "{", "\\textbackslash", *expander.argument(), "}"))
    return True


def _shown(expander: Expander) -> bool:
    r"""Read `\cmd\name`, which some classes write `\cmd{name}`."""
    following = expander.skip_spaces()
    if expander.is_math or not (following == "{" or is_command(following or " ")):
        return False
    name = as_tex(expander.argument()).strip()
    expander.push(("\\texttt", "{", Raw(name if name.startswith("\\") else f"\\{name}", "text"), "}"))
    return True


DOC_COMMANDS: Mapping[str, Callable[[Expander], bool]] = {
    "\\meta": partial(_meta, before="", after=""),
    "\\marg": partial(_meta, before="{", after="}"),
    "\\oarg": partial(_meta, before="[", after="]"),
    "\\parg": partial(_meta, before="(", after=")"),
    "\\cs": _named,
    "\\cmd": _shown,
}
