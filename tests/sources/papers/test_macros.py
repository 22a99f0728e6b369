"""Macros, code and characters of papers: the markup of small documents without their pages."""

from pathlib import Path

import pytest

from sources.papers import Papers
from sources.papers.archive import Folder
from sources.papers.blocks import CODE, CODE_END, LINE_BREAK, STRONG, STRONG_END
from sources.papers.content import read_content
from sources.papers.matching import match
from sources.papers.tokens import Raw, tokens


def text_of(tmp_path: Path, body: str, preamble: str = "") -> str:
    """The text of all blocks of a document."""
    source = f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "a.tex").write_text(source, "utf-8")
    return "\n".join(block.text.strip() for block in read_content(Folder(tmp_path), "a.tex").blocks)


@pytest.mark.parametrize(
    ("body", "preamble", "expected"),
    [
        ("\\foo now", "\\let\\oldfoo\\foo \\renewcommand\\foo{a \\oldfoo}", "a now"),
        ("\\sffamily words", "\\let\\old\\sffamily \\renewcommand\\sffamily{x\\old}", "xwords"),
        ("\\two", "\\let\\one=a\\def\\two{\\ifx\\one a yes\\else no\\fi}", "yes"),
        (
            "\\look[x] \\look y",
            "\\makeatletter\\def\\look{\\futurelet\\@let@token\\@look}"
            "\\def\\@look{\\ifx\\@let@token[bracket \\else other \\fi}\\makeatother",
            "bracket [x] other y",
        ),
        ("\\char92 \\char'134x \\char\"41 \\char`\\%", "", "\\\\x A%"),
        ('\\symbol{123}a\\symbol{"7D}', "", "{a}"),
        ("\\string\\section{} and \\detokenize{\\frac{1}}", "", "\\section and \\frac{1}"),
        ("\\def\\x{\\@backslashchar}\\makeatletter\\@percentchar\\makeatother", "", "%"),
        ("\\foo text, \\foo. (\\foo) \\foo", "\\newcommand\\foo{Foo\\xspace}", "Foo text, Foo. (Foo) Foo"),
        ("\\foo", "\\expandafter\\def\\csname foo\\endcsname{hello}", "hello"),
        ("\\no{\\foo}", "\\makeatletter\\def\\no#1{\\expandafter\\@gobble\\string#1}\\makeatother", "foo"),
        (
            "\\marg{a} \\oarg{b} \\cs{c} \\cmd\\d, \\cmd{e}",
            "",
            "{⟨\ue002a\ue003⟩} [⟨\ue002b\ue003⟩] `\\c~ `\\d~, `\\e~",
        ),
        ("\\meta{a}", "\\newcommand\\meta[1]{own #1}", "own a"),
        ("<<?`d\\'onde!`>> a--b \\texttt{--a <<b>>}", "", "«¿dónde¡» a–b `--a <<b>>~"),
        ("\\unknown*{Thanks} *a*", "", "Thanks *a*"),
        ("\\begin{quote}a\\end{quote}[b] c", "", "a\n[b] c"),
        ("\\begin{center}[b] c\\end{center}", "", "[b] c"),
        ("a $\\langle$b$\\rangle$ \\texttt{$\\backslash{}$c} $<$", "", "a ⟨b⟩ `\\c~ <"),
        ("\\begin{itemize} \\itemsep=0pt\n \\item a \\item b\\end{itemize}", "", "a\nb"),
    ],
)
def test_commands_have_the_meaning_of_tex(tmp_path: Path, body: str, preamble: str, expected: str) -> None:
    found = text_of(tmp_path, body, preamble).replace(CODE, "`").replace(CODE_END, "~")
    assert found == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("\\SI{5}{\\km} \\qty[mode=text]{-1,5}{\\kilo\\ohm}", "5 km −1.5 kΩ"),
        ("\\unit{\\um} \\si{m/s} \\num{12345} \\num{1.2 +- 0.1}", "µm m/s 12345 1.2 ± 0.1"),
        ("\\ang{30} \\ang{1;2;3} \\SI{20}{\\celsius} \\SI{5}{\\percent}", "30° 1°2′3″ 20 °C 5 %"),
        ("\\SIrange{1}{2}{\\m}, \\DeclareSIUnit\\year{yr}\\SI{3}{\\year}", "1 m to 2 m, 3 yr"),
        ("\\newcommand{\\unit}[1]{own #1} \\unit{x}", "own x"),
    ],
)
def test_quantities_are_as_printed(tmp_path: Path, body: str, expected: str) -> None:
    assert text_of(tmp_path, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("\\SI{9.81}{\\metre\\per\\second\\squared}", "9.81\\,\\mathrm{m\\,s^{-2}}"),
        ("\\num{1e-5}", "1 \\times10^{-5}"),
        ("$v=\\SI{5}{\\um}$", "v=5\\,\\mathrm{\\mu m}"),
        ("\\si{kg.m^{-3}}", "\\mathrm{kg\\,m^{-3}}"),
        ("$\\text{at \\SI{5}{\\percent} of \\SI{2}{\\m^2}}$", "\\text{at 5 \\% of }2\\,\\mathrm{m^{2}}"),
    ],
)
def test_quantities_with_powers_are_formulas(tmp_path: Path, body: str, expected: str) -> None:
    text_of(tmp_path, body)
    assert [getattr(item, "tex", "") for item in read_content(Folder(tmp_path), "a.tex").objects] == [expected]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a \\text{ if $x>0$}", "a \\text{ if }x>0"),
        ("\\mbox{$x$ and \\own\\ }y", "x\\mbox{ and 5 m\\ }y"),
        ("\\text{\\textlangle\\textsl{a\\_b}\\textrangle}", "\\text{⟨\\textit{a\\_b}⟩}"),
        ("\\texttt{\\string\\a\\{1\\}}", "\\texttt{\\textbackslash a\\{1\\}}"),
        ("\\text{a {\\bf $b$}}", "\\text{a {\\bf$b$}}"),
    ],
)
def test_text_in_formulas_is_text_that_readers_know(tmp_path: Path, formula: str, expected: str) -> None:
    text_of(tmp_path, f"${formula}$", "\\newcommand\\own{\\SI{5}{\\m}}")
    assert [getattr(item, "tex", "") for item in read_content(Folder(tmp_path), "a.tex").objects] == [expected]


@pytest.mark.parametrize(
    "definition",
    [
        "\\newenvironment{code}[1][]{\\quote\\small\\verbatim}{\\endverbatim\\endquote}",
        "\\newenvironment{code}\n{\\VerbatimEnvironment\\begin{Verbatim}}%\n  {\\end{Verbatim}}",
        "\\renewenvironment*{code}{\\begin{alltt} % {\n}{\\end{alltt}}",
        "\\def\\code{\\small\\verbatim}\\let\\endcode\\endverbatim",
        "\\let\\code=\\verbatim",
        "\\newminted[code]{java}{}",
    ],
)
def test_environments_around_verbatim_are_code(tmp_path: Path, definition: str) -> None:
    body = "\\begin{code}[x]\n\\a{b} %c\n\\end{code} after"
    assert text_of(tmp_path, body, definition) == "\\a{b} %c\nafter"


@pytest.mark.parametrize(
    "definition",
    [
        "\\newenvironment{code}{\\begin{quote}\\begin{verbatim}z\\end{verbatim}}{\\end{quote}}",
        "\\newenvironment{code}{{{}",
        "\\let\\code\\quote \\def\\code{\\small}",
    ],
)
def test_other_environments_are_no_code(definition: str) -> None:
    found = [token for token in tokens(f"{definition}\\begin{{code}}x \\y\\end{{code}}") if isinstance(token, Raw)]
    assert [str(token) for token in found if "x" in token] == []


def test_an_algorithm_has_a_line_for_each_statement_with_its_keywords(tmp_path: Path) -> None:
    body = (
        "\\begin{algorithmic}\\REQUIRE a \\If{b} \\State c \\Comment{d} \\ElsIf{e} \\State \\Return f \\EndIf"
        "\\Procedure{G}{h, i}\\EndProcedure\\end{algorithmic} \\If outside"
    )
    found = text_of(tmp_path, body).replace(STRONG, "<").replace(STRONG_END, ">").replace(LINE_BREAK, "/")
    assert " ".join(found.split()) == (
        "<Require:> a /<if> b <then> /c d /<else if> e <then> /<return> f /<end if> /<procedure> G(h, i)"
        "/<end procedure> outside"
    )


def test_the_title_of_a_box_of_code_is_text(tmp_path: Path) -> None:
    body = "\\begin{tcblisting}{title={The \\emph{first} one},x}\n\\a\n\\end{tcblisting}"
    assert text_of(tmp_path, body) == "The \ue002first\ue003 one\n\\a"


def test_code_is_kept_in_environments_and_between_signs_that_the_paper_names() -> None:
    source = (
        "\\documentclass{ltxdoc}\\lstnewenvironment{example}[1][]{\\lstset{x}}{}\n"
        "a |x\\y| \\DeleteShortVerb\\| | b\n"
        "\\begin{example}[z]\n \\bar{\n\\end{example}\\MakeShortVerb{\\!}!{! \\begin{verbatim}\n\\c\n\\end{verbatim}"
    )
    found = [(str(token), token.kind) for token in tokens(source) if isinstance(token, Raw)]
    assert found == [("x\\y", "inline"), (" \\bar{\n", "block"), ("{", "inline"), ("\\c\n", "block")]
    assert list(tokens("a |b| c")).count("|") == 2


def test_a_word_between_formulas_is_matched() -> None:
    markup = ["the", "functions", "are", "continuous", "hence", "whenever", "the", "point", "exists"]
    page = [*markup[:4], *"xyxyabdtkxytkuvabcdefgh", "hence", *"limabcdefghkolmnopqrstu", *markup[5:]]
    assert (4, page.index("hence")) in match(markup, page)
    assert (4, page.index("hence")) not in match(markup, [*page[:20], "hence", *page[20:]])


def test_a_heading_is_matched_on_its_page_and_not_in_the_contents() -> None:
    markup = ["abstract", "words", "of", "a", "researcher", "introduction", "the", "progress", "of", "technology"]
    page = ["abstract", "words", "of", "a", "researcher", "contents", "1", "introduction", "2", "2", "example", "4"]
    page += ["classes", "of", "documents", "5", "list", "1", *markup[5:]]
    found = dict(match(markup, page, [0, 1, 1, 1, 1, 2, 3, 3, 3, 3]))
    assert found[5] == page.index("introduction", 8)


def test_the_first_word_of_an_item_is_not_matched_with_its_label() -> None:
    markup = ["list", "item", "2", "a", "list", "item", "under", "it"]
    page = ["list", "item", "2", "a", "a", "list", "item", "under", "it"]
    assert (3, 4) in match(markup, page, [0, 0, 0, 1, 1, 1, 1, 1])


def test_papers_of_a_dump_are_told_from_the_files_of_one_paper() -> None:
    dump = ["2401/2401.00001.gz", "2401/2401.00002.gz", "2401/2401.00002.pdf", "2401/2401.00003.pdf"]
    assert Papers().members(dump) == [dump[0], dump[1], dump[3]]  # the PDF of the second belongs to its source
    assert Papers().members(["main.tex", "figure.pdf", "main.bbl"]) is None
