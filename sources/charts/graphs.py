"""Data of flow charts and networks, and their Mermaid and DOT sources."""

import math
import random as random_module

from sources.charts.chart import GraphChart
from sources.charts.style import Style
from sources.charts.table import Column, Table
from sources.charts.vocabulary_schema import Process, Vocabulary, say

Random = random_module.Random
ORDERS = 30  # tried for one with few crossings
WORDS = {
    "en": {"from": "From", "to": "To", "label": "Label", "yes": "yes", "no": "no", "step": "step", "arrow": "arrow"},
    "zh": {"from": "起点", "to": "终点", "label": "标注", "yes": "是", "no": "否", "step": "步骤", "arrow": "箭头"},
}


def flow_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> GraphChart:
    """A process from top to bottom; steps off the main path stand to its right."""
    process = random.choice(vocabulary.processes)
    words = WORDS[language]
    nodes = tuple(say(step.text, language) for step in process.steps)
    edges = []
    for k, step in enumerate(process.steps):
        if not step.end:
            edges.append((k, step.next if step.next is not None else k + 1, words["yes"] if step.question else ""))
        if step.otherwise is not None:
            edges.append((k, step.otherwise, words["no"]))
    return GraphChart(
        kind=kind, language=language, title=say(process.title, language), style=style, exact=True,
        table=_edge_table(nodes, edges, language, words["label"]), nodes=nodes, places=_flow_places(process),
        edges=tuple(edges), directed=True, node_noun=words["step"], link_noun=words["arrow"],
        questions=tuple(k for k, step in enumerate(process.steps) if step.question),
    )  # fmt: skip


def _flow_places(process: Process) -> tuple[tuple[float, float], ...]:
    """Main steps in one column, a side step beside the question that leads to it."""
    main = next((k for k, step in enumerate(process.steps) if step.end), len(process.steps) - 1) + 1
    places = [(0.0, 1 - k / max(1, main - 1)) for k in range(main)]
    for k in range(main, len(process.steps)):
        leads = [j for j, step in enumerate(process.steps[:main]) if step.otherwise == k]
        places.append((1.0, places[leads[0]][1] if leads else places[-1][1]))
    return tuple(places)


def network(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> GraphChart:
    """Things on a circle, all joined to each other over one or more links; links may carry a number."""
    entry = random.choice(vocabulary.networks)
    names = vocabulary.lists[entry.list]
    count = random.randint(4, min(7, len(names.items)))
    chosen = random.sample(range(len(names.items)), count)
    nodes = tuple(say(names.items[k], language) for k in chosen)
    pairs = [(random.randrange(k), k) for k in range(1, count)]  # a tree joins all
    others = [(i, j) for i in range(count) for j in range(i + 1, count) if (i, j) not in pairs]
    pairs += random.sample(others, min(len(others), random.randint(0, 2)))
    if entry.directed:
        pairs = [pair if random.random() < 0.7 else pair[::-1] for pair in pairs]
    weights = entry.weight is not None
    numbers = random.sample(range(int(entry.low), int(entry.high) + 1), len(pairs)) if weights else []
    edges = [(i, j, str(numbers[k]) if weights else "") for k, (i, j) in enumerate(sorted(pairs))]
    title = say(entry.title, language)
    label = WORDS[language]["label"]
    if entry.weight is not None:
        label = f"{say(entry.weight, language)} ({say(entry.unit, language)})"
        title = {"en": f"{title}, {label[0].lower()}{label[1:]}", "zh": f"{title}：{label}"}[language]
    seats = _seats(count, edges, random)
    turn = random.uniform(0, 2 * math.pi)
    angles = [turn + 2 * math.pi * seat / count for seat in seats]
    places = tuple((0.5 + 0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle)) for angle in angles)
    return GraphChart(
        kind=kind, language=language, title=title, style=style, exact=True, nodes=nodes, places=places,
        table=_edge_table(nodes, edges, language, label), edges=tuple(edges), directed=entry.directed,
        node_noun=say(entry.node, language).lower(), link_noun=say(entry.link, language),
        absent=tuple(say(item, language) for k, item in enumerate(names.items) if k not in chosen),
    )  # fmt: skip


def _seats(count: int, edges: list[tuple[int, int, str]], random: Random) -> list[int]:
    """The seat of every node on a circle: of some orders at random, the one with the fewest crossings."""
    orders = [random.sample(range(count), count) for _ in range(ORDERS)]
    return min(orders, key=lambda seats: _crossings([(seats[i], seats[j]) for i, j, _ in edges]))


def _crossings(chords: list[tuple[int, int]]) -> int:
    """Pairs of chords of a circle that cross."""
    ordered = [(min(chord), max(chord)) for chord in chords]
    return sum(a < c < b < d or c < a < d < b for k, (a, b) in enumerate(ordered) for c, d in ordered[:k])


def _edge_table(nodes: tuple[str, ...], edges: list[tuple[int, int, str]], language: str, label: str) -> Table:
    words = WORDS[language]
    columns = [
        Column(words["from"], tuple(nodes[i] for i, _, _ in edges)),
        Column(words["to"], tuple(nodes[j] for _, j, _ in edges)),
    ]
    if any(text for _, _, text in edges):
        columns.append(Column(label, tuple(text or None for _, _, text in edges)))
    return Table(tuple(columns))


def mermaid(chart: GraphChart) -> str:
    """The graph as Mermaid: questions are rhombi, undirected links have no arrow head."""
    lines = ["flowchart TD"]
    for k, name in enumerate(chart.nodes):
        shape = f'n{k}{{"{name}"}}' if k in chart.questions else f'n{k}["{name}"]'
        lines.append(f"    {shape}")
    arrow = "-->" if chart.directed else "---"
    lines += [f"    n{i} {arrow}{f'|{label}|' if label else ''} n{j}" for i, j, label in chart.edges]
    return "\n".join(lines)


def dot(chart: GraphChart) -> str:
    """The graph in Graphviz' language."""
    lines = ["digraph {" if chart.directed else "graph {"]
    for k, name in enumerate(chart.nodes):
        shape = "diamond" if k in chart.questions else "box"
        lines.append(f'    n{k} [label="{_escaped(name)}", shape={shape}];')
    arrow = "->" if chart.directed else "--"
    for i, j, label in chart.edges:
        lines.append(f"    n{i} {arrow} n{j}" + (f' [label="{_escaped(label)}"]' if label else "") + ";")
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
