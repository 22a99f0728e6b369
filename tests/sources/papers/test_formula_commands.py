"""Commands of formulas that no reader knows."""

import pytest

from sources.papers.formula_commands import unknown_commands


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        (r"A morpheme is $$\n\ATm{Liza}{O}[\animated]\n$$ here.", 2),
        (r"$\frac{a}{b} \mathbb{R} \operatorname{rank} \left(\text{if } x\right) \tag{1}$", 0),
        (r"$$\begin{pmatrix} a \\ b \end{pmatrix} \xrightarrow{f} \coloneqq \dfrac12 \bigl| \substack{i \\ j}$$", 0),
        (r"The command `$\foo$` and", 0),
        ("```\n$\\foo$\n```\n", 0),
        (r"It costs \$5 \foo and \$6.", 0),
    ],
)
def test_commands_are_known_or_counted(markdown: str, count: int) -> None:
    assert unknown_commands(markdown) == count
