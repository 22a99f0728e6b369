"""Examples: which tokens are learned, and what happens to rows that do not fit."""

from typing import Any

import numpy as np
import pytest

from deepseek_vl.conversation import marked_parts
from deepseek_vl.train.examples import Example, ExampleEncoder, ExampleError, supervised_pieces
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import PROCESSOR, conversation_row, image_row, png

PER_IMAGE = tiny.HYBRID.tokens_per_image


def encoder(**settings: Any) -> ExampleEncoder:
    return ExampleEncoder(PROCESSOR, **{"max_tokens": 400, "max_images": 4, **settings})


def learned(example: Example) -> str:
    """Return the text of the targets, with the end token visible."""
    tokens = example.tokens[example.is_target]
    return PROCESSOR.tokenizer.decode(tokens.tolist(), skip_special_tokens=False)


def test_all_text_of_a_pretraining_sample_is_learned_and_no_image() -> None:
    (example,) = encoder().encode({"text": "Title\n<image>\nCaption", "images": [{"bytes": b"x", "path": None}]})
    assert learned(example) == "Title\n\nCaption<｜end▁of▁sentence｜>"
    is_image = example.tokens == tiny.HYBRID.image_token
    assert is_image.sum() == PER_IMAGE
    assert not (is_image & example.is_target).any()
    assert example.tokens[0] == tiny.HYBRID.bos
    assert not example.is_target[0]


def test_only_the_turns_of_the_assistant_are_learned() -> None:
    messages = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "<image>\nWhat is it?"},
        {"role": "assistant", "content": "A chart."},
        {"role": "user", "content": "And this: <image>?"},
        {"role": "assistant", "content": "A page."},
    ]
    (example,) = encoder().encode({"messages": messages, "images": [{"bytes": b"x", "path": None}] * 2})
    end = "<｜end▁of▁sentence｜>"
    assert learned(example) == f" A chart.{end} A page.{end}"
    assert (example.tokens == tiny.HYBRID.image_token).sum() == 2 * PER_IMAGE


def test_a_conversation_is_learned_as_it_is_generated() -> None:
    row = conversation_row(7)
    (example,) = encoder().encode(row)
    first = int(np.flatnonzero(example.is_target)[0])
    content = [{"type": "image"}, {"type": "text", "text": "Which number?"}]  # as chat, server and scorer write it
    prompt = PROCESSOR.prompt([{"role": "user", "content": content}], [png(7)])
    assert prompt.tokens.tolist() == example.tokens[:first].tolist()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<image>\nRead it.", ["image", "Read it."]),
        ("<image>\r\n<image>\nCompare.", ["image", "image", "Compare."]),
        ("See\n<image>\nand\nsay.", ["See\n", "image", "and\nsay."]),
        ("<image> Read it.", ["image", " Read it."]),
        ("No mark\n", ["No mark\n"]),
    ],
)
def test_the_line_break_behind_a_mark_is_no_content(content: str, expected: list[str]) -> None:
    assert [part.get("text", part["type"]) for part in marked_parts(content)] == expected


def test_a_conversation_must_end_with_the_assistant() -> None:
    with pytest.raises(ValueError, match="last message must be the assistant's"):
        supervised_pieces([{"role": "user", "content": "Hello"}])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": None, "messages": None}, "no_text"),
        ({"text": "<image> <image>", "images": [{"bytes": b"x", "path": None}]}, "image_count"),
        ({"text": "<image>", "images": [{"bytes": None, "path": "gone.png"}]}, "no_image_bytes"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "malformed_messages"),
        ({"text": "word " * 500}, "too_long"),
    ],
)
def test_a_row_that_cannot_be_learned_from_has_a_reason(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(ExampleError) as caught:
        encoder().encode(row)
    assert caught.value.reason == reason


def test_a_sample_that_is_too_long_is_refused_if_wanted() -> None:
    with pytest.raises(ValueError, match="a sequence holds 40 tokens"):
        encoder(max_tokens=40, too_long="refuse").encode(image_row(1, words=30))


def test_parts_of_a_split_sample_hold_all_of_it_once() -> None:
    whole = encoder(max_tokens=10_000).encode({**image_row(1, words=60)})[0]
    text = whole.tokens[whole.is_target]
    parts = encoder(max_tokens=50, too_long="split").encode(image_row(1, words=60))
    assert len(parts) > 3
    assert all(len(part) <= 50 and part.tokens[0] == tiny.HYBRID.bos for part in parts)
    assert np.concatenate([part.tokens[part.is_target] for part in parts]).tolist() == text.tolist()
    assert sum(part.num_images for part in parts) == 1


def test_a_long_conversation_is_not_split() -> None:
    with pytest.raises(ExampleError) as caught:
        encoder(max_tokens=60, too_long="split").encode(conversation_row(1))
    assert caught.value.reason == "too_long"
