"""Macros, code and characters of papers: the markup of small documents without their pages."""

from pathlib import Path

import pytest

from sources.papers import Papers
from sources.papers.archive import Folder
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
    ],
)
def test_commands_have_the_meaning_of_tex(tmp_path: Path, body: str, preamble: str, expected: str) -> None:
    assert text_of(tmp_path, body, preamble) == expected


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
    ],
)
def test_quantities_with_powers_are_formulas(tmp_path: Path, body: str, expected: str) -> None:
    text_of(tmp_path, body)
    assert [getattr(item, "tex", "") for item in read_content(Folder(tmp_path), "a.tex").objects] == [expected]


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


def test_papers_of_a_dump_are_told_from_the_files_of_one_paper() -> None:
    dump = ["2401/2401.00001.gz", "2401/2401.00002.gz", "2401/2401.00002.pdf", "2401/2401.00003.pdf"]
    assert Papers().members(dump) == [dump[0], dump[1], dump[3]]  # the PDF of the second belongs to its source
    assert Papers().members(["main.tex", "figure.pdf", "main.bbl"]) is None
