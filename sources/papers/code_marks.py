r"""How a paper marks code: environments and signs, those that it defines included."""

import re
from dataclasses import dataclass, field

ENVIRONMENTS = (
    "verbatim", "verbatim*", "Verbatim", "Verbatim*", "BVerbatim", "LVerbatim", "lstlisting", "minted", "alltt",
    "listing", "LTXexample", "verbatimtab", "Code", "CodeInput", "CodeOutput", "Sinput", "Soutput", "dispListing",
    "dispExample", "tcblisting", "tcblisting*",
)  # fmt: skip
DEFINING = frozenset(
    ("\\lstnewenvironment", "\\DefineVerbatimEnvironment", "\\newtcblisting", "\\NewTCBListing", "\\newverbatim",
     "\\MakeShortVerb", "\\DefineShortVerb", "\\lstMakeShortInline", "\\DeleteShortVerb", "\\UndefineShortVerb",
     "\\lstDeleteShortInline", "\\documentclass", "\\newminted", "\\newenvironment", "\\renewenvironment", "\\let",
     "\\def")
)  # fmt: skip
_COMMANDS = frozenset(
    ("verbatim", "Verbatim", "BVerbatim", "alltt", "lstlisting", "verbatimtab")
)  # also without \\begin
MAX_DEFINITION = 5_000  # characters of an environment's definition
_NAME = r"[\w@*:-]+"
_DEFINITION = re.compile(
    rf"\\(?:(?:lstnewenvironment|DefineVerbatimEnvironment|newtcblisting|NewTCBListing|newverbatim)\s*(?:\[[^\]]*\]\s*)?"
    rf"\{{(?P<environment>{_NAME})\}}"
    r"|(?:MakeShortVerb|DefineShortVerb|lstMakeShortInline)\*?\s*(?:\[[^\]]*\]\s*)?\{?\\?(?P<sign>[^\sA-Za-z\\{}%])\}?"
    r"|(?:DeleteShortVerb|UndefineShortVerb|lstDeleteShortInline)\s*\{?\\?(?P<ended>[^\sA-Za-z\\{}%])\}?"
    r"|documentclass\s*(?:\[[^\]]*\]\s*)?\{(?P<manual>ltxdoc|ltxguide|ltnews)\}"  # classes that make | a sign
    r"|newminted\s*(?:\[(?P<minted>[^\]]+)\]\s*)?\{(?P<language>\w+)\}"
    r"|let\s*\\(?P<alias>[A-Za-z@]+)\s*=?\s*\\(?P<known>[A-Za-z@]+)"
    r"|def\\(?P<macro>[A-Za-z@]+)\s*\{[^{}]*\\(?P<opened>[A-Za-z@]+)\s*\})"
)
_NEW_ENVIRONMENT = re.compile(
    rf"\\(?:re)?newenvironment\*?\s*\{{(?P<name>{_NAME})\}}\s*(?:\[\d\]\s*)?(?:\[[^\]]*\]\s*)?"
)
_OPENS = re.compile(rf"\\begin\s*\{{({_NAME})\}}|\\([A-Za-z]+)")
_BRACE = re.compile(r"\\.|%[^\n]*|[{}]", re.DOTALL)
_BETWEEN = re.compile(r"(?:\s|%[^\n]*\n)*")


@dataclass(slots=True)
class CodeMarks:
    r"""How a paper marks code.

    Args:
        environments: names of those whose content is code.
        signs: characters between which code is, such as `|` after `\MakeShortVerb{\|}`.
    """

    environments: set[str] = field(default_factory=lambda: set(ENVIRONMENTS))
    signs: set[str] = field(default_factory=set)

    def learn(self, text: str, place: int) -> int | None:
        """Read a definition; return its end if it is nothing but that, else None."""
        if text.startswith(("\\newenvironment", "\\renewenvironment"), place):
            return self._learn_environment(text, place)
        found = _DEFINITION.match(text, place)
        if found is None:
            return None
        if found["environment"] or found["language"]:
            self.environments.add(found["environment"] or found["minted"] or f"{found['language']}code")
        elif found["alias"] or found["macro"]:
            return self._learn_alias(found)
        elif found["ended"]:
            self.signs.discard(found["ended"])
        else:
            self.signs.add(found["sign"] or "|")
        return None if found["environment"] or found["language"] or found["manual"] else found.end()

    def _learn_alias(self, found: re.Match[str]) -> int | None:
        r"""Read `\def\code{\verbatim}` and `\let\code\verbatim`, which make `code` an environment."""
        if (found["known"] or found["opened"]) not in _COMMANDS:
            return None
        self.environments.add(found["alias"] or found["macro"])
        return found.end()

    def _learn_environment(self, text: str, place: int) -> int | None:
        """Read an environment that begins with the beginning of one of code and does not end that."""
        found = _NEW_ENVIRONMENT.match(text, place)
        if found is None:
            return None
        end = _end_of_group(text, found.end())
        body = text[found.end() : end]
        opened = [
            begun or name for begun, name in _OPENS.findall(body) if name in _COMMANDS or begun in self.environments
        ]
        code = opened[-1] if opened else ""
        if not code or f"\\end{{{code}}}" in body:
            return None
        self.environments.add(found["name"])
        return _end_of_group(text, _BETWEEN.match(text, end).end())  # type: ignore[union-attr]  # matches always


def _end_of_group(text: str, place: int) -> int:
    """Return the place after the group that begins at a place; that place if none does."""
    depth = 0
    for found in _BRACE.finditer(text, place, place + MAX_DEFINITION):
        if depth == 0 and (found[0] != "{" or found.start() != place):
            break
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0:
            return found.end()
    return place
