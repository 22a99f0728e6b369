"""Labels that a person gave to samples: JSONL with one {"id", "use_case"} per line; the last line of an id counts."""

import json
from collections.abc import Mapping
from pathlib import Path

from sources.config_file import ConfigFileError, Problem
from taxonomy.tree import Taxonomy


def read_corrections(path: Path, taxonomy: Taxonomy) -> dict[str, str]:
    """Read the corrections of a file.

    Returns:
        Leaf by sample id; former ids are replaced by present ones.
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
        present = taxonomy.resolve(str(use_case))
        if present is None:
            problems.append(Problem(number, f"{use_case} is no leaf{taxonomy.nearest(str(use_case))}"))
        else:
            corrections[str(sample_id)] = present
    if problems:
        raise ConfigFileError(path, problems)
    return corrections


def write_corrections(path: Path, corrections: Mapping[str, str]) -> None:
    """Write corrections (leaf by sample id), sorted by id."""
    lines = [json.dumps({"id": k, "use_case": v}, ensure_ascii=False) + "\n" for k, v in sorted(corrections.items())]
    path.write_text("".join(lines), "utf-8")
