"""The recipe's section `mixture`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

TOLERANCE = 0.001  # published shares are rounded


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Shares of tokens, and how tokens are counted.

    Tokens are counted in a sample's text, or in all turns of its conversation, with 576 for each image.

    Args:
        shares: share of all tokens by component, 0 to 1; they sum to 1. A component is a source, or several sources
            that have the same `component`.
        tokens: tokens in all. None: as many as the scarcest component allows.
        tokenizer: `tokenizer.json` of the model, or a folder with one; it must be there on every worker. Empty: tokens
            are estimated from the number of characters.
        digest: what tokens are counted with; set by the run.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    tokens: int | None = None
    tokenizer: str = ""
    digest: str | None = None

    def __post_init__(self) -> None:
        for component, share in self.shares.items():
            if not 0 < share <= 1:
                raise ValueError(f"shares must be above 0 and at most 1, got {share} for {component}")
        if abs(math.fsum(self.shares.values()) - 1) > TOLERANCE:
            raise ValueError(f"shares must sum to 1, got {math.fsum(self.shares.values()):.4g}")
        if self.tokens is not None and self.tokens <= 0:
            raise ValueError(f"tokens must be positive, got {self.tokens}")
