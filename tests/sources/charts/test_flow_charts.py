"""Composed flow charts: a check stands behind a step that it is about, and what follows no makes sense."""

from sources.charts.chart import GraphChart
from sources.charts.graphs import flow_chart
from sources.charts.schema.flows import Check
from sources.charts.style import sample_style
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.rng import generator


def test_checks_stand_only_behind_their_steps() -> None:
    vocabulary = load_vocabulary(BUNDLED)
    procedures = {procedure.title[0]: procedure for procedure in vocabulary.procedures}
    num_checks = 0
    for number in range(400):
        random = generator(3, number, "flow")
        chart = flow_chart("flow_chart", vocabulary, "en", sample_style(random, "en"), random)
        procedure = procedures.get(chart.title)
        if procedure is None:  # a listed process
            continue
        checks = {check.ask[0]: check for check in procedure.checks}
        steps = [step[0] for step in procedure.steps]
        for question in chart.questions:
            check = checks[chart.nodes[question]]
            first, last = check.after
            assert chart.nodes[question - 1] in steps[first : last + 1], chart.nodes
            assert chart.nodes[question + 1] in steps, chart.nodes  # another step follows
            assert _way(chart, question, check) in check.ways
            num_checks += 1
    assert num_checks > 300


def _way(chart: GraphChart, question: int, check: Check) -> str:
    """Return what follows the answer no."""
    target = next(j for i, j, label in chart.edges if i == question and label == "no")
    if target == question - 1:
        return "repeat"
    assert chart.nodes[target] == check.remedy[0]
    onward = [j for i, j, _ in chart.edges if i == target]
    return {(): "end", (question + 1,): "go_on", (question - 1,): "back"}[tuple(onward)]
