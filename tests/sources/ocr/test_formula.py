"""Formulas: their pixels do not depend on what the process has drawn before."""

import subprocess
import sys

import pytest

CODE = """
import hashlib, sys
from sources.ocr.formula import FONT_SETS, draw_formula
if "charts" in sys.argv:
    import matplotlib
    from sources.charts import matplotlib_renderer
    matplotlib_renderer.prepare()
    matplotlib.rcParams.update({"font.family": "monospace", "mathtext.fontset": "custom", "text.parse_math": False})
pixels = [draw_formula(r"\\sum x^2", 20, (0, 0, 0), name, display=True).pixels for name in FONT_SETS]
print(hashlib.sha256(b"".join(p.tobytes() for p in pixels)).hexdigest())
"""


@pytest.mark.slow
def test_charts_before_a_formula_change_nothing() -> None:
    found = [subprocess.check_output([sys.executable, "-c", CODE, *words]) for words in ([], ["charts"])]
    assert found[0] == found[1]
