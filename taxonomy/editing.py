"""Adds lines to a taxonomy file and keeps every other byte, comments included."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sources.config_file import ConfigFileError, Node, Problem, parse
from taxonomy.examples import Example
from taxonomy.loader import load_text, read_taxonomy
from taxonomy.tree import Taxonomy


def add_examples(path: Path, examples: Sequence[Example]) -> list[Example]:
    """Add prompts to the lists of their leaves, in place, except for prompts that the file already has.

    Returns:
        The examples that were added.
    Raises:
        ConfigFileError: the file has mistakes, or a list is written with brackets; the file is unchanged then.
    """
    text = read_taxonomy(path)
    taxonomy = load_text(text, path)
    present = _spelled_prompts(taxonomy)
    root = parse(text, path)
    lines = text.splitlines(keepends=True)
    insertions: dict[int, list[str]] = {}
    added = []
    for example in examples:
        spelled = _spelled(example.prompt)
        if spelled in present:
            continue
        present.add(spelled)
        prompts = _prompts(root, example)
        if prompts.is_flow:
            problem = Problem(prompts.line, "prompts in brackets; expected a line for each, beginning with -")
            raise ConfigFileError(path, [problem])
        assert isinstance(prompts.value, list)
        after = prompts.value[-1].end_line
        line = f"{' ' * prompts.column}- {json.dumps(' '.join(example.prompt.split()), ensure_ascii=False)}\n"
        insertions.setdefault(after, []).append(line)
        added.append(example)
    for after in sorted(insertions, reverse=True):
        if not lines[after - 1].endswith("\n"):
            lines[after - 1] += "\n"
        lines[after:after] = insertions[after]
    edited = "".join(lines)
    _check(load_text(edited, path), taxonomy, added)
    _replace(path, edited)
    return added


def _prompts(root: Node, example: Example) -> Node:
    path = [key for slug in example.use_case.split("/") for key in ("nodes", slug)]
    return root.at(*path, "prompts", example.language)


def _spelled(prompt: str) -> str:
    return " ".join(prompt.casefold().split())


def _spelled_prompts(taxonomy: Taxonomy) -> set[str]:
    return {_spelled(prompt) for leaf in taxonomy.leaves.values() for prompt in (*leaf.prompts.en, *leaf.prompts.zh)}


def _check(edited: Taxonomy, before: Taxonomy, added: Sequence[Example]) -> None:
    wanted = _spelled_prompts(before) | {_spelled(example.prompt) for example in added}
    assert _spelled_prompts(edited) == wanted
    assert list(edited.leaves) == list(before.leaves)


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
