"""Trials before a run: templates of the user must fit on a page, and forms need a font to be filled in by hand."""

import logging
from collections.abc import Sequence
from random import Random

from sources.base.illegible import Illegible
from sources.ocr.compose import draw_document
from sources.ocr.markup.template import Template
from sources.ocr.markup.templates import read_templates
from sources.ocr.material import Material
from sources.ocr.passages import BundledPassages
from sources.ocr.story import lay_out
from sources.ocr.vocabulary import BUNDLED
from sources.text.fonts import FontError, fonts_for

TRIALS = 8  # pages of a template that are tried


def try_templates(
    folder: str, pages: int, side_px: int, languages: Sequence[str], *, has_input: bool, fonts: str = ""
) -> None:
    """Raise ValueError if a template cannot be used: in none of a number of trials it fits.

    Args:
        pages: pages of a document.
        languages: of the run; empty for all.
        has_input: texts are the user's.
        fonts: folder of the fonts of pages.
    """
    templates = read_templates(folder)
    used = [template for template in templates if not languages or template.language in languages]
    if not used:
        have = ", ".join(sorted({template.language for template in templates}))
        raise ValueError(
            f"templates: those in {folder} are in {have} (lang of html), the run in {', '.join(languages)}"
        )
    for template in used:
        if template.language in BUNDLED:
            _try_template(template, folder, pages, side_px, fonts)
        elif not has_input:
            message = (
                f"its language is {template.language}, in which there are no bundled texts; name files with --input"
            )
            raise ValueError(f"{folder}/{template.name}:1: {message}")


def _try_template(template: Template, folder: str, pages: int, side_px: int, fonts: str) -> None:
    why = ""
    for k in range(TRIALS):
        try:
            draw_document(
                "template",
                template.language,
                pages,
                passages=BundledPassages(),
                side_px=side_px,
                engine=lay_out,
                random=Random(f"trial/{k}"),
                material=Material(templates=(template,), fonts=fonts),
            )
            return
        except Illegible as error:
            why = _explanation(error, pages)
        except FontError as error:
            why = str(error)
    raise ValueError(f"{folder}/{template.name}:1: no page could be made of it: {why}")


def _explanation(error: Illegible, pages: int) -> str:
    if error.reason == "overflow":
        return "it does not fit; shorten it, or make several pages of it (--set pages=3)"
    if error.reason == "too_short":
        return f"it does not fill {pages} pages; repeat a part of it, or set pages to less"
    return str(error)


def warn_of_print(languages: Sequence[str]) -> None:
    """Log the languages in which forms are printed, as there is no handwriting font."""
    for language in languages:
        try:
            fonts_for(language, ("handwriting",))
        except FontError as error:
            logging.getLogger(__name__).warning("forms in %s are filled in in print: %s", language, error)
