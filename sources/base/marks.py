"""Marks in the text of samples: `<image>` where an image is, and foreign text that only looks like one.

A page about vision-language models prints `<image>`, `<|im_start|>` or `[INST]`. Trainers take these for an image or
for a token of their own. Every source therefore passes foreign text through `escaped`, which writes one more space
before the last bracket: `<image >`. It reads the same, tags of HTML with such names stay tags, and `unescaped` undoes
it.
"""

import re

IMAGE_PLACEHOLDER = "<image>"

# Names between < and > that a trainer or its tokenizer replaces: images, sound and film of LLaMA-Factory, ms-swift and
# LLaVA; tokens of Llama, Gemma, Idefics, InternVL and DeepSeek-VL.
_NAMES = (
    *("image", "video", "audio", "img", "image_placeholder", "image_soft_token", "audio_soft_token", "IMG_CONTEXT"),
    *("im_start", "im_end", "im_patch", "start_of_image", "end_of_image", "fake_token_around_image", "global-img"),
    *("bbox", "ref-object", "object", "box", "ref", "quad", "point"),
    *("start_of_turn", "end_of_turn", "end_of_utterance", "bos", "eos", "pad", "unk", "s", "mask"),
)
_IN_BRACKETS = ("INST", "IMG", "IMG_BREAK", "IMG_END", "SYSTEM_PROMPT", "AVAILABLE_TOOLS", "TOOL_CALLS", "TOOL_RESULTS")
# <|…|> is the form of most chat templates; DeepSeek writes it with wide bars.
_MARK = re.compile(
    rf"<(?:/?(?:{'|'.join(_NAMES)})|[|｜][^<>|｜\n]{{1,64}}[|｜]) *(?=>)|\[/?(?:{'|'.join(_IN_BRACKETS)}) *(?=\])"
)


def escaped(text: str) -> str:
    """Return foreign text without anything that is taken for a mark. `unescaped` is the inverse for every text."""
    if "<" not in text and "[" not in text:  # most texts
        return text
    return _MARK.sub(lambda found: f"{found[0]} ", text)


def unescaped(text: str) -> str:
    """Return the text as it was before `escaped`. Real marks stay."""
    return _MARK.sub(lambda found: found[0].removesuffix(" "), text)


def with_images(text: str, num_images: int = 1) -> str:
    """Return foreign text, escaped, after one mark for each image."""
    return f"{IMAGE_PLACEHOLDER}\n" * num_images + escaped(text)


def without_images(text: str) -> str:
    """Return what a reader of a sample's text sees: no marks of images, and foreign text as it was."""
    return unescaped(text.replace(IMAGE_PLACEHOLDER, ""))


def num_images_marked(text: str) -> int:
    """Return the number of images that a sample's text marks."""
    return text.count(IMAGE_PLACEHOLDER)
