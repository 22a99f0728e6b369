"""Settings of the taxonomy in a recipe: labels of samples, and the conversations that are made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """The recipe's section `taxonomy`.

    Args:
        path: the taxonomy's YAML file; None is the bundled one.
        labeller: labels prompts without a correction or known use case; None leaves them unlabelled.
        threshold: a label less sure than this, 0 to 1, becomes `unlabelled`.
        corrections: a JSONL file of a person's labels, as `python -m taxonomy import` writes it.
        shares: target share by leaf, category or group, in place of the file's; the other nodes divide the rest in the
            file's proportions.
        samples: size of the dataset: a use case keeps at most its target share of this number, and unlabelled
            samples are left out. None keeps all.
        targets: number of samples by leaf, category or group, in place of `shares` and `samples`, which follow from it;
            use cases that it does not name are left out.
        digest: digest of file and corrections; set by the run.
    """

    path: str | None = None
    labeller: str | None = "fasttext"
    threshold: float = 0.4
    corrections: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    samples: int | None = None
    targets: Mapping[str, int] = field(default_factory=dict)
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.labeller is not None:
            from taxonomy.labellers import LABELLERS  # 0.1 s, which a recipe without a labeller need not pay

            if self.labeller not in LABELLERS:
                raise ValueError(f"labeller must be one of {', '.join(LABELLERS)} or null, got {self.labeller!r}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must be between 0 and 1, got {self.threshold}")
        if self.samples is not None and self.samples <= 0:
            raise ValueError(f"samples must be positive, got {self.samples}")
        for use_case, share in self.shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {use_case} must be between 0 and 1, got {share}")
        if self.targets:
            self._follow_targets()
        if sum(self.shares.values()) > 1 + 1e-6:
            raise ValueError(f"shares must sum to at most 1, got {sum(self.shares.values()):.4g}")

    def _follow_targets(self) -> None:
        """Set `shares` and `samples` to what `targets` mean. A recipe that was written down has all three."""
        for use_case, number in self.targets.items():
            if number <= 0:
                raise ValueError(f"the target of {use_case} must be positive, got {number}")
        outer = {n: num for n, num in self.targets.items() if not any(n.startswith(f"{o}/") for o in self.targets)}
        samples = sum(outer.values())
        shares = {use_case: number / samples for use_case, number in self.targets.items()}
        if (self.shares and dict(self.shares) != shares) or self.samples not in (None, samples):
            raise ValueError("targets give numbers by use case; expected no shares and no samples beside them")
        object.__setattr__(self, "shares", shares)
        object.__setattr__(self, "samples", samples)


@dataclass(frozen=True, kw_only=True)
class InstructionSettings:
    """The recipe's section `instructions`, which turns samples with ground truth into conversations.

    Args:
        writers: names of the writers to use; empty means all.
        weights: by writer, the relative frequency with which it is tried first, in place of the target share of its
            leaves.
        max_turns: most questions of a conversation; later ones build on the answers before them.
    """

    writers: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    max_turns: int = 4

    def __post_init__(self) -> None:
        if self.max_turns <= 0:
            raise ValueError(f"max_turns must be positive, got {self.max_turns}")
        if self.writers or self.weights:
            from taxonomy.writers.registry import WRITERS

            for name in (*self.writers, *self.weights):
                if name not in WRITERS:
                    raise ValueError(f"no writer is called {name!r}; expected one of {', '.join(sorted(WRITERS))}")
        for name, weight in self.weights.items():
            if weight < 0:
                raise ValueError(f"the weight of {name} must not be negative, got {weight}")
