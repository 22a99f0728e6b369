r"""Commands that read other files of the paper: \input, \usepackage, \bibliography and their relatives."""

import posixpath

from sources.papers.definitions import as_tex
from sources.papers.expansion import Expander
from sources.papers.reading import END


def input_file(expander: Expander) -> None:
    r"""Read \input and \include."""
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


def import_file(expander: Expander) -> None:
    r"""Read \import."""
    expander.star()
    folder, name = as_tex(expander.argument()), as_tex(expander.argument())
    expander.open_file(posixpath.join(folder, name))


def if_file(expander: Expander) -> None:
    r"""Read \IfFileExists."""
    name = as_tex(expander.argument())
    yes, no = expander.argument(), expander.argument()
    expander.push(yes if expander.find(name, (".tex", "")) else no)


def package(expander: Expander) -> None:
    r"""Read \usepackage of a package that the paper has."""
    expander.optional()
    for name in "".join(expander.argument()).split(","):
        if expander.find(name.strip(), (".sty",)) and not expander.is_in_document:
            expander.open_file(f"{name.strip()}.sty", internal=True)
    expander.optional()


def bibliography(expander: Expander) -> None:
    r"""Read \bibliography."""
    if expander.skip_spaces() == "{":
        expander.argument()
    bbl(expander)


def bbl(expander: Expander) -> None:
    """Read the list of references that BibTeX or Biber wrote."""
    expander.optional()
    own = f"{posixpath.basename(expander.stem)}.bbl"
    others = [name for name in expander.files.names() if name.endswith(".bbl")]
    if expander.find(own, ("",)):
        expander.open_file(own)
    elif len(others) == 1 and not any(frame.name == others[0] for frame in expander.frames):
        expander.open_file(others[0])
    else:
        expander.missing.add(own)


def endinput(expander: Expander) -> None:
    r"""Read \endinput."""
    if len(expander.frames) > 1:
        expander.frames.pop()
