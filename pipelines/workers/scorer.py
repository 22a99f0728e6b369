"""The scorer process: runs one expensive filter on finished parts. It may hang, leak, or be killed at any moment.

It handles one kind of request (`pipelines/workers/protocol.py`), for a batch of samples at a time.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from filters.filter import Filter, FilterUnavailable
from pipelines.recipe_file import build_recipe
from pipelines.storage.arrow_file import validated
from pipelines.workers.parent import Parent, limit_memory
from pipelines.workers.protocol import Answer, Failed, NotUnderstood, Request, Scored, ScoreRows, Unavailable
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
    try:
        scorer.load()
    except FilterUnavailable as error:
        parent.send(Unavailable(message=str(error)))
        return
    parent.ready(grace_s=int(2 * how.timeout_s) + 10)
    for request in parent.requests():
        parent.send(answer(scorer, request))


def answer(scorer: Filter, request: Request[Any]) -> Answer:
    """Handle a request. A sample that takes too much memory becomes an answer here."""
    if not isinstance(request, ScoreRows):
        return NotUnderstood(message=f"a scorer does not handle {type(request).__name__}")
    try:
        return _scored(scorer.only(request.names), request.part, request.rows)
    except FilterUnavailable as error:
        return Unavailable(message=str(error))
    except pa.ArrowInvalid as error:
        return Failed(cause="unreadable", message=f"{request.part} is damaged: {error}")
    except MemoryError:
        how = scorer.worker()
        assert how is not None
        return Failed(cause="out_of_memory", message=f"the sample needs more memory than {how.memory_mb} MB")


def _scored(scorer: Filter, part: Path, rows: Sequence[int]) -> Scored:
    """Scores of rows of a part, in the order of the filter's names. The file is mapped: other rows are not read."""
    with pa.memory_map(str(part)) as file:
        samples = from_part(validated(pa.ipc.open_file(file).read_all()).take(rows))
    since = time.monotonic()
    found = scorer.scores(samples)
    return Scored(
        values=[tuple(scores.values[name] for name in scorer.score_names) for scores in found],
        faults=[scores.fault for scores in found],
        use_cases=[scores.use_case for scores in found],
        seconds=time.monotonic() - since,
    )


if __name__ == "__main__":
    main()
