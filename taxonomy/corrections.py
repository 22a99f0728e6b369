"""Labels that a person gave to samples: JSONL with one {"id", "use_case"} per line; the last line of an id counts.

`use_case` is a leaf, or several separated by spaces: further leaves become the label's `secondary`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from sources.config_file import ConfigFileError, Problem
from taxonomy.tree import Taxonomy


def read_corrections(path: Path, taxonomy: Taxonomy) -> dict[str, str]:
    """Read the corrections of a file.

    Returns:
        Leaf by sample id, or several separated by spaces; former ids are replaced by present ones.
    Raises:
        ConfigFileError: lines are malformed or name no leaf; the message names each line.
    """
    corrections: dict[str, str] = {}
    problems = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            sample_id, use_case = row["id"], row["use_case"]
        except (ValueError, KeyError, TypeError):
            problems.append(Problem(number, 'expected {"id": …, "use_case": …}'))
            continue
        leaves = str(use_case).split() or [""]
        present = [taxonomy.resolve(leaf) for leaf in leaves]
        wrong = [leaf for leaf, found in zip(leaves, present, strict=True) if found is None]
        problems += [Problem(number, f"{leaf} is no leaf{taxonomy.nearest(leaf)}") for leaf in wrong]
        if not wrong:
            corrections[str(sample_id)] = " ".join(dict.fromkeys(leaf for leaf in present if leaf is not None))
    if problems:
        raise ConfigFileError(path, problems)
    return corrections


def write_corrections(path: Path, corrections: Mapping[str, str]) -> None:
    """Write corrections (leaf by sample id), sorted by id."""
    lines = [json.dumps({"id": k, "use_case": v}, ensure_ascii=False) + "\n" for k, v in sorted(corrections.items())]
    path.write_text("".join(lines), "utf-8")
