r"""Expansion of a paper's macros, \input inside the paper only, and conditionals. Nothing is executed."""

import posixpath
from collections.abc import Callable, Collection, Mapping

from sources.base.source import InputError
from sources.papers.archive import MissingFile, PaperFiles, inside
from sources.papers.code_marks import CodeMarks
from sources.papers.conditions import Conditions
from sources.papers.definitions import Macro, Tokens, as_tex, with_arguments
from sources.papers.reading import END
from sources.papers.tokens import decode, is_command, tokens

MAX_DEPTH = 40  # files in each other
MAX_INPUTS = 2_000
BODY_END = "\ue07e"  # between what an environment begins with and what it ends with
_IGNORED = frozenset(
    ("\\relax", "\\noexpand", "\\protect", "\\global", "\\long", "\\outer",
     "\\makeatletter",
     "\\makeatother", "\\unexpanded", "\\protected", "\\immediate", "\\ignorespaces", "\\unskip", "\\leavevmode")
)  # fmt: skip


class Expander(Conditions):
    """Reads tokens of a paper with its macros expanded.

    Args:
        files: files of the paper.
        main: name of its main file.
        fixed: commands that keep their meaning whatever the paper says.
        handlers: commands that change the tokens that follow, which the paper cannot define.
        of_packages: those of packages; a paper may give their names another meaning. A handler returns False if what
            follows is not for it.
    """

    def __init__(
        self,
        files: PaperFiles,
        main: str,
        fixed: Collection[str],
        handlers: Mapping[str, Callable[["Expander"], None]],
        of_packages: Mapping[str, Callable[["Expander"], bool]],
    ):
        super().__init__(fixed)
        self._handlers, self._of_packages = handlers, of_packages
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
        self._code = CodeMarks()
        self.read_names: list[str] = []
        self.open_file(main)

    def next(self) -> str:
        """Return the next token that no macro stands for; END after the last."""
        while token := self.raw():
            if not is_command(token):
                if token == "{":
                    self._scopes.append({})
                elif token == "}":
                    self.close_scope()
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
            if token in self._handlers:
                self._handlers[token](self)
            elif not (token in self._of_packages and self._of_packages[token](self)) and not self.condition(token):
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
        if name in self.fixed or name in self._handlers or not name.startswith("\\"):
            return
        if self._scopes and not is_global:
            self._scopes[-1].setdefault(name, self.macros.get(name))
        self.macros[name] = macro

    def open_scope(self) -> None:
        """Begin a group."""
        self._scopes.append({})

    def close_scope(self) -> None:
        """End a group and its macros."""
        if self._scopes:
            for name, macro in self._scopes.pop().items():
                if macro is None:
                    self.macros.pop(name, None)
                else:
                    self.macros[name] = macro

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
        split = macro.body.index(BODY_END)
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
