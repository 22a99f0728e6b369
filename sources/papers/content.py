r"""The content of a LaTeX paper: its commands and environments as blocks with formulas, tables and references."""

from collections.abc import Callable, Mapping

from sources.base.source import InputError
from sources.papers import algorithms, commands, figures, headings, math_mode, references, running_text
from sources.papers.archive import PaperFiles
from sources.papers.blocks import Content
from sources.papers.content_reader import ContentReader
from sources.papers.environments import begin, item
from sources.papers.expansion import Expander
from sources.papers.handlers import HANDLERS, OF_PACKAGES
from sources.papers.symbols import ACCENTS, SIGNS
from sources.papers.tokens import PARAGRAPH, Raw

_COMMANDS: Mapping[str, Callable[[ContentReader, str], None]] = {  # the last one of a name counts
    **dict.fromkeys(commands.FRONT, headings.front_part),
    **dict.fromkeys(commands.TRANSPARENT, running_text.transparent),
    **dict.fromkeys(commands.CITATIONS, references.citation),
    **dict.fromkeys(commands.REFERENCES, references.reference),
    **dict.fromkeys(commands.SECTIONS, headings.heading),
    **dict.fromkeys(commands.DECLARATIONS, running_text.declared),
    **dict.fromkeys(commands.STYLES, running_text.styled),
    **dict.fromkeys(commands.LENGTHS, running_text.length),
    **dict.fromkeys(commands.LEFT_OUT, running_text.left_out),
    PARAGRAPH: lambda reader, _: reader.flush(),
    "\\begin": begin,
    "\\item": item,
    "\\caption": figures.caption,
    "\\captionof": figures.caption_of,
    **dict.fromkeys(("\\includegraphics", "\\epsfig"), figures.graphics),
    **dict.fromkeys(("\\footnote", "\\thanks"), references.note),
    "\\footnotemark": references.note_mark,
    "\\footnotetext": references.note_text,
    "\\bibitem": references.entry,
    **dict.fromkeys(("\\url", "\\path", "\\nolinkurl"), references.address),
    "\\maketitle": headings.make_title,
    "\\(": math_mode.inline,
    "\\[": math_mode.display,
    "\\\\": running_text.new_line,
    **dict.fromkeys(algorithms.COMMANDS, algorithms.statement),
    **dict.fromkeys(("\\and", "\\AND"), running_text.space),
    **dict.fromkeys(ACCENTS, running_text.accent),
    **dict.fromkeys(SIGNS, running_text.sign),
}
_OWN_MEANING = (
    *commands.SECTIONS, *commands.LEFT_OUT, *commands.TRANSPARENT, *commands.STYLES, *commands.DECLARATIONS,
    *commands.REFERENCES, *commands.CITATIONS, *commands.FRONT, *commands.LENGTHS, *SIGNS, *ACCENTS, "\\begin", "\\end",
    "\\caption", "\\item", "\\footnote", "\\footnotetext", "\\thanks", "\\maketitle", "\\includegraphics", "\\bibitem",
    "\\multicolumn", "\\multirow", "\\url", "\\\\", "\\par", "\\(", "\\)", "\\[", "\\]",
)  # fmt: skip
_FIXED = frozenset((*_OWN_MEANING, *commands.FIXED_ENVIRONMENTS))


def read_content(files: PaperFiles, main: str) -> Content:
    """Return the content of a paper.

    Args:
        main: name of its main file.
    Raises:
        InputError: the file is no LaTeX document, reads itself, or its macros have no end.
    """
    reader = ContentReader(Expander(files, main, _FIXED, HANDLERS, OF_PACKAGES), _take)
    _read_preamble(reader)
    reader.tokens.is_in_document = True
    while token := reader.tokens.next():
        if token != "\\end":
            reader.take(token)
        elif reader.end():
            break
    reader.flush()
    content = reader.content
    if not content.blocks:
        raise InputError("no_text", "the paper has no text")
    content.missing = sorted(reader.tokens.missing)
    content.read = reader.tokens.read_names
    return content


def _take(reader: ContentReader, token: str) -> None:
    if isinstance(token, Raw):
        running_text.raw(reader, token)
    elif token[0] != "\\" or len(token) == 1:
        running_text.character(reader, token)
    else:
        _COMMANDS.get(token, running_text.unknown)(reader, token)


def _read_preamble(reader: ContentReader) -> None:
    tokens = reader.tokens
    is_latex = False
    while token := tokens.next():
        if token in ("\\documentclass", "\\documentstyle"):
            tokens.optional()
            name = "".join(tokens.argument())
            reader.is_book = any(part in name for part in ("book", "report", "memoir", "thesis"))
            is_latex = True
        elif token == "\\begin":
            if "".join(tokens.argument()) == "document":
                return
        elif token in commands.FRONT:
            headings.front_part(reader, token)
    if not is_latex:
        raise InputError("not_latex", "the file is no LaTeX document: it has no \\documentclass")
    raise InputError("no_text", "the paper has no \\begin{document}")
