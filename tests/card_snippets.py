"""The Python in a dataset card, run on the output that it describes."""

import re
from pathlib import Path
from typing import Any

from pipelines.report.presentation.card_loading import PLACE


def run_snippets(root: Path, num_snippets: int | None = None) -> dict[str, Any]:
    """Run the Python of an output's card from top to bottom; returns the names that it defines."""
    snippets = re.findall(r"^```python\n(.*?)^```$", (root / "README.md").read_text("utf-8"), re.S | re.M)
    assert num_snippets is None or len(snippets) == num_snippets
    assert all(PLACE in snippet for snippet in snippets[:2])
    names: dict[str, Any] = {}
    for snippet in snippets:
        exec(snippet.replace(PLACE, str(root)), names)
    return names
