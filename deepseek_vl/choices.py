"""A trie of tokens for the choices of a question, from which the probability of each choice follows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepseek_vl.token_tree import TokenTree


@dataclass(slots=True)
class Node:
    """A node where the model chooses among `children`; `place` is the index of its token in the row of the tree."""

    place: int = -1
    children: dict[int, "Node"] = field(default_factory=dict)

    def following(self) -> list[int]:
        """Return the tokens that can come next, in order."""
        return list(self.children)


@dataclass(slots=True)
class ChoiceTrie:
    """The choices of one question.

    The probability of a choice is the product of its tokens' probabilities, each among the tokens that continue some
    choice; if every choice is one token, this is the softmax over the choices. The probabilities of all choices sum to
    one, and only these tokens' rows of the head are needed.
    """

    root: Node = field(default_factory=Node)
    paths: list[tuple[int, ...]] = field(default_factory=list)

    @classmethod
    def of(cls, choices: Sequence[Sequence[int]], eos: int) -> "ChoiceTrie":
        """Build the trie. A choice that is the beginning of another gets `eos` at its end, to distinguish the two.

        Raises:
            ValueError: two choices have the same tokens.
        """
        trie = cls()
        sequences = [tuple(choice) for choice in choices]
        if len(set(sequences)) < len(sequences):
            raise ValueError("two choices of a question have the same tokens, which the model cannot tell apart")
        for sequence in sequences:
            begins_another = any(len(o) > len(sequence) and o[: len(sequence)] == sequence for o in sequences)
            trie.paths.append((*sequence, eos) if begins_another else sequence)
        for path in trie.paths:
            node = trie.root
            for token in path:
                node = node.children.setdefault(token, Node())
        return trie

    def place(self, tree: TokenTree, question: int) -> None:
        """Append the tokens that have children to the tree, below the segment `question`, and set each node's place."""
        self.root.place = tree.last_place(question)
        waiting = [(self.root, question)]
        while waiting:
            node, parent = waiting.pop()
            for token, child in node.children.items():
                if child.children:
                    segment = tree.add([token], parent)
                    child.place = tree.last_place(segment)
                    waiting.append((child, segment))

    def nodes(self) -> list[Node]:
        """Return all nodes where the model chooses, in a fixed order."""
        found, waiting = [], [self.root]
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting += [child for child in node.children.values() if child.children]
        return found

    def log_probabilities(self, logits: dict[int, dict[int, float]]) -> np.ndarray:
        """Return the (K,) log probabilities of the choices, from the logits of each node's tokens by `node.place`."""
        result = np.zeros(len(self.paths))
        for k, path in enumerate(self.paths):
            node = self.root
            for token in path:
                values = np.array([logits[node.place][following] for following in node.following()])
                shifted = values - values.max()
                chosen = shifted[node.following().index(token)]
                result[k] += chosen - np.log(np.exp(shifted).sum())
                node = node.children[token]
        return result
