"""Verdicts are made in one place: each unit is judged once, and all tables read the one file of its verdicts."""

import json
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from filters.filter import Filter
from pipelines.job import Job
from pipelines.recipe_file import build_recipe
from pipelines.stages.execute import execute
from pipelines.storage import Storage
from pipelines.tables import verdicts as verdicts_module
from pipelines.tables.verdicts import JudgedUnit, Rejection, decide, read_verdicts, write_verdicts
from pipelines.taxonomy_files import pinned
from pipelines.units import Slice, Unit

pytestmark = pytest.mark.slow

UNIT = Unit(0, (Slice(digest="00ff", first=0, last=5, uri="a.pdf", state="", copies=()),))


def run_in_this_process(out: Path, content: dict[str, object]) -> None:
    """A whole run whose Beam steps run in threads of this process."""
    recipe = json.dumps(pinned(build_recipe(content)).to_json(secrets=True))
    job = Job(recipe=recipe, output=str(out), run=secrets.token_hex(4))
    answer = execute(job, None, 1, [])
    assert answer == {"ok": True}, answer


def test_a_unit_is_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = verdicts_module.judge
    calls: Counter[str] = Counter()

    def counted(scored: pa.Table, filters: Sequence[Filter], component: str) -> list[tuple[str, ...]]:
        calls[scored["id"][0].as_py()] += 1
        return judge(scored, filters, component)

    for module in list(sys.modules.values()):
        if getattr(module, "judge", None) is judge:
            monkeypatch.setattr(module, "judge", counted)
    content = {  # all steps that need verdicts: the search for duplicates, quotas of use cases, both tables
        "sources": [{"type": "charts", "num_samples": 6, "items_per_unit": 2}],
        "filters": [{"type": "min_short_side"}, {"type": "max_aspect_ratio"}],
        "dedupe": {},
        "taxonomy": {"samples": 100_000},
    }
    run_in_this_process(tmp_path / "out", content)
    assert list(calls.values()) == [1, 1, 1]
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["samples"]["kept"] == 6
    assert not list((tmp_path / "out/.staging/verdicts").rglob("*")), "a finished run leaves verdicts behind"


def rejection(item: int, reason: str, **other: Any) -> Rejection:
    return Rejection(item=item, reason=reason, **other)


def test_the_comparison_decides_on_what_the_filters_keep(tmp_path: Path) -> None:
    verdicts = JudgedUnit(UNIT, ((), ("ink", "min_words"), (), (), ()), (0, 1, 2, 3, 4)).verdicts()
    found = [
        rejection(2, "near_duplicate", duplicate_of="a", distance=3, similarity=0.5, is_shown=True),
        rejection(3, "contaminated", duplicate_of="exam.png", distance=0),
        rejection(0, "", is_shown=True),
    ]
    decided = decide(decide(verdicts, found), [rejection(0, "beyond_share")])
    storage = Storage(str(tmp_path))
    write_verdicts(storage, "run", UNIT, pa.chunked_array([["a", "b", "c", "d", "e"]]), decided)
    table = read_verdicts(storage, "run", UNIT)
    assert table["verdict"].to_pylist() == ["rejected", "rejected", "duplicate", "rejected", "kept"]
    assert table["reason"].to_pylist() == ["beyond_share", "ink", "near_duplicate", "contaminated", None]
    assert table["reasons"].to_pylist()[1] == ["ink", "min_words"]
    assert table["duplicate_of"].to_pylist() == [None, None, "a", "exam.png", None]
    assert table["distance"].to_pylist() == [None, None, 3, 0, None]
    assert table["is_shown"].to_pylist() == [True, False, True, False, False]
    with pytest.raises(AssertionError):
        decide(decided, [rejection(1, "near_duplicate")])
