"""Count how many distinct charts there are of each kind.

python benchmarks/chart_variety.py [--samples 10000] [--seed 1] [--kinds flow_chart]

Nothing is drawn: a chart is its kind, language, title and table, without its style. `repeated` is the share of charts
that are equal to an earlier one; `same words` is the share whose texts are, whatever their numbers.
"""

import argparse
import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


class Pool:
    """Digests of the charts of one kind."""

    def __init__(self) -> None:
        self.num_charts = 0
        self.charts: set[bytes] = set()
        self.words: set[bytes] = set()

    def add(self, chart: list[str], words: list[str]) -> None:
        """Count a chart by all its texts and numbers, and by its texts."""
        self.num_charts += 1
        self.charts.add(hashlib.sha256(json.dumps(chart).encode()).digest())
        self.words.add(hashlib.sha256(json.dumps(words).encode()).digest())

    def shares(self) -> tuple[float, float]:
        """Return the shares of charts, and of texts, that were there before."""
        return 1 - len(self.charts) / self.num_charts, 1 - len(self.words) / self.num_charts


def count_charts(num_samples: int, seed: int, kinds: tuple[str, ...] = ()) -> dict[str, Pool]:
    """Return a pool of every kind, and one of all under `all`."""
    from sources.charts import Charts

    source = Charts(seed=seed, num_samples=num_samples, kinds=kinds)
    pools: dict[str, Pool] = defaultdict(Pool)
    for number in range(num_samples):
        chart, _, _ = source.specify(number)
        columns = chart.table.columns
        first = [chart.kind, chart.language, chart.title, *(column.header() for column in columns)]
        words = [*first, *(value for column in columns for value in column.values if isinstance(value, str))]
        numbers = [str(value) for column in columns for value in column.values if not isinstance(value, str)]
        drawn = [str(value) for value in (getattr(chart, "z", ()), getattr(chart, "samples", ())) if value]
        for name in (chart.kind, "all"):
            pools[name].add([*words, *numbers, *drawn], words)
    return pools


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=[], help="all, if none is named")
    arguments = parser.parse_args()
    pools = count_charts(arguments.samples, arguments.seed, tuple(arguments.kinds))
    found = {}
    print(f"{'kind':16} {'charts':>7} {'distinct':>9} {'repeated':>9} {'same words':>11}")
    for kind in sorted(pools, key=lambda name: (name == "all", -pools[name].shares()[0], -pools[name].shares()[1])):
        pool = pools[kind]
        repeated, same = pool.shares()
        print(f"{kind:16} {pool.num_charts:7,} {len(pool.charts):9,} {repeated:9.2%} {same:11.2%}")
        found[kind] = {"charts": pool.num_charts, "distinct": len(pool.charts), "repeated": round(repeated, 4),
                       "same words": round(same, 4)}  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
