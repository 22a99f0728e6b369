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


class Correction(NamedTuple):
    """A reviewer's choice of a leaf for a sample, with the sample's prompt."""

    sample_id: str
    prompt: str
    use_case: str


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
        f'<View>\n  <Header value="{title}"/>\n  <Text name="{TO_NAME}" value="$prompt"/>\n'
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


def read_annotations(path: Path, taxonomy: Taxonomy) -> list[Correction]:
    """Read the reviewers' choices from a Label Studio export (JSON), the newest annotation of each task.

    Raises:
        ConfigFileError: the file is not such an export, or names a leaf that does not exist.
    """
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigFileError(path, [Problem(1, f"is no JSON file of annotations: {error}")]) from error
    if not isinstance(content, list):
        raise ConfigFileError(path, [Problem(1, "expected a list of tasks, as Label Studio exports with format JSON")])
    found, problems = [], []
    for number, task in enumerate(content, start=1):
        try:
            chosen = _chosen(task)
            if chosen is None:
                continue
            present = taxonomy.resolve(chosen)
            if present is None:
                problems.append(Problem(1, f"task {number}: {chosen} is no leaf{taxonomy.nearest(chosen)}"))
            else:
                found.append(Correction(str(task["data"]["id"]), str(task["data"]["prompt"]), present))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            problems.append(Problem(1, f"task {number} does not look like one that we exported: no {error}"))
    if problems:
        raise ConfigFileError(path, problems)
    return found


def _chosen(task: Any) -> str | None:
    """Return the leaf of a task's newest annotation; None if it has none, or was skipped."""
    annotations = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    if not annotations:
        return None
    newest: Any = max(annotations, key=lambda a: (str(a.get("updated_at", "")), a.get("id", 0)))
    paths: list[list[str]] = [
        path for result in newest["result"] if result["from_name"] == FROM_NAME for path in result["value"]["taxonomy"]
    ]
    return "/".join(sorted(paths, key=len)[-1]) if paths else None
