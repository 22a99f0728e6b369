"""Pages before any degradation, for whoever degrades or reads them apart from a run."""

from random import Random

from sources.base.illegible import Illegible
from sources.ocr.compose import attempt
from sources.ocr.passages import BundledPassages
from sources.ocr.rendered_text import RenderedText
from sources.ocr.story import lay_out


def clean_page(kind: str, language: str, key: str) -> RenderedText:
    """A page of a template with bundled text, at 1024 px; one that cannot be drawn is replaced by another.

    Args:
        key: the same key gives the same page.
    """
    attempted = 0
    while True:
        try:
            page = attempt(
                kind,
                language,
                "text",
                passages=BundledPassages(),
                mixed=0,
                strength=0,
                side_px=1024,
                engine=lay_out,
                random=Random(f"{key}/{attempted}"),
            )
            return page.reading.drawn
        except Illegible:
            attempted += 1
