"""The `items` of a scoring request: images with questions of their own, each with its own scores or error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepseek_vl.scoring import Asked, Item, Likelihood, Question, Row, Scorer
from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.fields import Fields, json_type
from deepseek_vl.serve.images import to_rgb
from deepseek_vl.serve.settings import Settings

Scores = list[np.ndarray]  # (K,) log probabilities of the choices of each question, or of the tokens of its answer


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """A checked item: images (URLs), perhaps none, and the questions about all of them together.

    Args:
        questions: each as a text with its choices, or with the one answer that is given; the text may then be None.
    """

    images: tuple[str, ...]
    questions: tuple[tuple[str | None, tuple[str, ...] | str], ...]


def parse_items(fields: Fields, settings: Settings) -> tuple[ScoreItem, ...]:
    """Read the field `items`. Raises ApiError for what is wrong in the request, not for images that cannot be read."""
    listed = fields.required("items")
    if not isinstance(listed, list) or not 1 <= len(listed) <= settings.max_items:
        got = len(listed) if isinstance(listed, list) else json_type(listed)
        fields.refuse("items", f"expected a list of 1 to {settings.max_items} items, got {got}")
    return tuple(_item(Fields(content, f"items[{k}]"), settings) for k, content in enumerate(listed))


def _item(fields: Fields, settings: Settings) -> ScoreItem:
    images = fields.left.pop("images", [])
    if not isinstance(images, list) or not all(isinstance(url, str) for url in images):
        fields.refuse("images", "expected a list of data URLs")
    if len(images) > settings.max_images:
        fields.refuse("images", f"{len(images)} images; expected at most {settings.max_images}")
    listed = fields.required("questions")
    if not isinstance(listed, list) or not 1 <= len(listed) <= settings.max_questions:
        fields.refuse("questions", f"expected a list of 1 to {settings.max_questions} questions")
    fields.end()
    questions = [_question(Fields(q, f"{fields.where}.questions[{k}]"), settings) for k, q in enumerate(listed)]
    return ScoreItem(tuple(images), tuple(questions))


def _question(fields: Fields, settings: Settings) -> tuple[str | None, tuple[str, ...] | str]:
    text: str | None
    answer: tuple[str, ...] | str
    if "answer" in fields.left:
        text = fields.text("text") if "text" in fields.left else None
        answer = fields.text("answer")
    else:
        text, answer = fields.text("text"), tuple(fields.texts("choices", settings.max_choices))
    fields.end()
    return text, answer


def _asked(text: str | None, answer: tuple[str, ...] | str) -> Asked:
    if isinstance(answer, str):
        return Likelihood(text, answer)
    assert text is not None
    return Question(text, answer)


def row_of(scorer: Scorer, item: ScoreItem, images: Sequence[str | bytes], max_pixels: int) -> Row | ApiError:
    """Return the row of an item, or why it has none."""
    try:
        pictures = tuple(to_rgb(image, max_pixels, k) for k, image in enumerate(images))
        row = scorer.prepare(Item(pictures, tuple(_asked(*question) for question in item.questions)))
    except ApiError as error:
        return error
    except ValueError as error:
        code = "context_length_exceeded" if "tokens, visual" in str(error) else "invalid_question"
        return ApiError(400, str(error), code=code)
    if row.tree.length > scorer.batch_tokens:
        message = f"the item takes {row.tree.length} tokens; expected at most {scorer.batch_tokens}"
        return ApiError(400, message, code="context_length_exceeded")
    return row


def body_of(outcomes: Sequence[Scores | ApiError]) -> list[dict[str, Any]]:
    """Return the `results` of a response: `log_probabilities[question][choice or token]`, or the item's error."""
    return [
        outcome.body()
        if isinstance(outcome, ApiError)
        else {"log_probabilities": [scores.tolist() for scores in outcome]}
        for outcome in outcomes
    ]
