"""The taxonomy in memory: leaves by id, target shares, and the present ids of former ones."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from taxonomy.schema import Branch, File, Leaf

UNLABELLED = "unlabelled"  # the use case of a sample whose label is not sure enough


@dataclass(frozen=True)
class Taxonomy:
    """A checked taxonomy.

    Args:
        digest: sha256 of the file's bytes, hex; part of the cache key of everything made from it.
    """

    file: File
    digest: str

    @cached_property
    def leaves(self) -> dict[str, Leaf]:
        """All leaves by id, in the file's order."""
        return {node_id: node for node_id, node, _ in self.walk() if isinstance(node, Leaf)}

    @cached_property
    def shares(self) -> dict[str, float]:
        """Each node's target share of the whole."""
        return {node_id: share for node_id, _, share in self.walk()}

    @cached_property
    def former_ids(self) -> dict[str, str]:
        """Present id by former id, also for leaves below a moved branch."""
        found = {}
        for node_id, node, _ in self.walk():
            for alias in node.aliases:
                found[alias] = node_id
                if isinstance(node, Branch):
                    below = (leaf for leaf in self.leaves if leaf.startswith(f"{node_id}/"))
                    found |= {alias + leaf.removeprefix(node_id): leaf for leaf in below}
        return {former: leaf for former, leaf in found.items() if former not in self.leaves}

    @cached_property
    def asking(self) -> dict[str, str]:
        """The leaf that has the questions of a kind, by kind."""
        return {kind: leaf_id for leaf_id, leaf in self.leaves.items() for kind in leaf.question_templates}

    def walk(self) -> Iterator[tuple[str, Branch | Leaf, float]]:
        """Yield (id, node, share of the whole) for every node, parents before children."""
        return _walk(self.file.nodes, "", 1.0)

    def resolve(self, use_case: str) -> str | None:
        """Return the present leaf for a present or former id; None if there is none."""
        if use_case in self.leaves:
            return use_case
        present = self.former_ids.get(use_case)
        return present if present in self.leaves else None

    def nearest(self, use_case: str) -> str:
        """Return `; did you mean …?` with the most similar id, or an empty string."""
        close = difflib.get_close_matches(use_case, self.shares, n=1, cutoff=0.5)
        return f"; did you mean {close[0]}?" if close else ""


def _walk(nodes: Mapping[str, Branch | Leaf], prefix: str, share: float) -> Iterator[tuple[str, Branch | Leaf, float]]:
    for slug, node in nodes.items():
        yield prefix + slug, node, share * node.share
        if isinstance(node, Branch):
            yield from _walk(node.nodes, f"{prefix}{slug}/", share * node.share)


def ancestor(use_case: str, level: int) -> str:
    """Return the ancestor at a level (1 is the group), or the id itself if it has fewer levels."""
    return "/".join(use_case.split("/")[:level])
