"""Use cases: the model chooses a node of the taxonomy level by level, group, category and leaf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filters.deepseek_vl.axes import CONVERSATION
from filters.deepseek_vl.questions import MAX_IMAGES, Ask, Asked, Fault, Judge, kind_of, language_of
from sources.base.marks import without_images
from sources.base.sample import Sample

Tree = Mapping[str, Any]  # {slug: {"en": name, "zh": name, "nodes": Tree}}
MAX_CHARS = 300  # of the request or the text
ABOUT_REQUEST = {
    "en": "A user asks about this picture:\n{text}\n\nWhich kind of task is this?",
    "zh": "用户对这张图片提问：\n{text}\n\n这属于哪一类任务？",
}
ABOUT_TEXT = {
    "en": "A text goes with this picture:\n{text}\n\nWhich kind of task could be set about it?",
    "zh": "与这张图片配对的文字：\n{text}\n\n可以就此提出哪一类任务？",
}


@dataclass(slots=True)
class Label:
    """A place in the taxonomy.

    Args:
        use_case: id of the node, empty for the root.
        confidence: product of the probabilities on the way to it.
        below: the nodes below it; none for a leaf.
        fault: why the model could not choose.
    """

    below: Tree
    use_case: str = ""
    confidence: float = 1.0
    fault: str | None = None

    def descend(self, slug: str, probability: float) -> None:
        """Go to a node of the next level."""
        self.use_case = f"{self.use_case}/{slug}".lstrip("/")
        self.confidence *= probability
        self.below = self.below[slug]["nodes"]


def tree_of(path: Path) -> Tree:
    """The names of a taxonomy as plain data. Raises ConfigFileError."""
    from taxonomy.loader import load

    def plain(nodes: Mapping[str, Any]) -> Tree:
        return {
            slug: {"en": node.name.en, "zh": node.name.zh, "nodes": plain(getattr(node, "nodes", {}))}
            for slug, node in nodes.items()
        }

    return plain(load(path).file.nodes)


def label(samples: Sequence[Sample], tree: Tree, judge: Judge, batch: int) -> list[Label | None]:
    """The leaf of each sample; None for one without an image.

    Args:
        batch: samples that are asked about together.
    """
    labels = [Label(tree) if sample.images else None for sample in samples]
    while True:
        for found in labels:
            while found is not None and len(found.below) == 1:  # nothing to choose
                found.descend(next(iter(found.below)), 1.0)
        open_now = [
            (k, found) for k, found in enumerate(labels) if found is not None and found.below and not found.fault
        ]
        if not open_now:
            return labels
        batches = [open_now[k : k + batch] for k in range(0, len(open_now), batch)]
        asks = [[_ask(samples[k], found.below) for k, found in of_batch] for of_batch in batches]
        for of_batch, answered in zip(batches, judge.ask(asks), strict=True):
            for (_, found), answer in zip(of_batch, answered, strict=True):
                if isinstance(answer, Fault):
                    found.fault = answer.code
                    continue
                probabilities = np.exp(answer[0])
                best = int(probabilities.argmax())
                found.descend(list(found.below)[best], float(probabilities[best]))


def _ask(sample: Sample, below: Tree) -> Ask:
    text = sample.plain_text()
    language = language_of(text)
    template = ABOUT_TEXT[language]
    if kind_of(sample) == CONVERSATION:
        template = ABOUT_REQUEST[language]
        turns = [message.content for message in sample.messages or () if message.role == "user"]
        text = without_images(turns[0]).strip() if turns else text
    choices = tuple(node[language] for node in below.values())
    images = tuple(image.data for image in sample.images[:MAX_IMAGES])
    return Ask(images, (Asked(template.replace("{text}", text[:MAX_CHARS]), choices),))


def questions_of(tree: Tree) -> list[Asked]:
    """Every question that can be asked, without texts, so that its choices can be checked."""
    found = []
    for language, template in ABOUT_REQUEST.items():
        found.append(Asked(template, tuple(node[language] for node in tree.values())))
    for node in tree.values():
        found += questions_of(node["nodes"]) if node["nodes"] else []
    return found
