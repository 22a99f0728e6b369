"""The sources and filters that recipes name. The module of each is imported when it is first asked for.

All of them together take half a second to import, in every process of a run.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TypeVar

from filters.filter import Filter
from sources.base.source import Source

T = TypeVar("T")


class Registry(MutableMapping[str, type[T]]):
    """Classes by the name that recipes use.

    Args:
        places: `module:class` by name.
    """

    def __init__(self, places: Mapping[str, str]):
        self._places = places
        self._classes: dict[str, type[T] | None] = dict.fromkeys(places)

    def __getitem__(self, name: str) -> type[T]:
        found = self._classes[name]
        if found is None:
            module, _, cls = self._places[name].partition(":")
            found = self._classes[name] = getattr(import_module(module), cls)
        return found

    def __setitem__(self, name: str, cls: type[T]) -> None:
        self._classes[name] = cls

    def __delitem__(self, name: str) -> None:
        del self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


SOURCES = Registry[Source](
    {
        "pdfs": "sources.pdfs.source:Pdfs",
        "images": "sources.pictures.source:Pictures",
        "books": "sources.books.source:Books",
        "papers": "sources.papers:Papers",
        "charts": "sources.charts:Charts",
        "diagrams": "sources.diagrams:Diagrams",
        "ocr": "sources.ocr.source:Ocr",
        "web": "sources.web.source:Web",
        "synthetic_pages": "sources.synthetic_pages:SyntheticPages",
        "text": "sources.plain_text:PlainText",
        "pairs": "sources.pairs:Pairs",
        "notebooks": "sources.notebooks:Notebooks",
    }
)
FILTERS = Registry[Filter](
    {
        "min_short_side": "filters.short_side:MinShortSide",
        "max_aspect_ratio": "filters.aspect_ratio:MaxAspectRatio",
        "min_ink": "filters.ink:MinInk",
        "max_damage": "filters.damage:MaxDamage",
        "min_markup_fit": "filters.markup_fit:MinMarkupFit",
        "plot_code": "filters.plot_code:PlotCode",
        "gopher_quality": "filters.gopher_quality:GopherQuality",
        "gopher_repetition": "filters.gopher_repetition:GopherRepetition",
        "text_classifier": "filters.text_classifier:TextClassifier",
        "line_quality": "filters.line_quality:LineQuality",
        "max_personal_data": "filters.personal_data:MaxPersonalData",
        "min_words": "filters.word_count:MinWords",
        "text_length": "filters.text_length:TextLength",
        "max_needs_ocr": "filters.needs_ocr:MaxNeedsOcr",
        "min_ocr_confidence": "filters.ocr_confidence:MinOcrConfidence",
        "min_text_height": "filters.text_height:MinTextHeight",
        "max_hidden_words": "filters.hidden_words:MaxHiddenWords",
        "max_garbled_share": "filters.garbled_text:MaxGarbledShare",
        "max_page_obstacles": "filters.page_obstacles:MaxPageObstacles",
        "language": "filters.language:Language",
        "ocr_agreement": "filters.ocr_agreement:OcrAgreement",
        "deepseek_vl": "filters.deepseek_vl.filter:DeepseekVl",
        "render_similarity": "filters.render_similarity:RenderSimilarity",
    }
)
