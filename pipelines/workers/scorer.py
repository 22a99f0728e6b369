"""The scorer process: runs one expensive filter on finished parts. It may hang, leak, or be killed at any moment.

It answers its parent's requests (`pipelines/workers/protocol.py`), a batch of samples each.
"""

from pathlib import Path

import pyarrow as pa

from filters.filter import Filter
from pipelines.recipe import build_recipe
from pipelines.workers.protocol import Parent, limit_memory
from sources.base.sample import from_part


def main() -> None:
    parent = Parent()
    settings = parent.settings()
    recipe = build_recipe(settings["recipe"])
    (scorer,) = (f for f in recipe.filters if f.name == settings["filter"])
    how = scorer.worker()
    assert how is not None
    if how.memory_mb is not None:
        limit_memory(how.memory_mb)
    scorer.load()
    parent.ready(grace_s=int(2 * how.timeout_s) + 10)
    for request in parent.requests():
        try:
            parent.send(done={"values": _values(scorer, Path(request["part"]), request["rows"])})
        except MemoryError:
            message = f"the sample needs more memory than {how.memory_mb} MB"
            parent.send(failed={"cause": "out_of_memory", "message": message})


def _values(scorer: Filter, part: Path, rows: list[int]) -> list[list[float | None]]:
    """Scores of rows of a part, in the order of the filter's names. The file is mapped: other rows are not read."""
    with pa.memory_map(str(part)) as file:
        samples = from_part(pa.ipc.open_file(file).read_all().take(rows))
    return [[scores.values[name] for name in scorer.score_names] for scores in scorer.scores(samples)]


if __name__ == "__main__":
    main()
