"""Recompute answers from the emitted sample alone: from its questions as text and the table in its last turn.

This uses nothing of `sources/charts` except the templates, which are inverted to find out what a question asks.
"""

import csv
import io
import itertools
import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).resolve().parents[3] / "sources/charts/questions/templates.yaml"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Data:
    """The table of a sample: header without units, cells as text."""

    header: list[str]
    rows: list[list[str]]
    language: str

    @staticmethod
    def parse(text: str, language: str) -> "Data":
        """Parse a fenced CSV or a Markdown table."""
        if text.startswith("```csv"):
            lines = list(csv.reader(io.StringIO(text.removeprefix("```csv\n").removesuffix("\n```"))))
        else:
            split = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in text.splitlines()]
            lines = [[cell.strip().replace("\\|", "|") for cell in line] for line in split]
            del lines[1]
        return Data(lines[0], lines[1:], language)

    def names(self) -> list[str]:
        return [re.sub(r" \([^()]*\)$", "", name) for name in self.header]

    def is_numeric(self, k: int) -> bool:
        cells = [row[k] for row in self.rows if row[k] != "-"]
        return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)

    def column(self, what: str) -> int:
        """Return the index of the numeric column in `what`: the only one, or the one with the longest matching name."""
        numeric = [k for k in range(1, len(self.header)) if self.is_numeric(k)]
        if len(numeric) == 1:
            return numeric[0]
        named = [k for k in numeric if self.names()[k].lower() in what.lower()]
        return max(named, key=lambda k: len(self.names()[k]))

    def values(self, what: str) -> dict[str, Fraction]:
        """Return the value of every row that has one."""
        k = self.column(what)
        return {row[0]: Fraction(row[k]) for row in self.rows if row[k] != "-"}

    def slots(self, slots: dict[str, str]) -> dict[str, str]:
        """Return the slots with the names of rows found in phrases such as `rainfall in May`."""
        rows = [row[0] for row in self.rows]
        for key, text in list(slots.items()):
            name = key.removeprefix("what_")
            if not name.startswith("at_"):
                continue
            if name == "at_both":
                slots["a"], slots["b"] = (next(row for row in sorted(rows, key=len, reverse=True) if part.endswith(row))
                                          for part in text.split(" and ", 1))  # fmt: skip
                continue
            at_end = self.language == "en"
            places = [row for row in rows if (text.endswith(row) if at_end else text.startswith(row))]
            slots[name.removeprefix("at_")] = max(places, key=len, default="?")
            if key.startswith("what_"):
                slots["what"] = text
        # The pattern may cut the words for the column anywhere, so they are put together again.
        whole = [slots.get(key, "") for key in ("what", "at_both", "at_a", "at_row")]
        if self.language == "zh":
            whole = [slots.get("noun", "") if "of_what" in slots else "", slots.get("of_what") or slots.get("what", "")]
        if any(whole):
            slots["what"] = (" " if self.language == "en" else "").join(filter(None, whole))
        return slots

    def texts(self, what: str) -> list[str]:
        names = [name.lower() for name in self.names()]
        return [row[names.index(what.lower())] for row in self.rows]


@cache
def _templates() -> dict[str, Any]:
    templates: dict[str, Any] = yaml.load(TEMPLATES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return templates


def match_templates(question: str, family: str, data: Data) -> list[tuple[str, dict[str, str]]]:
    """Return (template name, slots) of all templates that match a question."""
    k, content = data.language == "zh", _templates()
    line = question.split("\n")[0]
    for name in ("to_step", "to_digit", "rounded"):
        line = re.sub(_pattern(content["phrases"][name][k], {}).strip() + r".*$", "", line).strip()
    rows = "|".join(re.escape(row[0]) for row in data.rows)
    known = dict(WORDS[k])
    if family == "series":
        known |= dict.fromkeys(("a", "b", "row"), rows)
        known |= dict.fromkeys(("at_a", "at_b", "at_row"), f"[^?]*?(?:{rows})" if not k else rows)
        known |= dict.fromkeys(("what_at_a", "what_at_b"), f".+?(?:{rows})" if not k else f"(?:{rows}).+?")
    found = []
    for name, wordings in content[family].items():
        lists = wordings.values() if isinstance(wordings, dict) else [wordings]
        for pair in itertools.chain.from_iterable(lists):
            match = re.fullmatch(_pattern(pair[k], known), line)
            if match:
                found.append((name, data.slots(match.groupdict())))
    return found


# Words for more and less: without them, the highest and the lowest would be asked for alike.
WORDS = (
    {"higher": "higher|longer|larger|greater", "highest": "highest|longest|largest|greatest",
     "lower": "lower|shorter|smaller", "lowest": "lowest|shortest|smallest",
     "rank": "second|third|fourth", "In": "[A-Z][a-z ]+?", "limit": r"-?\d.*?"},
    {"high": "[高多长大]", "low": "[低少短小]", "counter": ".?", "limit": r"-?\d.*?"},
)  # fmt: skip
RANKS = {"second": 2, "third": 3, "fourth": 4, "2": 2, "3": 3, "4": 4}


def _pattern(template: str, known: Mapping[str, str]) -> str:
    """Return a template as a pattern; `known` gives patterns for slots that cannot be arbitrary text."""
    visited: set[str] = set()

    def group(match: re.Match[str]) -> str:
        name = match[1]
        if name in visited:
            return f"(?P={name})"
        visited.add(name)
        return f"(?P<{name}>{known.get(name, '.+?')})"

    return re.sub(r"\\\{(\w+)\\\}", group, re.escape(template))


def resolve_choice(question: str, answer: str) -> str:
    """Return the answer, with the letter of a choice replaced by its text."""
    lines = question.split("\n")
    choices = dict(line.split(". ", 1) for line in lines[1:-1] if re.match(r"[A-D]\. ", line))
    return choices[answer] if choices else answer


def number(text: str) -> Fraction:
    """Return the number in an answer, after the last `=`."""
    return limit(text.split("= ")[-1])


def limit(text: str) -> Fraction:
    found = NUMBER.search(text)
    assert found is not None, text
    return Fraction(found[0])


Check = Callable[[Data, Mapping[str, str], str], Any]


def _mean(data: Data, slots: Mapping[str, str], _: str) -> Fraction:
    values = data.values(slots["what"]).values()
    return Fraction(sum(values), len(values))


def _ratio(data: Data, slots: Mapping[str, str], _: str) -> Fraction:
    values = data.values(slots["what"])
    return values[slots["a"]] / values[slots["b"]]


def _rank_rows(data: Data, what: str) -> list[str]:
    values = data.values(what)
    return sorted(values, key=lambda row: -values[row])


def _rise(data: Data, slots: Mapping[str, str], _: str) -> str:
    values = list(data.values(slots["what"]).items())
    pairs = [(b[1] - a[1], f"{a[0]} – {b[0]}") for a, b in itertools.pairwise(values)]
    return max(pairs)[1]


def _yes(data: Data, is_true: bool) -> str:
    return {("en", True): "Yes", ("en", False): "No", ("zh", True): "是", ("zh", False): "否"}[data.language, is_true]


def _verb(data: Data, rises: bool) -> str:
    return {("en", True): "It rises", ("en", False): "It falls", ("zh", True): "上升", ("zh", False): "下降"}[
        data.language, rises
    ]


def _lookup(data: Data, slots: Mapping[str, str], _: str) -> Any:
    row = slots["row"]
    if row == "?":
        return {"en": "The picture does not show this.", "zh": "图中没有给出。"}[data.language]
    return data.values(slots["what"]).get(row, {"en": "No value is given.", "zh": "没有给出数值。"}[data.language])


def _higher_series(data: Data, slots: Mapping[str, str], _: str) -> str:
    row = slots["row"]
    first, second = slots["what"], slots["other"]
    name = first if data.values(first)[row] > data.values(second)[row] else second
    return data.names()[data.column(name)]


def _among(data: Data, slots: Mapping[str, str], _: str) -> str:
    chosen = [row[0] for row, value in zip(data.rows, data.texts(slots["by"]), strict=True) if value == slots["value"]]
    return next(row for row in _rank_rows(data, slots["what"]) if row in chosen)


def _text(data: Data, slots: Mapping[str, str], _: str) -> str:
    rows = [row[0] for row in data.rows]
    return data.texts(slots["what"])[rows.index(slots["row"])]


def _direct(name: str, sign: int) -> Check:
    return lambda d, s, _: sign * max(sign * value for value in d.values(s["what"]).values())


SERIES: dict[str, Check] = {
    "lookup": _lookup,
    "unanswerable": _lookup,
    "missing": _lookup,
    "compare": lambda d, s, _: max((s["a"], s["b"]), key=lambda row: d.values(s["what"])[row]),
    "highest": lambda d, s, _: _rank_rows(d, s["what"])[0],
    "lowest": lambda d, s, _: _rank_rows(d, s["what"])[-1],
    "highest_value": _direct("highest_value", 1),
    "lowest_value": _direct("lowest_value", -1),
    "difference": lambda d, s, _: abs(d.values(s["what"])[s["a"]] - d.values(s["what"])[s["b"]]),
    "ratio": _ratio,
    "total": lambda d, s, _: sum(d.values(s["what"]).values()),
    "sum_two": lambda d, s, _: d.values(s["what"])[s["a"]] + d.values(s["what"])[s["b"]],
    "mean": _mean,
    "trend": lambda d, s, _: _verb(d, d.values(s["what"])[s["b"]] > d.values(s["what"])[s["a"]]),
    "count_above": lambda d, s, _: sum(v > limit(s["limit"]) for v in d.values(s["what"]).values()),
    "count_below": lambda d, s, _: sum(v < limit(s["limit"]) for v in d.values(s["what"]).values()),
    "rank": lambda d, s, _: _rank_rows(d, s["what"])[RANKS[s["rank"]] - 1],
    "is_higher": lambda d, s, _: _yes(d, d.values(s["what"])[s["a"]] > d.values(s["what"])[s["b"]]),
    "is_above": lambda d, s, _: _yes(d, d.values(s["what"])[s["row"]] > limit(s["limit"])),
    "higher_series": _higher_series,
    "largest_rise": _rise,
    "count_rows": lambda d, s, _: len(d.rows),
    "count_series": lambda d, s, _: sum(d.is_numeric(k) for k in range(1, len(d.header))),
    "net_change": lambda d, s, _: d.values(s["what"])[s["b"]] - d.values(s["what"])[s["a"]],
    "count_losses": lambda d, s, _: sum(v < 0 for v in d.values(s["what"]).values()),
    "remaining": lambda d, s, _: d.values("")[s["b"]] * 100 / d.values("")[s["a"]],
    "count_rises": lambda d, s, _: sum(Fraction(row[4]) > Fraction(row[1]) for row in d.rows),
    "spread": lambda d, s, _: next(Fraction(r[4]) - Fraction(r[2]) for r in d.rows if r[0] == s["row"]),
    "text_lookup": _text,
    "count_choice": lambda d, s, _: d.texts(s["what"]).count(s["value"]),
    "highest_among": _among,
    "count_columns": lambda d, s, _: len(d.header),
}


def _xy(data: Data, what: str) -> list[Fraction]:
    names = [name.lower() for name in data.names()]
    return [Fraction(row[names.index(what.lower())]) for row in data.rows]


def _correlation(data: Data, slots: Mapping[str, str]) -> float:
    x, y = (list(map(float, _xy(data, slots[key]))) for key in ("by", "what"))
    n = len(x)
    mx, my = sum(x) / n, sum(y) / n
    covariance = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return covariance / math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


def _direction(data: Data, slots: Mapping[str, str], _: str) -> str:
    r = _correlation(data, slots)
    if abs(r) <= 0.2:
        return {"en": "There is no clear direction", "zh": "没有明显趋势"}[data.language]
    return _verb(data, r > 0)


def _slope(data: Data, slots: Mapping[str, str], _: str) -> str:
    names = [name.lower() for name in data.names()]
    return _verb(data, _correlation(data, {"by": names[0], "what": names[1]}) > 0)


def _at_largest(data: Data, slots: Mapping[str, str], _: str) -> Fraction:
    x, y = _xy(data, slots["by"]), _xy(data, slots["what"])
    return y[x.index(max(x))]


def _of_size(data: Data, slots: Mapping[str, str], _: str) -> Fraction:
    k = [row[2] for row in data.rows].index(slots["size"])
    return _xy(data, slots["what"])[k]


POINTS: dict[str, Check] = {
    "count_points": lambda d, s, _: len(d.rows),
    "count_over": lambda d, s, _: sum(value > limit(s["limit"]) for value in _xy(d, s["what"])),
    "largest": lambda d, s, _: max(_xy(d, s["what"])),
    "smallest": lambda d, s, _: min(_xy(d, s["what"])),
    "at_largest": _at_largest,
    "direction": _direction,
    "slope": _slope,
    "count_group": lambda d, s, _: sum(row[-1] == s["group"] for row in d.rows),
    "count_groups": lambda d, s, _: len({row[-1] for row in d.rows}),
    "largest_size": lambda d, s, _: max(int(row[2]) for row in d.rows),
    "of_size": _of_size,
}


def _band(data: Data, place: str) -> str:
    x, y = place.strip("()").split(", ")
    return next(row for row in data.rows if row[0] == y)[data.header.index(x)]


def _low(band: str) -> Fraction:
    return Fraction(band.split("–")[0])


CONTOURS: dict[str, Check] = {
    "band": lambda d, s, _: _band(d, s["place"]),
    "higher_place": lambda d, s, _: max((s["a"], s["b"]), key=lambda place: _low(_band(d, place))),
    "same_band": lambda d, s, _: _yes(d, _band(d, s["a"]) == _band(d, s["b"])),
}


def _tasks(data: Data) -> dict[str, tuple[date, date]]:
    return {row[0]: (date.fromisoformat(row[1]), date.fromisoformat(row[2])) for row in data.rows}


def _weeks(data: Data, task: str) -> int:
    start, end = _tasks(data)[task]
    return (end - start).days // 7


def _moment(data: Data, task: str, k: int) -> str:
    unknown = {"en": "The picture does not show this.", "zh": "图中没有给出。"}[data.language]
    return next((row[k] for row in data.rows if row[0] == task), unknown)


def _overlap(data: Data, slots: Mapping[str, str], _: str) -> str:
    (a, b), (c, d) = (_tasks(data)[slots[key]] for key in ("a", "b"))
    return _yes(data, max(a, c) < min(b, d))


def _next_event(data: Data, slots: Mapping[str, str], _: str) -> str:
    ordered = sorted(data.rows, key=lambda row: int(row[1]))
    return ordered[[row[0] for row in ordered].index(slots["event"]) + 1][0]


SCHEDULES: dict[str, Check] = {
    "start_of": lambda d, s, _: _moment(d, s["task"], 1),
    "end_of": lambda d, s, _: _moment(d, s["task"], 2),
    "weeks_of": lambda d, s, _: _weeks(d, s["task"]),
    "longest": lambda d, s, _: max(_tasks(d), key=lambda task: _weeks(d, task)),
    "ends_last": lambda d, s, _: max(_tasks(d), key=lambda task: _tasks(d)[task][1]),
    "count_tasks": lambda d, s, _: len(d.rows),
    "overlap": _overlap,
    "starts_before": lambda d, s, _: _yes(d, _tasks(d)[s["a"]][0] < _tasks(d)[s["b"]][0]),
    "total_weeks": lambda d, s, _: (
        (max(end for _, end in _tasks(d).values()) - min(start for start, _ in _tasks(d).values())).days // 7
    ),
    "year_of": lambda d, s, _: _moment(d, s["event"], 1),
    "event_of": lambda d, s, _: next(row[0] for row in d.rows if row[1] == s["year"]),
    "years_between": lambda d, s, _: abs(int(_moment(d, s["a"], 1)) - int(_moment(d, s["b"], 1))),
    "came_first": lambda d, s, _: min((s["a"], s["b"]), key=lambda event: int(_moment(d, event, 1))),
    "came_next": _next_event,
    "count_events": lambda d, s, _: len(d.rows),
}


def _distance(data: Data, start: str, end: str, directed: bool) -> int | None:
    visited, waiting = {start: 0}, deque([start])
    while waiting:
        node = waiting.popleft()
        ways = [row[1] for row in data.rows if row[0] == node]
        ways += [] if directed else [row[0] for row in data.rows if row[1] == node]
        for other in ways:
            if other not in visited:
                visited[other] = visited[node] + 1
                waiting.append(other)
    return visited.get(end)


def _between(data: Data, a: str, b: str) -> list[list[str]]:
    return [row for row in data.rows if {row[0], row[1]} == {a, b}]


def _degree(data: Data, slots: Mapping[str, str], _: str) -> Any:
    count = sum(slots["a"] in row[:2] for row in data.rows)
    return count or {"en": "The picture does not show this.", "zh": "图中没有给出。"}[data.language]


def _most_linked(data: Data, slots: Mapping[str, str], _: str) -> str:
    ends = [name for row in data.rows for name in row[:2]]
    return max(set(ends), key=ends.count)


def _shortest(data: Data, slots: Mapping[str, str], kind: str) -> int | None:
    return _distance(data, slots["a"], slots["b"], kind == "directed")


GRAPHS: dict[str, Check] = {
    "count_nodes": lambda d, s, _: len({name for row in d.rows for name in row[:2]}),
    "count_edges": lambda d, s, _: len(d.rows),
    "next_step": lambda d, s, _: next(row[1] for row in d.rows if row[0] == s["a"]),
    "branch": lambda d, s, _: next(row[1] for row in d.rows if row[0] == s["a"] and row[2] == s["label"]),
    "count_questions": lambda d, s, _: len({row[0] for row in d.rows if row[2] != "-"}),
    "is_linked": lambda d, s, _: _yes(d, bool(_between(d, s["a"], s["b"]))),
    "is_linked_to": lambda d, s, _: _yes(d, any(row[:2] == [s["a"], s["b"]] for row in d.rows)),
    "degree": _degree,
    "most_linked": _most_linked,
    "shortest_way": _shortest,
    "is_reachable": lambda d, s, _: _yes(d, _distance(d, s["a"], s["b"], True) is not None),
    "weight": lambda d, s, _: _between(d, s["a"], s["b"])[0][2],
    "weight_to": lambda d, s, _: next(row[2] for row in d.rows if row[:2] == [s["a"], s["b"]]),
    "heaviest": lambda d, s, _: max(int(row[2]) for row in d.rows),
}
CHECKS = {"series": SERIES, "points": POINTS, "contours": CONTOURS, "schedules": SCHEDULES, "graphs": GRAPHS}
FAMILY_OF = {
    **dict.fromkeys(("scatter", "bubble", "trend_line"), "points"),
    "contour": "contours",
    **dict.fromkeys(("gantt", "timeline"), "schedules"),
    **dict.fromkeys(("flow_chart", "network"), "graphs"),
}
