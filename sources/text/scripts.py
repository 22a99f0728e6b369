"""Scripts of a text: right-to-left and East Asian letters."""

import re

RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")  # Hebrew, Arabic, Syriac, Thaana, N'Ko …
EAST_ASIAN = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")


def has_right_to_left(text: str) -> bool:
    """Return True if any letter belongs to a right-to-left script."""
    return not text.isascii() and RIGHT_TO_LEFT.search(text) is not None


def is_right_to_left(text: str) -> bool:
    """Return True if most letters belong to a right-to-left script."""
    return has_right_to_left(text) and 2 * len(RIGHT_TO_LEFT.findall(text)) > sum(map(str.isalpha, text))
