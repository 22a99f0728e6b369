"""Imports that are left out come back, and a local run does without them."""

import subprocess
import sys

from pipelines.stages.coordinator import UNUSED_BY_LOCAL_RUNS


def _printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_package_that_is_left_out_can_be_imported_afterwards() -> None:
    code = """
from pipelines.workers.lean_imports import without
with without(("colorsys",)):
    try:
        import colorsys
    except ModuleNotFoundError as error:
        print(error.name)
import colorsys
print(colorsys.__name__)
"""
    assert _printed(code) == "colorsys\ncolorsys\n"


def test_arrow_makes_tables_without_pandas() -> None:
    code = """
import sys
import pyarrow as pa
from pipelines.workers.lean_imports import keep_pandas_out_of_arrow
keep_pandas_out_of_arrow()
print(pa.table({"a": pa.array([["b"], None])}).num_rows, "pandas" in sys.modules)
"""
    assert _printed(code) == "2 False\n"


def test_beam_needs_none_of_what_a_local_run_leaves_out() -> None:
    code = f"""
import sys
from pipelines.workers.lean_imports import without
with without({UNUSED_BY_LOCAL_RUNS}):
    from pipelines.stages.execute import execute
print([name for name in sys.modules if name.startswith(("google.cloud.", "pandas"))])
"""
    assert _printed(code) == "[]\n"
