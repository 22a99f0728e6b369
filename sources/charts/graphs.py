"""Data of flow charts and networks, and their Mermaid and DOT sources."""

import math
import random as random_module

from sources.charts.chart import GraphChart
from sources.charts.noun import Noun, plural_of
from sources.charts.schema.flows import Check, Process, Step
from sources.charts.schema.texts import Text, localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table

Random = random_module.Random
LISTED_SHARE = 0.02  # of flow charts that show a listed process; the others are composed
NUM_ORDERS = 30  # random orders that are compared
WORDS = {
    "en": {"from": "From", "to": "To", "label": "Label", "yes": "yes", "no": "no", "step": "step", "arrow": "arrow"},
    "zh": {"from": "起点", "to": "终点", "label": "标注", "yes": "是", "no": "否", "step": "步骤", "arrow": "箭头"},
}


def flow_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> GraphChart:
    """Make a flow chart from top to bottom; steps off the main path are to its right."""
    process = random.choice(vocabulary.processes) if random.random() < LISTED_SHARE else _compose(vocabulary, random)
    words = WORDS[language]
    nodes = tuple(localize(step.text, language) for step in process.steps)
    edges = []
    for k, step in enumerate(process.steps):
        if not step.end:
            edges.append((k, step.next if step.next is not None else k + 1, words["yes"] if step.question else ""))
        if step.otherwise is not None:
            edges.append((k, step.otherwise, words["no"]))
    return GraphChart(
        kind=kind, language=language, title=localize(process.title, language), style=style, exact=True,
        table=_edge_table(nodes, edges, language, words["label"]), nodes=nodes, places=_flow_places(process),
        edges=tuple(edges), directed=True, node_noun=_noun(words["step"], language),
        link_noun=_noun(words["arrow"], language, "条"),
        questions=tuple(k for k, step in enumerate(process.steps) if step.question),
    )  # fmt: skip


def _compose(vocabulary: Vocabulary, random: Random) -> Process:
    """Compose a process of steps of a procedure and one or two checks, each behind a step that it is about."""
    procedure = random.choice(vocabulary.procedures)
    checks = random.sample(procedure.checks, random.randint(1, min(2, len(procedure.checks))))
    behind: dict[int, Check] = {}  # steps with the checks that stand directly after them
    for check in checks:
        free = [k for k in range(check.after[0], check.after[1] + 1) if k not in behind]
        if free:
            behind[random.choice(free)] = check
    later = random.randint(max(behind) + 1, len(procedure.steps) - 1)  # a check is never the last step
    needed = {*behind, later}
    others = [k for k in range(len(procedure.steps)) if k not in needed]
    chosen = sorted(needed | set(random.sample(others, min(len(others), max(0, random.randint(3, 7) - len(needed))))))
    main: list[tuple[Text, Check | None]] = []
    for k in chosen:
        main.append((procedure.steps[k], None))
        if k in behind:
            main.append((behind[k].ask, behind[k]))
    steps: list[Step] = []
    sides: list[Step] = []
    for k, (text, stands) in enumerate(main):
        if stands is None:
            steps.append(Step(text=text, end=k == len(main) - 1))
            continue
        way = random.choice(stands.ways)
        steps.append(Step(text=text, question=True, otherwise=k - 1 if way == "repeat" else len(main) + len(sides)))
        if way == "end":
            sides.append(Step(text=stands.remedy, end=True))
        elif way != "repeat":
            sides.append(Step(text=stands.remedy, next=k + 1 if way == "go_on" else k - 1))
    return Process(title=procedure.title, steps=(*steps, *sides))


def _flow_places(process: Process) -> tuple[tuple[float, float], ...]:
    """Return the places of the steps: main steps in one column, side steps next to the question that leads to them."""
    main = next((k for k, step in enumerate(process.steps) if step.end), len(process.steps) - 1) + 1
    places = [(0.0, 1 - k / max(1, main - 1)) for k in range(main)]
    for k in range(main, len(process.steps)):
        leads = [j for j, step in enumerate(process.steps[:main]) if step.otherwise == k]
        places.append((1.0, places[leads[0]][1] if leads else places[-1][1]))
    return tuple(places)


def network(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> GraphChart:
    """Make a connected network of nodes on a circle; its links may have a number."""
    entry = random.choice(vocabulary.networks)
    names = vocabulary.lists[entry.list]
    count = random.randint(4, min(7, len(names.items)))
    chosen = random.sample(range(len(names.items)), count)
    nodes = tuple(localize(names.items[k], language) for k in chosen)
    pairs = [(random.randrange(k), k) for k in range(1, count)]  # a tree connects all nodes
    others = [(i, j) for i in range(count) for j in range(i + 1, count) if (i, j) not in pairs]
    pairs += random.sample(others, min(len(others), random.randint(0, 2)))
    if entry.directed:
        pairs = [pair if random.random() < 0.7 else pair[::-1] for pair in pairs]
    weights = entry.weight is not None
    numbers = random.sample(range(int(entry.low), int(entry.high) + 1), len(pairs)) if weights else []
    edges = [(i, j, str(numbers[k]) if weights else "") for k, (i, j) in enumerate(sorted(pairs))]
    title = localize(entry.title, language)
    label = WORDS[language]["label"]
    if entry.weight is not None:
        label = f"{localize(entry.weight, language)} ({localize(entry.unit, language)})"
        title = {"en": f"{title}, {label[0].lower()}{label[1:]}", "zh": f"{title}：{label}"}[language]
    order = _choose_order(count, edges, random)
    turn = random.uniform(0, 2 * math.pi)
    angles = [turn + 2 * math.pi * position / count for position in order]
    places = tuple((0.5 + 0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle)) for angle in angles)
    return GraphChart(
        kind=kind, language=language, title=title, style=style, exact=True, nodes=nodes, places=places,
        table=_edge_table(nodes, edges, language, label), edges=tuple(edges), directed=entry.directed,
        node_noun=_noun(localize(entry.node, language), language),
        link_noun=_noun(localize(entry.link, language), language, "条"),
        absent=tuple(localize(item, language) for k, item in enumerate(names.items) if k not in chosen),
    )  # fmt: skip


def _noun(name: str, language: str, counter: str = "个") -> Noun:
    if language == "zh":
        return Noun(name, name, counter=counter)
    return Noun(name.lower(), plural_of(name.lower()))


def _choose_order(count: int, edges: list[tuple[int, int, str]], random: Random) -> list[int]:
    """Return the position of each node on the circle: of random orders, the one with the fewest crossings."""
    orders = [random.sample(range(count), count) for _ in range(NUM_ORDERS)]
    return min(orders, key=lambda order: _crossings([(order[i], order[j]) for i, j, _ in edges]))


def _crossings(chords: list[tuple[int, int]]) -> int:
    """Return the number of pairs of chords of a circle that cross."""
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


def to_mermaid(chart: GraphChart) -> str:
    """Return the graph as Mermaid: questions are rhombi, undirected links have no arrow head."""
    lines = ["flowchart TD"]
    for k, name in enumerate(chart.nodes):
        text = escape_mermaid(name)
        shape = f'n{k}{{"{text}"}}' if k in chart.questions else f'n{k}["{text}"]'
        lines.append(f"    {shape}")
    arrow = "-->" if chart.directed else "---"
    lines += [f"    n{i} {arrow}{_mermaid_label(label)} n{j}" for i, j, label in chart.edges]
    return "\n".join(lines)


def _mermaid_label(text: str) -> str:
    if not text:
        return ""
    return f"|{text}|" if text.isalnum() else f'|"{escape_mermaid(text)}"|'


def escape_mermaid(text: str) -> str:
    """Return a text for quotes in Mermaid, where it shows as it is, whatever signs it has."""
    codes = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "$": "#36;"}
    return "".join(codes.get(character, character) for character in text)


def to_dot(chart: GraphChart) -> str:
    """Return the graph in the DOT language."""
    lines = ["digraph {" if chart.directed else "graph {"]
    for k, name in enumerate(chart.nodes):
        shape = "diamond" if k in chart.questions else "box"
        lines.append(f'    n{k} [label="{_escape(name)}", shape={shape}];')
    arrow = "->" if chart.directed else "--"
    for i, j, label in chart.edges:
        lines.append(f"    n{i} {arrow} n{j}" + (f' [label="{_escape(label)}"]' if label else "") + ";")
    return "\n".join([*lines, "}"])


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
