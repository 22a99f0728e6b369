"""Tasks: what a page can be asked, and which of it a sample is about."""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from sources.web.capture import PageContent, PageElement
from sources.web.conversation import CODE, ELEMENT, GROUNDING

TEXT, TITLE, DESCRIPTION = "text", "title", "description"
USE_CASES = {
    TEXT: "recognition/ocr_and_transcription/printed_text",
    CODE: "conversion/image_to_code/ui",
    GROUNDING: "recognition/local_description/position",
    ELEMENT: "recognition/local_description/pointing",
    TITLE: "recognition/global_description/theme",
    DESCRIPTION: "conversion/image_to_text/text_summary",
}
TASKS = tuple(USE_CASES)
MIN_TITLE_SHARE = 0.6  # share of a title's words that must be in the picture, so that the title can be inferred
MIN_DESCRIPTION_CHARS, MIN_DESCRIPTION_SHARE = 40, 0.3
_TOKEN = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+")


def draw_tasks(possible: Sequence[str], weights: Mapping[str, float], number: int, rng: random.Random) -> list[str]:
    """Draw tasks by weight, each once; `text`, which every page has, if no possible task has a weight.

    More tasks of the same page begin with the ones that fewer would be.

    Args:
        number: how many tasks are wanted.
    Returns:
        At least one task, in the order of TASKS.
    """
    left = [name for name in TASKS if name in possible and weights.get(name, 0) > 0]
    drawn: list[str] = []
    while left and len(drawn) < number:
        drawn += rng.choices(left, [weights[name] for name in left])
        left.remove(drawn[-1])
    return [name for name in TASKS if name in drawn] or [TEXT]


def possible_tasks(
    content: PageContent, words: Sequence[str], askable: Sequence[PageElement], code_refusal: str
) -> list[str]:
    """Return the tasks that a page makes possible.

    Args:
        words: the words that the picture shows.
        askable: the elements that can be asked about.
        code_refusal: why the page's code is no task; empty if it is one.
    """
    tokens = Counter(_TOKEN.findall(" ".join(words).casefold()))
    can = {
        TEXT: True,
        CODE: bool(content.code.html) and not code_refusal,
        GROUNDING: bool(askable),
        ELEMENT: bool(askable),
        TITLE: bool(content.title) and _shown_share(content.title, tokens) >= MIN_TITLE_SHARE,
        DESCRIPTION: len(content.description) >= MIN_DESCRIPTION_CHARS
        and _shown_share(content.description, tokens) >= MIN_DESCRIPTION_SHARE,
    }
    return [name for name in TASKS if can[name]]


def _shown_share(text: str, tokens: Mapping[str, int]) -> float:
    """Return the share of a text's tokens that are in the picture."""
    wanted = _TOKEN.findall(text.casefold())
    return sum(token in tokens for token in wanted) / len(wanted) if wanted else 0.0
