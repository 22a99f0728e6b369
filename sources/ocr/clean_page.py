"""Pages without degradation, for examples, benchmarks and tests."""

from random import Random

from sources.base.illegible import Illegible
from sources.ocr.compose import compose_draft
from sources.ocr.passages import BundledPassages
from sources.ocr.rendered_text import RenderedText
from sources.ocr.story import lay_out


def make_clean_page(kind: str, language: str, key: str) -> RenderedText:
    """Return a page of a template with bundled text, 1024 px high. If a page is illegible, another one is made.

    Args:
        key: seed; the same key gives the same page.
    """
    number = 0
    while True:
        try:
            page = compose_draft(
                kind,
                language,
                "text",
                passages=BundledPassages(),
                strength=0,
                side_px=1024,
                engine=lay_out,
                random=Random(f"{key}/{number}"),
            )
            return page.truth.rendered
        except Illegible:
            number += 1
