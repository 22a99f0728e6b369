"""Questions about nodes and edges."""

import random as random_module
from collections import deque
from collections.abc import Callable

from sources.charts.chart import GraphChart
from sources.charts.questions.question import Question, fill_phrase

Random = random_module.Random


class Graph:
    """View of a graph for its questions."""

    def __init__(self, chart: GraphChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        self.nodes = chart.nodes
        self.noun = chart.node_noun
        self.link = chart.link_noun

    def slots(self, **names: str) -> dict[str, str]:
        """Return the slots that templates about a graph may use."""
        return {
            "noun": self.noun.name, "nouns": self.noun.plural, "counter": self.noun.counter,
            "link": self.link.name, "links": self.link.plural, "link_counter": self.link.counter, **names,
        }  # fmt: skip

    def after(self, node: int) -> list[int]:
        """Return the nodes one edge away, in the direction of the arrows."""
        found = [j for i, j, _ in self.chart.edges if i == node]
        if not self.chart.directed:
            found += [i for i, j, _ in self.chart.edges if j == node]
        return found

    def distance(self, start: int, end: int) -> int | None:
        """Return the number of edges on the shortest path, None if there is no path."""
        seen, waiting = {start: 0}, deque([start])
        while waiting:
            node = waiting.popleft()
            for other in self.after(node):
                if other not in seen:
                    seen[other] = seen[node] + 1
                    waiting.append(other)
        return seen.get(end)


Writer = Callable[[Graph], Question | None]


def count_nodes(graph: Graph) -> Question | None:
    count = len(graph.nodes)
    return Question(name="count_nodes", slots=graph.slots(), answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2)))  # fmt: skip


def count_edges(graph: Graph) -> Question | None:
    count = len(graph.chart.edges)
    return Question(name="count_edges", slots=graph.slots(), answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2)))  # fmt: skip


def next_step(graph: Graph) -> Question | None:
    """Ask for the step after a step with one outgoing edge."""
    if graph.chart.kind != "flow_chart":
        return None
    i, j, _ = graph.random.choice([edge for edge in graph.chart.edges if not edge[2]])
    return Question(name="next_step", slots={"a": graph.nodes[i]}, answer=graph.nodes[j], options=graph.nodes)


def branch(graph: Graph) -> Question | None:
    """Ask for the step after an answer to a question."""
    if not graph.chart.questions:
        return None
    i, j, label = graph.random.choice([edge for edge in graph.chart.edges if edge[2]])
    return Question(
        name="branch", slots={"a": graph.nodes[i], "label": label}, answer=graph.nodes[j], options=graph.nodes
    )


def count_questions(graph: Graph) -> Question | None:
    if not graph.chart.questions:
        return None
    return Question(
        name="count_questions", slots={}, answer=str(len(graph.chart.questions)), options=("1", "2", "3", "4")
    )


def is_linked(graph: Graph) -> Question | None:
    if graph.chart.kind == "flow_chart":
        return None
    if graph.random.random() < 0.5:
        i, j, _ = graph.random.choice(graph.chart.edges)
    else:
        i, j = graph.random.sample(range(len(graph.nodes)), 2)
    name = "is_linked_to" if graph.chart.directed else "is_linked"
    answer = fill_phrase("yes" if j in graph.after(i) else "no", graph.language)
    return Question(name=name, slots=graph.slots(a=graph.nodes[i], b=graph.nodes[j]), answer=answer)


def degree(graph: Graph) -> Question | None:
    if graph.chart.kind == "flow_chart":
        return None
    node = graph.random.randrange(len(graph.nodes))
    count = sum(node in (i, j) for i, j, _ in graph.chart.edges)
    return Question(name="degree", slots=graph.slots(a=graph.nodes[node]), answer=str(count),
                    options=("0", "1", "2", "3", "4", "5"))  # fmt: skip


def most_linked(graph: Graph) -> Question | None:
    if graph.chart.kind == "flow_chart":
        return None
    degrees = [(sum(k in (i, j) for i, j, _ in graph.chart.edges), name) for k, name in enumerate(graph.nodes)]
    degrees.sort(key=lambda entry: entry[0], reverse=True)
    if degrees[0][0] == degrees[1][0]:
        return None
    return Question(name="most_linked", slots=graph.slots(), answer=degrees[0][1], options=graph.nodes)


def shortest_way(graph: Graph) -> Question | None:
    i, j = graph.random.sample(range(len(graph.nodes)), 2)
    steps = graph.distance(i, j)
    if steps is None:
        return None
    return Question(name="shortest_way", slots=graph.slots(a=graph.nodes[i], b=graph.nodes[j]),
                    answer=str(steps), options=("1", "2", "3", "4", "5", "6"))  # fmt: skip


def is_reachable(graph: Graph) -> Question | None:
    if not graph.chart.directed:
        return None
    i, j = graph.random.sample(range(len(graph.nodes)), 2)
    answer = fill_phrase("no" if graph.distance(i, j) is None else "yes", graph.language)
    return Question(name="is_reachable", slots={"a": graph.nodes[i], "b": graph.nodes[j]}, answer=answer)


def weight(graph: Graph) -> Question | None:
    if graph.chart.kind == "flow_chart" or not graph.chart.edges[0][2]:
        return None
    i, j, label = graph.random.choice(graph.chart.edges)
    name = "weight_to" if graph.chart.directed else "weight"
    return Question(name=name, slots=graph.slots(a=graph.nodes[i], b=graph.nodes[j]), answer=label,
                    options=tuple(edge[2] for edge in graph.chart.edges))  # fmt: skip


def heaviest(graph: Graph) -> Question | None:
    if graph.chart.kind == "flow_chart" or not graph.chart.edges[0][2]:
        return None
    value = max(int(edge[2]) for edge in graph.chart.edges)
    return Question(name="heaviest", slots=graph.slots(), answer=str(value),
                    options=tuple(edge[2] for edge in graph.chart.edges))  # fmt: skip


def unanswerable(graph: Graph) -> Question | None:
    if not graph.chart.absent:
        return None
    slots = graph.slots(a=graph.random.choice(graph.chart.absent))
    return Question(name="degree", slots=slots, answer=fill_phrase("not_shown", graph.language))


QUESTIONS: dict[str, Writer] = {
    function.__name__: function
    for function in (
        count_nodes, count_edges, next_step, branch, count_questions, is_linked, degree, most_linked, shortest_way,
        is_reachable, weight, heaviest, unanswerable,
    )
}  # fmt: skip
