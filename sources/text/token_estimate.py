"""An estimate of how many tokens a text has, where there is no tokenizer to count them."""

import re

CHARS_PER_TOKEN = 4.0  # in alphabetic scripts, of DeepSeek's tokenizer on English
TOKENS_PER_CJK = 0.7
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, from its characters; Chinese, Japanese and Korean ones count more."""
    num_cjk = 0 if text.isascii() else len(_CJK.findall(text))
    return round(num_cjk * TOKENS_PER_CJK + (len(text) - num_cjk) / CHARS_PER_TOKEN)
