"""The markup of pages whose words are given: labels, numbers of equations, notes, quotes and formulas side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sources.papers.alignment import align
from sources.papers.archive import Folder
from sources.papers.content import read_content
from sources.papers.markdown import slices_of
from sources.papers.printed import read_printed
from sources.papers.samples import Aligned
from sources.text.words import LayoutWords


def page(lines: Sequence[str]) -> LayoutWords:
    """The words of lines, one below the other."""
    texts, boxes, numbers = [], [], []
    for number, line in enumerate(lines):
        x = 0.0
        for word in line.split():
            texts.append(word)
            boxes.append((x, 100 + 20.0 * number, x + 6 * len(word), 110 + 20.0 * number))
            numbers.append(number)
            x += 6 * len(word) + 4
    places = np.array(numbers)
    return LayoutWords(texts, np.array(boxes), places, places)


def markup(tmp_path: Path, body: str, lines: Sequence[str], kind: str = "article") -> str:
    """The Markdown of a paper of one page."""
    (tmp_path / "a.tex").write_text(
        f"\\documentclass{{{kind}}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n", "utf-8"
    )
    alignment = align(read_content(Folder(tmp_path), "a.tex"), [page(lines)])
    printed = read_printed(alignment)
    return Aligned(alignment, printed, slices_of(alignment, printed)).markdown(0)


def test_a_heading_without_a_number_takes_no_punctuation_for_one(tmp_path: Path) -> None:
    body = (
        "Use math mode (no braces any more). \\section{Major changes} The meaning of $x$ changed. \\section{Next} More."
    )
    lines = ["Use math mode (no braces any more).", "Major changes", "The meaning of x changed.", "Next", "More."]
    assert markup(tmp_path, body, lines) == (
        "Use math mode (no braces any more).\n\n## Major changes\n\nThe meaning of $x$ changed.\n\n## Next\n\nMore."
    )


def test_a_label_above_a_title_belongs_to_it(tmp_path: Path) -> None:
    body = "The words before the chapter end here $x$ ». \\chapter{On the changes} The first words of it."
    for label in ("Hoofdstuk 4", "CHAPTER ONE", "IV", "第 4 章"):
        lines = ["The words before the chapter end here x ».", label, "On the changes", "The first words of it."]
        assert f"# {label} On the changes" in markup(tmp_path, body, lines, "report")


def test_numbers_of_equations_may_have_hyphens(tmp_path: Path) -> None:
    body = "The numbered equation \\begin{equation} u = v \\end{equation} is numbered automatically as shown."
    lines = ["The numbered equation", "u = v (2-1)", "is numbered automatically as shown."]
    assert "$$\nu = v \\tag{2-1}\n$$" in markup(tmp_path, body, lines)


def test_the_mark_of_a_note_is_the_same_in_the_text_and_before_the_note(tmp_path: Path) -> None:
    body = "These arrows cover others.\\footnote{Among them those that are alone.} The text goes on after it."
    lines = ["These arrows cover others. 9 The text goes on after it.", "9. Among them those that are alone."]
    found = markup(tmp_path, body, lines)
    assert "others.[^9] The" in found
    assert found.endswith("[^9]: Among them those that are alone.")


def test_straight_quotes_are_what_the_page_prints_for_them(tmp_path: Path) -> None:
    body = 'Use "advisement" instead of it, and \\verb+"code"+ too.'
    assert markup(tmp_path, body, ["Use ”advisement” instead of it, and code too."]) == (
        'Use ”advisement” instead of it, and `"code"` too.'
    )
    assert markup(tmp_path, body, ['Use "advisement" instead of it, and "code" too.']).startswith('Use "advisement"')


def test_marks_of_formulas_and_code_that_meet_stay_apart(tmp_path: Path) -> None:
    body = "Two formulas $a$$b$ follow each other, $\\backslash$\\texttt{left} and \\verb+`+ and the\\emph{ }rest."
    lines = ["Two formulas ab follow each other, \\left and ` and the rest."]
    assert markup(tmp_path, body, lines) == (
        "Two formulas $a$ $b$ follow each other, `\\left` and `` ` `` and the rest."
    )
