"""How much the loop makes and trains: on two CPU cores, on a GPU, or as a quick check that every step works."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size of the loop.

    Args:
        preset: the model, and the shipped settings of its three stages.
        recipe: the recipe in `recipes/` of the pictures that are read.
        words: pictures with a text to continue, for stages 1 and 2.
        answers: pictures with a question, for stage 3.
        charts: small charts with a question.
        held_out: pictures of words and of charts that are asked about in the evaluation.
        vocabulary: tokens of the tokenizer.
        steps: steps of each stage, where they differ from the shipped settings.
        compared_steps: steps of each of the three trainings that show what training on pictures alone does to text.
        twin_tokens: `data.tokens` of the twin in a stage, for about as many samples per step as with visual tokens; the
            others are as shipped.
        overrides: more settings of all trainings, `key=value`.
    """

    preset: str
    recipe: str
    words: int
    answers: int
    charts: int
    held_out: tuple[int, int]
    vocabulary: int
    compared_steps: int
    steps: Mapping[int, int] = field(default_factory=dict)
    twin_tokens: Mapping[int, int] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


SIZES = {
    "pico": Size(
        preset="pico",
        recipe="words",
        words=24_000,
        answers=12_000,
        charts=300,
        held_out=(400, 60),
        vocabulary=448,
        compared_steps=80,
        twin_tokens={1: 48},
    ),
    # For one GPU: `--prepare` makes the data on a machine with the pipeline, about 60 MB.
    "nano": Size(
        preset="nano",
        recipe="lines",
        words=9_000,
        answers=3_000,
        charts=1_000,
        held_out=(400, 150),
        vocabulary=2_000,
        compared_steps=400,
    ),
    "quick": Size(
        preset="pico",
        recipe="words",
        words=96,
        answers=48,
        charts=4,
        held_out=(12, 2),
        vocabulary=448,
        compared_steps=2,
        steps={1: 6, 2: 4, 3: 3},
        overrides=("optimization.schedule.warmup_steps=2", "saving.every_steps=100", "log_every=1"),
    ),
}
