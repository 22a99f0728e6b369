"""Text as a target: runs that no reader can count (rules of underscores, dot leaders, spaces) have a fixed length."""

import re

# A run of three or more of these signs is a line to write on, a leader or a divider. "——" is a Chinese dash.
_RUN = re.compile(r"([_.…·•．﹒‥\-–—―─=~*＿])(?: ?\1){2,}")
_RUN_LENGTH = {"_": 4, "＿": 4, "…": 2, "—": 2, "―": 2, "─": 2}  # other signs: 3
_SPACES = re.compile(r"[^\S\t\n]{2,}|[^\S\t\n ]")
_SPACE_AT_EDGE = re.compile(r" ?([\t\n]) ?")


def countable(text: str) -> str:
    """Return a text in which runs of signs and of spaces are as long as a convention says, not as they are printed.

    Tabs and line breaks are kept: they separate cells and rows.
    """
    text = _RUN.sub(lambda run: run[1] * _RUN_LENGTH.get(run[1], 3), text)
    return _SPACE_AT_EDGE.sub(r"\1", _SPACES.sub(" ", text))
