"""Exchange with Label Studio: exports tasks with our labels to review, and imports the reviewers' choices.

`python -m taxonomy interface` prints the labelling interface that the Label Studio project needs.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from sources.config_file import ConfigFileError, Problem
from taxonomy.schema import Branch, Leaf
from taxonomy.tree import UNLABELLED, Taxonomy

FROM_NAME, TO_NAME = "use_case", "prompt"
MAX_TASKS = 10_000


class ReviewItem(NamedTuple):
    """A sample to review: its prompt and answer, and the label it has.

    Args:
        runner_up: the labeller's second choice; None if the labeller was not used.
        images: the sample's pictures as data URLs, in order.
        margin: confidence in the label minus confidence in the runner-up; the smallest are reviewed first.
    """

    sample_id: str
    prompt: str
    answer: str
    use_case: str
    confidence: float
    labeller: str
    runner_up: str | None = None
    margin: float = 1.0
    images: tuple[str, ...] = ()


class Correction(NamedTuple):
    """A reviewer's choice of a leaf for a sample and its prompt, and further leaves if they chose several."""

    sample_id: str
    prompt: str
    use_case: str
    secondary: tuple[str, ...] = ()


def interface(taxonomy: Taxonomy) -> str:
    """Return the labelling interface (XML), in which a reviewer chooses a leaf from the taxonomy's tree."""

    def choices(nodes: Mapping[str, Branch | Leaf], indent: int) -> str:
        lines = []
        for slug, node in nodes.items():
            pad = "  " * indent
            head = f"{pad}<Choice value={quoteattr(slug)} hint={quoteattr(node.name.en + ' · ' + node.name.zh)}"
            if isinstance(node, Branch):
                lines.append(f"{head}>\n{choices(node.nodes, indent + 1)}\n{pad}</Choice>")
            else:
                lines.append(f"{head}/>")
        return "\n".join(lines)

    title = escape("What does the prompt ask for?")
    return (
        f'<View>\n  <Header value="{title}"/>\n  <Image name="picture" valueList="$images"/>\n'
        f'  <Text name="{TO_NAME}" value="$prompt"/>\n'
        f'  <Text name="answer" value="$answer"/>\n'
        f'  <Taxonomy name="{FROM_NAME}" toName="{TO_NAME}" leafsOnly="true" required="true">\n'
        f"{choices(taxonomy.file.nodes, 2)}\n  </Taxonomy>\n</View>\n"
    )


def tasks(items: Iterable[ReviewItem], limit: int = MAX_TASKS) -> list[dict[str, Any]]:
    """Return at most `limit` Label Studio tasks with predictions, disagreements and low confidence first."""
    ordered = sorted(items, key=lambda r: (r.margin, r.confidence, r.sample_id))[:limit]
    return [
        {
            "data": {
                "id": r.sample_id,
                "prompt": r.prompt,
                "answer": r.answer,
                "runner_up": r.runner_up or "",
                "images": list(r.images),
            },
            "predictions": [] if r.use_case == UNLABELLED else [_prediction(r)],
        }
        for r in ordered
    ]


def _prediction(item: ReviewItem) -> dict[str, Any]:
    return {
        "model_version": item.labeller,
        "score": round(item.confidence, 3),
        "result": [
            {
                "from_name": FROM_NAME,
                "to_name": TO_NAME,
                "type": "taxonomy",
                "value": {"taxonomy": [item.use_case.split("/")]},
            }
        ],
    }


class Annotations(NamedTuple):
    """The choices in an export, and the tasks without one: not labelled yet, or skipped by the reviewer."""

    corrections: list[Correction]
    num_unlabelled: int
    num_skipped: int


def read_annotations(path: Path, taxonomy: Taxonomy) -> Annotations:
    """Read the reviewers' choices from a Label Studio export, JSON or JSON-MIN, the newest annotation of each task.

    Raises:
        ConfigFileError: the file is not such an export, names a leaf that does not exist, or names a branch.
    """
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigFileError(path, [Problem(1, f"is no JSON file of annotations: {error}")]) from error
    if not isinstance(content, list):
        raise ConfigFileError(path, [Problem(1, "expected a list of tasks, as Label Studio exports with format JSON")])
    newest: dict[str, tuple[tuple[str, int], Correction]] = {}
    problems: list[Problem] = []
    unlabelled = skipped = 0
    for number, task in enumerate(content, start=1):
        try:
            data = task.get("data", task)
            chosen, was_skipped, age = _chosen(task)
            sample_id, prompt = str(data["id"]), str(data["prompt"])
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            problems.append(Problem(1, f"task {number} does not look like one that we exported: no {error}"))
            continue
        if not chosen:
            unlabelled, skipped = unlabelled + (not was_skipped), skipped + was_skipped
            continue
        wrong = [leaf for leaf in chosen if taxonomy.resolve(leaf) is None]
        problems += [Problem(1, f"task {number}: {leaf} is no leaf{taxonomy.nearest(leaf)}") for leaf in wrong]
        leaves = list(dict.fromkeys(present for leaf in chosen if (present := taxonomy.resolve(leaf)) is not None))
        if leaves and (sample_id not in newest or newest[sample_id][0] <= age):
            newest[sample_id] = age, Correction(sample_id, prompt, leaves[0], tuple(leaves[1:]))
    if problems:
        raise ConfigFileError(path, problems)
    return Annotations([correction for _, correction in newest.values()], unlabelled, skipped)


def _chosen(task: Any) -> tuple[list[str], bool, tuple[str, int]]:
    """Return the leaves that a task was given, whether it was skipped, and the age of the annotation.

    JSON has all annotations of a task. JSON-MIN has a task per annotation, with the choices under the control's name.
    """
    if "annotations" not in task and ("annotator" in task or "annotation_id" in task or FROM_NAME in task):
        age = (str(task.get("updated_at", "")), int(task.get("annotation_id") or 0))
        return _leaves(task.get(FROM_NAME) or []), FROM_NAME not in task, age
    annotations = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    if not annotations:
        return [], bool(task.get("annotations")), ("", 0)
    last: Any = max(annotations, key=lambda a: (str(a.get("updated_at", "")), a.get("id", 0)))
    results = [result for result in last["result"] if result["from_name"] == FROM_NAME]
    leaves = [leaf for result in results for leaf in _leaves(result["value"]["taxonomy"])]
    return leaves, False, (str(last.get("updated_at", "")), int(last.get("id") or 0))


def _leaves(paths: Any) -> list[str]:
    """Return the ids of chosen paths; a path that only leads to another is left out, as the tree marks both."""
    if isinstance(paths, dict):
        paths = paths["taxonomy"]
    if paths and isinstance(paths[0], str):  # one path
        paths = [paths]
    if paths and isinstance(paths[0], dict):
        paths = [path for entry in paths for path in entry["taxonomy"]]
    ids = ["/".join(path) for path in paths]
    return [leaf for leaf in ids if not any(other.startswith(f"{leaf}/") for other in ids)]
