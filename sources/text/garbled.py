"""Garbled text: characters that are no letter of any script, from text layers without a Unicode map."""

import re

import numpy as np

# U+FFFD, private use areas, unassigned specials and control characters other than white space
_GARBAGE = re.compile(r"[\ufffd\ue000-\uf8ff\ufff0-\ufffb\U000f0000-\U0010ffff\x00-\x08\x0e-\x1f\x7f-\x9f]")
SWAPPED = 0.5  # share of letters that end in a zero byte; of Chinese ones, one in 256 does
_CID = re.compile(r"\(cid:\d+\)")


def garbled_share(text: str) -> float | None:
    """Return the share of the visible characters that are damage, 0 to 1; None without text."""
    visible = "".join(text.split())
    if not visible:
        return None
    garbage = sum(map(len, _CID.findall(visible))) if "(cid:" in visible else 0
    if visible.isascii() and visible.isprintable():
        return garbage / len(visible)
    garbage += len(_GARBAGE.findall(visible))
    codes = np.frombuffer(visible.encode("utf-32-le", "surrogatepass"), "<u4")
    swapped = np.count_nonzero(codes & 0xFF == 0)  # "A" with its bytes swapped is U+4100
    return min(1.0, (garbage + swapped) / len(visible)) if swapped > SWAPPED * len(visible) else garbage / len(visible)
