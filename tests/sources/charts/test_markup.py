"""Names are text: signs that are markup for a renderer or a diagram language are drawn and written as they are."""

from pathlib import Path

import pytest
from matplotlib.text import Text

from sources.charts import Charts, matplotlib_renderer
from sources.charts.drawing import PROGRAMS, draw_legibly
from sources.charts.graphs import escape_mermaid, to_dot
from sources.charts.kinds import KINDS
from sources.charts.messages import make_conversation
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.rng import generator

NAMES = {"Espresso": "_a $x_1$", "Bus": "_b $2^n$", "Wheat": r"\pi {c}", "Research": "5 $ or 6 $", "Hydro": "<b>**d**"}
SINGLE = {kind for kind in KINDS if kind not in ("grouped_bar", "multi_line", "scatter", "density", "radar")}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocabulary whose lists, titles and steps hold signs that mean something to a renderer."""
    text = BUNDLED.read_text(encoding="utf-8")
    for old, new in NAMES.items():
        text = text.replace(f"[{old}, ", f"['{new}', ")
    text = text.replace("title: [", "title: ['$a$ and $b$', ").replace("', ", "', ", 1)
    path = tmp_path_factory.mktemp("marked") / "marked.yaml"
    path.write_text(_keep_pairs(text), encoding="utf-8")
    load_vocabulary(path)
    return path


def _keep_pairs(text: str) -> str:
    """Drop the English title that a marked one replaces."""
    lines = []
    for line in text.splitlines():
        head, found, rest = line.partition("'$a$ and $b$', ")
        lines.append(head + found + rest.partition(", ")[2] if found else line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_dollar_signs_and_underscores_in_names_are_drawn(marked: Path, kind: str) -> None:
    charts = Charts(kinds=(kind,), languages=("en",), vocabulary=str(marked), seed=5)
    for number in range(1 if kind in SINGLE else 2):
        chart, _, _ = charts.specify(number)
        for renderer in KINDS[kind].renderers(chart):
            _, picture = draw_legibly(chart, renderer)  # raises if a name is missing
            shown = " ".join(box.text for box in picture.texts)
            assert chart.title in shown
        figure = PROGRAMS[kind](chart).perform({"plt": matplotlib_renderer.Pyplot})["fig"]
        assert not any(text.get_parse_math() for text in figure.findobj(Text))
        legends = [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().texts]
        if legends and len(chart.table.series) > 1 and kind not in ("candlestick", "dual_axis"):
            assert legends == [column.name for column in chart.table.series]


def test_questions_and_table_hold_the_names_as_they_are(marked: Path) -> None:
    charts = Charts(kinds=("heat_map",), languages=("en",), vocabulary=str(marked), num_questions=2)
    seen = ""
    for number in range(900):
        chart, _, _ = charts.specify(number)
        messages = make_conversation(chart, "questions", ("", ""), 2, 0.3, generator(1, number, "messages"))
        seen += "\n".join(message.content for message in messages)
    for name in ("_a $x_1$", r"\pi {c}", "5 $ or 6 $", "<b>**d**"):
        assert name in seen


def test_names_mean_nothing_in_mermaid_and_dot(marked: Path) -> None:
    assert escape_mermaid('a "b" $$x$$ #9; `c`') == "a #quot;b#quot; #36;#36;x#36;#36; #35;9; #96;c#96;"
    charts = Charts(kinds=("network",), languages=("en",), vocabulary=str(marked))
    dot = [to_dot(chart) for number in range(40) for chart in [charts.specify(number)[0]]]
    assert any("5 $ or 6 $" in text for text in dot)
