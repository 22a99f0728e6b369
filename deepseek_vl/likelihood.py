"""How likely the model finds a text that is given: the log probability of each of its tokens, over all tokens.

Shapes: T tokens of given texts, D width, R rows of the head.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from deepseek_vl.language import Language
from deepseek_vl.slices import Slices
from deepseek_vl.token_tree import TokenTree

HEAD_ROWS = 8192  # of the head that are multiplied at a time, in float32: 34 MB for a thousand tokens


@dataclass(slots=True)
class GivenText:
    """A text whose tokens, the last of which ends it, are predicted one after the other.

    Args:
        places: in the row of the tree, of the token before each.
    """

    tokens: tuple[int, ...]
    places: list[int] = field(default_factory=list)

    def place(self, tree: TokenTree, prompt: int) -> None:
        """Append the tokens to the tree, below the segment `prompt`; the last one predicts nothing and is left out."""
        self.places = [tree.last_place(prompt)]
        if len(self.tokens) > 1:
            last = tree.last_place(tree.add(self.tokens[:-1], prompt))
            self.places += range(last - len(self.tokens) + 2, last + 1)


def token_logs(
    language: Language, hidden_TD: Tensor, targets: Sequence[int], limit_flop: float = math.inf
) -> Slices[Tensor]:
    """Compute the (T,) float32 log probability of each target after its hidden state, in pieces (see `slices`).

    The logits are never in memory as a whole: their sum is collected over groups of tokens of the vocabulary.
    """
    vocabulary, device = language.config.vocabulary, hidden_TD.device
    x_TD = hidden_TD.float()
    if not len(targets):
        return x_TD.sum(-1)
    row_flop = 2.0 * x_TD.numel()
    num_rows = int(max(1.0, min(HEAD_ROWS, limit_flop // row_flop)))
    total_T = torch.full((len(x_TD),), -math.inf, device=device)
    for start in range(0, vocabulary, num_rows):
        tokens = torch.arange(start, min(start + num_rows, vocabulary), device=device)
        yield row_flop * len(tokens)
        total_T = torch.logaddexp(total_T, (x_TD @ language.head_rows(tokens).float().T).logsumexp(-1))
    chosen_TD = language.head_rows(torch.tensor(targets, device=device)).float()
    return (x_TD * chosen_TD).sum(-1) - total_T
