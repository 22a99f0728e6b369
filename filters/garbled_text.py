"""Garbled text: text layers without a Unicode map come out as replacement characters, private codes or noise."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample

# U+FFFD, private use areas, unassigned specials and control characters other than white space
_GARBAGE = re.compile(r"[\ufffd\ue000-\uf8ff\ufff0-\ufffb\U000f0000-\U0010ffff\x00-\x08\x0e-\x1f\x7f-\x9f]")
SWAPPED = 0.5  # share of letters that end in a zero byte; of Chinese ones, one in 256 does
_CID = re.compile(r"\(cid:\d+\)")


@dataclass(frozen=True, kw_only=True)
class MaxGarbledShare(Filter):
    """Demands that at most `share` of the text's characters are damage: no letter of any script."""

    name: ClassVar[str] = "max_garbled_share"
    score_names: ClassVar[tuple[str, ...]] = ("garbled_share",)
    reasons: ClassVar[Mapping[str, str]] = {
        "garbled_text": "Its text layer is damaged: too many characters are no letter of any script."
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("share", "garbled_share", "max", ("garbled_text",)),)

    share: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {self.share}")

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values={"garbled_share": _garbled_share(sample.plain_text())}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        share = scores.values["garbled_share"]
        return "garbled_text" if share is not None and share > self.share else None


def _garbled_share(text: str) -> float | None:
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
