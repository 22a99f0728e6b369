"""Loads a taxonomy file and reports every mistake in one sentence, with its file, its line and what is expected."""

import difflib
import hashlib
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sources.config_file import ConfigFileError, Node, Problem, parse, read_text
from taxonomy.schema import LANGUAGES, RECOMMENDED_PROMPTS, RECOMMENDED_QUESTIONS, Branch, File, file_adapter
from taxonomy.tree import UNLABELLED, Taxonomy
from taxonomy.writers.registry import QUESTION_TEMPLATES, WRITERS

BUNDLED = Path(__file__).parent / "use_cases.yaml"
MAX_LEAVES = 2_000
MAX_BYTES = 8_000_000  # the bundled file has 0.6 MB
EXPECTED = "`nodes:` with the groups of the taxonomy"
SHARE_TOLERANCE = 0.001  # distance of the siblings' sum from 1


def load(path: Path = BUNDLED) -> Taxonomy:
    """Load the taxonomy in a file. Raises ConfigFileError with every problem found."""
    return load_text(read_taxonomy(path), path)


def read_taxonomy(path: Path) -> str:
    """Return the text of a taxonomy's file without checking it. Raises ConfigFileError."""
    return read_text(path, MAX_BYTES)


def load_text(text: str, path: Path) -> Taxonomy:
    """Load the taxonomy in a text; `path` is for messages only. Raises ConfigFileError with every problem found."""
    root = parse(text, path, EXPECTED)
    if not isinstance(root.value, dict) or "nodes" not in root.value:  # another file: its text may be anybody's secret
        raise ConfigFileError(path, [Problem(root.line, f"expected {EXPECTED}")])
    num_leaves = _num_leaves(root)
    if num_leaves > MAX_LEAVES:
        raise ConfigFileError(path, [Problem(1, f"has {num_leaves:,} leaves; expected at most {MAX_LEAVES:,}")])
    try:
        file = file_adapter().validate_python(root.plain())
    except ValidationError as error:
        raise ConfigFileError(path, [_located_problem(root, e) for e in error.errors(include_url=False)]) from None
    taxonomy = Taxonomy(file, hashlib.sha256(text.encode()).hexdigest())
    problems = list(_problems(taxonomy, root))
    if problems:
        raise ConfigFileError(path, problems)
    return taxonomy


def checked_bytes(taxonomy: Taxonomy) -> bytes:
    """Return a taxonomy that is checked, as JSON, for other processes: reading it takes a tenth of the file's time."""
    return taxonomy.digest.encode() + b"\n" + file_adapter().dump_json(taxonomy.file)


def from_checked_bytes(data: bytes) -> Taxonomy:
    """Return the taxonomy that `checked_bytes` wrote."""
    digest, _, file = data.partition(b"\n")
    return Taxonomy(file_adapter().validate_json(file), digest.decode())


def warnings(taxonomy: Taxonomy) -> list[str]:
    """Return one sentence for everything that is allowed but bad for the labeller or for instruction writers."""
    found = []
    for leaf_id, leaf in taxonomy.leaves.items():
        for language in LANGUAGES:
            num = len(getattr(leaf.prompts, language))
            if num < RECOMMENDED_PROMPTS:
                found.append(
                    f"{leaf_id} has {num} {language} prompts; the labeller wants {RECOMMENDED_PROMPTS} or more"
                )
        for kind, questions in leaf.question_templates.items():
            num = min(len(questions.en), len(questions.zh))
            if num < RECOMMENDED_QUESTIONS:
                found.append(
                    f"{leaf_id} has {num} wordings of {kind}; a model learns from {RECOMMENDED_QUESTIONS} or more"
                )
    unasked = unasked_writers(taxonomy)
    if unasked:
        found.append(
            "no leaf has `question_templates` for these instruction writers, which can ask nothing: "
            + ", ".join(unasked)
        )
    return found


def unasked_writers(taxonomy: Taxonomy) -> list[str]:
    """Names of the writers of whose questions the taxonomy has none."""
    return [
        name
        for name, writer in WRITERS.items()
        if not any(kind in taxonomy.asking for kind in writer.question_templates)
    ]


def _num_leaves(root: Node) -> int:
    if not isinstance(root.value, dict):
        return 0
    below = root.value.get("nodes")
    if below is None or not isinstance(below.value, dict):
        return 0 if below else 1
    return sum(_num_leaves(node) for node in below.value.values())


# ── values that do not fit the schema ──


def _located_problem(root: Node, error: Any) -> Problem:
    """Return a pydantic error as a problem, with the line of the value that it is about."""
    node, line, place = root, root.line, []
    path = list(error["loc"])
    after_slug = False
    for k, key in enumerate(path):
        if after_slug and key in ("branch", "leaf"):  # pydantic puts the kind of node into the path
            after_slug = False
            continue
        if key == "[key]":  # the previous key is the wrong one
            continue
        place.append(str(key))
        if isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.line
        elif isinstance(node.value, dict) and key in node.value:
            after_slug = k > 0 and path[k - 1] == "nodes"
            line = node.key_lines[key]
            node = node.value[key]
        else:
            break
    where = ".".join(place)
    return Problem(line, f"{where}: {_expectation(error, node)}" if where else _expectation(error, node))


def _expectation(error: Any, node: Node) -> str:
    got = node.plain()
    shown = "nothing" if got is None else f"{got!r:.80}" if isinstance(got, str) else _size(got)
    context = error.get("ctx") or {}
    sentences = {
        "missing": "is missing",
        "extra_forbidden": f"is no key of this place; {_expected_keys(error)}",
        "unexpected_keyword_argument": f"is no key of this place; {_expected_keys(error)}",
        "string_type": f"expected a text, got {shown}",
        "string_too_short": "expected a text, got an empty one",
        "float_parsing": f"expected a number, got {shown}",
        "float_type": f"expected a number, got {shown}",
        "greater_than": f"expected a number above 0 and at most 1, got {shown}",
        "less_than_equal": f"expected a number above 0 and at most 1, got {shown}",
        "list_type": f"expected a list (lines that begin with -), got {shown}",
        "dict_type": f"expected a mapping, got {shown}",
        "dataclass_type": f"expected a mapping, got {shown}",
    }
    if error["type"] == "too_short":
        return f"expected at least {context['min_length']} of them, got {context['actual_length']}"
    if error["type"] == "string_pattern_mismatch":
        kind = "an id such as recognition/style" if "/" in context["pattern"] else "small letters, digits and _"
        return f"expected {kind}, got {error['input']!r:.80}"
    return sentences.get(error["type"], str(error["msg"]))


def _size(value: list[Any] | dict[str, Any]) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else "a mapping"


def _expected_keys(error: Any) -> str:
    place = [key for key in error["loc"][:-1] if isinstance(key, str)]
    last = place[-1] if place else ""
    keys = {
        "branch": "name, definition, share, aliases, nodes",
        "leaf": "name, definition, share, aliases, prompts, hard_negatives, patterns, question_templates",
        "hard_negatives": "prompt, belongs_to",
        "": "nodes",
    }
    return f"expected one of {keys.get(last, 'en, zh')}"


# ── values that contradict each other ──


def _problems(taxonomy: Taxonomy, root: Node) -> Iterator[Problem]:
    lines = _Lines(root)
    yield from _wrong_shares(taxonomy.file, lines)
    yield from _wrong_ids(taxonomy, lines)
    yield from _wrong_prompts(taxonomy, lines)
    yield from _wrong_patterns(taxonomy, lines)
    yield from _wrong_question_templates(taxonomy, lines)


class _Lines:
    """Finds the nodes and lines of a file that fits the schema."""

    def __init__(self, root: Node):
        self._root = root

    def node(self, node_id: str, *keys: str | int) -> Node:
        path: list[str | int] = []
        for slug in filter(None, node_id.split("/")):
            path += ["nodes", slug]
        return self._root.at(*path, *keys)

    def of(self, node_id: str, *keys: str | int) -> int:
        return self.node(node_id, *keys).line


def _wrong_shares(file: File, lines: _Lines) -> Iterator[Problem]:
    parents = [("", file.nodes), *_branches(file.nodes, "")]
    for parent, nodes in parents:
        total = sum(node.share for node in nodes.values())
        if abs(total - 1) > SHARE_TOLERANCE:
            name = parent or "the groups"
            line = lines.node(parent).key_lines["nodes"]
            yield Problem(line, f"the shares below {name} sum to {total:.4g}; expected 1")


def _branches(nodes: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for slug, node in nodes.items():
        if isinstance(node, Branch):
            yield prefix + slug, node.nodes
            yield from _branches(node.nodes, f"{prefix}{slug}/")


def _wrong_ids(taxonomy: Taxonomy, lines: _Lines) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    if UNLABELLED in taxonomy.shares:
        yield Problem(lines.of(UNLABELLED), f"{UNLABELLED!r} means a sample without a label; expected another name")
    for node_id, node, _ in taxonomy.walk():
        for k, alias in enumerate(node.aliases):
            line = lines.of(node_id, "aliases", k)
            if alias in taxonomy.shares and not (alias not in taxonomy.leaves and node_id.startswith(f"{alias}/")):
                yield Problem(line, f"the alias {alias} is the id of a node that exists; expected a former id")
            elif alias in owners:
                yield Problem(
                    line,
                    f"the alias {alias} is an alias of {owners[alias]} already; expected one leaf, which "
                    "takes all labels of the former one",
                )
            owners[alias] = node_id
    for leaf_id, leaf in taxonomy.leaves.items():
        for k, negative in enumerate(leaf.hard_negatives):
            line = lines.of(leaf_id, "hard_negatives", k)
            present = taxonomy.resolve(negative.belongs_to)
            if present is None:
                hint = taxonomy.nearest(negative.belongs_to)
                yield Problem(line, f"belongs_to names {negative.belongs_to}, which is no leaf{hint}")
            elif present == leaf_id:
                yield Problem(line, "a hard negative belongs to another leaf; expected the id of that leaf")


def _wrong_prompts(taxonomy: Taxonomy, lines: _Lines) -> Iterator[Problem]:
    first: dict[str, tuple[str, int]] = {}
    for leaf_id, leaf in taxonomy.leaves.items():
        for language in LANGUAGES:
            for k, prompt in enumerate(getattr(leaf.prompts, language)):
                line = lines.of(leaf_id, "prompts", language, k)
                spelled = " ".join(prompt.casefold().split())
                if not spelled:
                    yield Problem(line, "expected a prompt, got white space")
                elif spelled in first:
                    other, other_line = first[spelled]
                    where = "this leaf" if other == leaf_id else other
                    yield Problem(line, f"{prompt!r:.80} is a prompt of {where} already, on line {other_line}")
                first.setdefault(spelled, (leaf_id, line))


def _wrong_patterns(taxonomy: Taxonomy, lines: _Lines) -> Iterator[Problem]:
    """Yield patterns that match an example of another leaf, because a pattern decides alone."""
    examples: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for leaf_id, leaf in taxonomy.leaves.items():
        for language in LANGUAGES:
            examples[language] += [(leaf_id, prompt) for prompt in getattr(leaf.prompts, language)]
            examples[language] += [
                (taxonomy.resolve(negative.belongs_to) or "", negative.prompt) for negative in leaf.hard_negatives
            ]
    for leaf_id, leaf in taxonomy.leaves.items():
        for language in LANGUAGES:
            for k, pattern in enumerate(getattr(leaf.patterns, language)):
                line = lines.of(leaf_id, "patterns", language, k)
                yield from _wrong_pattern(leaf_id, pattern, examples[language], line)


def _wrong_pattern(leaf_id: str, pattern: str, examples: Sequence[tuple[str, str]], line: int) -> Iterator[Problem]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        yield Problem(line, f"is not a regular expression: {error}")
        return
    for other, prompt in examples:
        if other != leaf_id and compiled.search(prompt):
            yield Problem(line, f"the pattern finds {prompt!r:.80}, a prompt of {other}; make it narrower")
            return


def _wrong_question_templates(taxonomy: Taxonomy, lines: _Lines) -> Iterator[Problem]:
    """Yield question templates that no instruction writer uses, or that lack the writer's placeholders."""
    for leaf_id, leaf in taxonomy.leaves.items():
        for name, kind in leaf.question_templates.items():
            line = lines.node(leaf_id, "question_templates").key_lines[name]
            if name not in QUESTION_TEMPLATES:
                close = difflib.get_close_matches(name, QUESTION_TEMPLATES, n=1)
                hint = (
                    f"; did you mean {close[0]}?"
                    if close
                    else f"; expected one of {', '.join(sorted(QUESTION_TEMPLATES))}"
                )
                yield Problem(line, f"no instruction writer asks questions called {name!r}{hint}")
                continue
            if taxonomy.asking[name] != leaf_id:
                yield Problem(
                    line, f"the questions {name} are of {taxonomy.asking[name]}, too; expected them in one leaf"
                )
            for language in LANGUAGES:
                for k, question in enumerate(getattr(kind, language)):
                    problem = _wrong_placeholders(question, QUESTION_TEMPLATES[name].placeholders)
                    if problem:
                        yield Problem(lines.of(leaf_id, "question_templates", name, language, k), problem)


def _wrong_placeholders(question: str, wanted: Sequence[str]) -> str | None:
    try:
        fields = list(string.Formatter().parse(question))
    except ValueError as error:
        return f"has braces that do not match ({error}); write {{{{ for a brace"
    found = [name for _, name, _, _ in fields if name is not None]
    if sorted(set(found)) != sorted(wanted) or any(spec or conversion for _, _, spec, conversion in fields):
        expected = " and ".join(f"{{{name}}}" for name in wanted) or "no braces"
        return f"has the placeholders {', '.join(found) or 'none'}; expected {expected}"
    return None
