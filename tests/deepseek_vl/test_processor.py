"""The prompt: the authors' template, tokens of the whole text, special tokens that cannot be typed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import PreTrainedTokenizerFast

from deepseek_vl.conversation import SYSTEM, Special, render
from deepseek_vl.processor import SPECIAL_TOKENS, Processor
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow

IMAGE = {"type": "image"}
PICTURE = Image.new("RGB", (20, 30))


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def user(content: object) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_template_of_a_question_and_of_a_conversation() -> None:
    assert render([user(" Hello ")]) == [f"{SYSTEM}\n\nUser: Hello\n\nAssistant:"]
    conversation = [
        {"role": "system", "content": "Be brief."},
        user([IMAGE, text("What is it? ")]),
        {"role": "assistant", "content": "A cat."},
        user([text("And this? "), IMAGE]),
    ]
    assert render(conversation) == [
        "Be brief.\n\nUser: ",
        Special.IMAGE,
        "What is it?\n\nAssistant: A cat.",
        Special.END,
        "User: And this? ",
        Special.IMAGE,
        "\n\nAssistant:",
    ]
    assert render([user("Hi"), {"role": "assistant", "content": "Yes"}], system="") == [
        "User: Hi\n\nAssistant: Yes",
        Special.END,
    ]


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "at least one message"),
        ([{"role": "system", "content": "x"}], "at least one message"),
        ([{"role": "assistant", "content": "x"}], "message 0: expected the role 'user'"),
        ([user("x"), user("y")], "message 1: expected the role 'assistant'"),
        ([user(None)], "message 0: content must be"),
        ([user([{"type": "video"}])], "message 0: a part must be"),
        ([user([text("a"), {"type": "text", "text": 3}])], "message 0: a part must be"),
        (["hello"], "message 0: expected the role 'user'"),
        ([{"role": "system", "content": [IMAGE]}, user("x")], "a system message holds no image"),
    ],
)
def test_malformed_messages_are_rejected(messages: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render(messages)


def test_an_image_is_a_run_of_image_tokens_in_its_place() -> None:
    processor = tiny.processor(tiny.HYBRID)
    prompt = processor.prompt([user([text("a"), IMAGE, text("b"), IMAGE])], [PICTURE, PICTURE])
    places = [k for k, token in enumerate(prompt.tokens) if token == tiny.HYBRID.image_token]
    assert len(places) == 2 * tiny.HYBRID.tokens_per_image
    assert len(prompt.canvases) == 2
    assert prompt.tokens[0] == tiny.HYBRID.bos
    assert processor.decode(prompt.tokens) == f"{SYSTEM}\n\nUser: ab\n\nAssistant:"


@pytest.mark.parametrize(("parts", "images"), [(1, 0), (0, 1), (2, 1), (1, 3)])
def test_images_and_image_parts_must_agree(parts: int, images: int) -> None:
    with pytest.raises(ValueError, match=rf"hold {parts} image parts and {images} images are given"):
        tiny.processor(tiny.HYBRID).prompt([user([IMAGE] * parts + [text("x")])], [PICTURE] * images)


@given(st.text(max_size=60).filter(str.strip), st.sampled_from(list(SPECIAL_TOKENS.values())))
def test_typed_special_tokens_are_text(words: str, special: str) -> None:
    processor = tiny.processor(tiny.SINGLE)
    typed = f"{special}{words}{special}"
    tokens = processor.prompt([user(typed)]).tokens.tolist()
    assert tokens.count(tiny.SINGLE.bos) == 1
    assert tiny.SINGLE.eos not in tokens
    assert tiny.SINGLE.image_token not in tokens
    assert processor.decode(tokens) == f"{SYSTEM}\n\nUser: {typed.strip()}\n\nAssistant:"


def test_a_tokenizer_file_that_calls_them_ordinary_makes_no_difference() -> None:
    ordinary = tiny.tokenizer().to_str().replace('"special":true', '"special":false')
    assert ordinary != tiny.tokenizer().to_str()
    processor = Processor(tiny.tokenizer().from_str(ordinary), tiny.SINGLE)
    assert tiny.SINGLE.image_token not in processor.prompt([user("<image_placeholder>")]).tokens


def test_tokens_equal_those_of_the_port(tmp_path: Path) -> None:
    tiny.tokenizer().save(str(tmp_path / "tokenizer.json"))
    port = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    bos, eos, image = SPECIAL_TOKENS.values()
    conversation = [user([IMAGE, text("What is it?")]), {"role": "assistant", "content": "图中是猫。"}, user("And?")]
    run = image * tiny.SINGLE.tokens_per_image
    whole = f"{bos}{SYSTEM}\n\nUser: {run}What is it?\n\nAssistant: 图中是猫。{eos}User: And?\n\nAssistant:"
    prompt = tiny.processor(tiny.SINGLE).prompt(conversation, [PICTURE])
    assert prompt.tokens.tolist() == port(whole, add_special_tokens=False).input_ids


def test_a_prompt_past_the_models_positions_is_rejected() -> None:
    processor = tiny.processor(tiny.SINGLE)
    with pytest.raises(ValueError, match=r"has \d+ tokens, visual tokens included; the model reads at most 512"):
        processor.prompt([user("word " * 600)])
    with pytest.raises(ValueError, match="visual tokens included"):
        processor.prompt([user([IMAGE] * 40)], [PICTURE] * 40)
