"""What an item asks, as tokens: questions with choices, or texts that are given, behind the images they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deepseek_vl.choices import ChoiceTrie
from deepseek_vl.conversation import Special, render
from deepseek_vl.likelihood import GivenText
from deepseek_vl.processor import Processor
from deepseek_vl.token_tree import TokenTree

AFTER_IMAGES = "\n"  # between an image and its caption, as in pre-training


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the model about an image, with at least two different choices."""

    text: str
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        different = {" ".join(choice.split()) for choice in self.choices}
        if "" in different:
            raise ValueError(f"{self.text!r:.60} has an empty choice")
        if len(different) < max(2, len(self.choices)):
            got = f"got {self.choices!r:.80} (white space makes no difference)"
            raise ValueError(f"{self.text!r:.60} needs at least two different choices, {got}")


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A text that is given, to be scored by how likely the model finds each of its tokens and its end.

    Args:
        question: what the text answers; None: the text follows the images, as a caption in pre-training.
    """

    question: str | None
    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError(f"the text that answers {self.question!r:.60} is empty")


Asked = Question | Likelihood
Answer = ChoiceTrie | GivenText


class Plan(NamedTuple):
    """The tokens of an item, and where the model answers.

    Args:
        image_copies: how often the tokens of the images are in the tree. Chats and captions begin differently.
    """

    tree: TokenTree
    answers: tuple[Answer, ...]
    image_copies: int


def plan(processor: Processor, system: str, num_images: int, questions: Sequence[Asked]) -> Plan:
    """Lay out questions about some number of images. Raises ValueError if one is too long."""
    tree = TokenTree()
    planned = [_planned(processor, system, num_images, question) for question in questions]
    copies = 0
    for is_caption in (False, True):
        group = [
            found for question, found in zip(questions, planned, strict=True) if _is_caption(question) == is_caption
        ]
        copies += bool(group)
        for segment, (_, answer) in zip(_branches(tree, [prompt for prompt, _ in group]), group, strict=True):
            answer.place(tree, segment)
    return Plan(tree, tuple(answer for _, answer in planned), copies)


def _is_caption(question: Asked) -> bool:
    return isinstance(question, Likelihood) and question.question is None


def _planned(processor: Processor, system: str, num_images: int, question: Asked) -> tuple[np.ndarray, Answer]:
    """Return the (T,) tokens of a prompt, and where its answer begins."""
    text = question.text if isinstance(question, Question) else question.question
    if text is None:
        assert isinstance(question, Likelihood)
        return _caption(processor, num_images, question.text)
    content = [*[{"type": "image"}] * num_images, {"type": "text", "text": text}]
    prompt = processor.encode(render([{"role": "user", "content": content}], system), num_images)
    if isinstance(question, Question):
        choices = [answer_tokens(processor, choice) for choice in question.choices]
        return prompt, ChoiceTrie.of(choices, processor.config.eos)
    return prompt, _given(processor, prompt, answer_tokens(processor, question.text))


def _caption(processor: Processor, num_images: int, text: str) -> tuple[np.ndarray, GivenText]:
    pieces = [Special.IMAGE] * num_images
    prompt = processor.encode(pieces, num_images)
    if not num_images:
        return prompt, _given(processor, prompt, _encoded(processor, text.strip()))
    # What is between an image and its caption is not scored, if it is a token of its own.
    between, tokens = _encoded(processor, AFTER_IMAGES), _encoded(processor, AFTER_IMAGES + text.strip())
    if tokens[: len(between)] == between:
        prompt, tokens = np.append(prompt, between), tokens[len(between) :]
    return prompt, _given(processor, prompt, tokens)


def answer_tokens(processor: Processor, text: str) -> list[int]:
    """Return the tokens of an answer, with the space that follows `Assistant:` in the template."""
    return _encoded(processor, f" {text.strip()}")


def _encoded(processor: Processor, text: str) -> list[int]:
    tokens: list[int] = processor.tokenizer.encode(text, add_special_tokens=False).ids
    return tokens


def _given(processor: Processor, prompt: np.ndarray, tokens: Sequence[int]) -> GivenText:
    processor.check_length(len(prompt) + len(tokens))
    return GivenText((*tokens, processor.config.eos))


def _branches(tree: TokenTree, prompts: Sequence[np.ndarray]) -> list[int]:
    """Add prompts to a tree, behind what they share; return the segment that each ends with."""
    if len(prompts) < 2:
        return [tree.add(prompt) for prompt in prompts]
    shortest = min(map(len, prompts))
    same = np.all([prompt[:shortest] == prompts[0][:shortest] for prompt in prompts], axis=0)
    shared = min(int(np.argmin(same)) if not same.all() else shortest, shortest - 1)
    prefix = tree.add(prompts[0][:shared]) if shared else None
    return [tree.add(prompt[shared:], prefix) for prompt in prompts]
