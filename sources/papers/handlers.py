"""Commands that change the tokens that follow, by name."""

from collections.abc import Callable, Mapping

from sources.papers import character_commands, definition_commands, file_commands
from sources.papers.doc_commands import DOC_COMMANDS
from sources.papers.expansion import Expander
from sources.papers.quantity_commands import QUANTITY_COMMANDS


def _begin_group(expander: Expander) -> None:
    expander.open_scope()


def _end_group(expander: Expander) -> None:
    expander.close_scope()


def _ensure_math(expander: Expander) -> None:
    body = expander.argument()
    expander.push(body if expander.is_math else ["$", *body, "$"])


def _second(expander: Expander) -> None:
    expander.argument()


def _first(expander: Expander) -> None:
    first, _ = expander.argument(), expander.argument()
    expander.push(first)


HANDLERS: Mapping[str, Callable[[Expander], None]] = {
    **dict.fromkeys(("\\def", "\\edef"), definition_commands.define_with_def),
    **{
        name: lambda expander: definition_commands.define_with_def(expander, is_global=True)
        for name in ("\\gdef", "\\xdef")
    },
    **dict.fromkeys(
        ("\\newcommand", "\\renewcommand", "\\DeclareRobustCommand", "\\newrobustcmd", "\\DeclareTextFontCommand"),
        definition_commands.newcommand,
    ),
    "\\providecommand": lambda expander: definition_commands.newcommand(expander, only_new=True),
    **{
        f"\\{verb}DocumentCommand": definition_commands.document_command
        for verb in ("New", "Renew", "Provide", "Declare", "NewExpandable", "DeclareExpandable")
    },
    **{
        f"\\{verb}DocumentEnvironment": definition_commands.document_environment
        for verb in ("New", "Renew", "Provide", "Declare")
    },
    "\\let": definition_commands.let,
    "\\futurelet": definition_commands.futurelet,
    "\\newenvironment": definition_commands.newenvironment,
    "\\renewenvironment": definition_commands.newenvironment,
    "\\DeclareMathOperator": definition_commands.operator,
    "\\newtheorem": definition_commands.newtheorem,
    "\\newif": definition_commands.newif,
    **dict.fromkeys(("\\input", "\\include", "\\subfile", "\\subfileinclude", "\\@input"), file_commands.input_file),
    **dict.fromkeys(("\\import", "\\subimport", "\\includefrom", "\\inputfrom"), file_commands.import_file),
    "\\IfFileExists": file_commands.if_file,
    "\\InputIfFileExists": file_commands.if_file,
    "\\usepackage": file_commands.package,
    "\\RequirePackage": file_commands.package,
    "\\bibliography": file_commands.bibliography,
    "\\printbibliography": file_commands.bbl,
    "\\endinput": file_commands.endinput,
    "\\csname": character_commands.csname,
    "\\string": character_commands.string,
    "\\detokenize": character_commands.detokenize,
    "\\char": character_commands.char,
    "\\symbol": character_commands.symbol,
    "\\xspace": character_commands.xspace,
    "\\expandafter": character_commands.expandafter,
    "\\@gobble": character_commands.gobble,
    "\\@firstoftwo": _first,
    "\\@secondoftwo": _second,
    "\\begingroup": _begin_group,
    "\\endgroup": _end_group,
    "\\bgroup": _begin_group,
    "\\egroup": _end_group,
    "\\ensuremath": _ensure_math,
}
OF_PACKAGES: Mapping[str, Callable[[Expander], bool]] = {**QUANTITY_COMMANDS, **DOC_COMMANDS}
