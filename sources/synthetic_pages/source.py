"""The source of synthetic pages: makes sample n from the settings, the seed, n and the user's texts alone."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sources.base.card import SourceCard
from sources.base.sample import Element, Provenance, Sample, Words
from sources.base.secrets import PROGRAM
from sources.base.source import ItemError
from sources.charts.fonts import fonts_digest
from sources.images.encoding import check_encoding, encode
from sources.ocr.passages import Passages
from sources.ocr.text_material import TextMaterial
from sources.optional_dependencies import check_installed
from sources.rng import generator
from sources.synthetic_pages.card import CARD
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.vocabulary import BUNDLED, LANGUAGES, load_vocabulary
from sources.text.fonts import FontError
from sources.validation import check_names, check_weights

CODE_VERSION = 2  # increment when the bytes of a sample change
DENSITIES = (0.9, 0.75, 0.6, 0.45, 0.3)  # fraction of the usual number of entries, by attempt
PACKAGES = {"faker": "faker", "fontTools": "fonttools", "markdown_it": "markdown-it-py", "playwright": "playwright"}
VIEW_NAMES = ("square", "desktop", "tablet")  # wide enough for two columns
USE_CASES = {  # by task
    "code": "conversion/image_to_code/ui",
    "text": "recognition/ocr_and_transcription/printed_text",
    "grounding": "recognition/local_description/position",
    "element": "recognition/local_description/pointing",
    "description": "conversion/image_to_text/text_summary",
    "reading": "recognition/ocr_and_transcription/printed_text",
}


@dataclass(frozen=True, kw_only=True)
class SyntheticPages(TextMaterial):
    """Web pages of components, with their HTML, text, word boxes and elements.

    Args:
        input: text, Markdown, JSONL or Parquet files whose text fills the pages; empty writes texts of our own.
        kinds: names of KINDS; empty means all. All have equal weights.
        languages: `en`, `zh` or both.
        views: browser windows: `square` (1024 × 1024), `desktop` (1440 × 900), `tablet` (820 × 1180). All have equal
            weights.
        tasks: weights of the tasks: `code`, `text`, `grounding` (the box of an element), `element` (the element in a
            box) and `description` give a conversation, `reading` gives pre-training text.
        num_elements: greatest number of questions about elements in a sample.
        vocabulary: a YAML file that replaces the bundled one.
        browser: path or name of a Chromium, only from the command line; by default an installed one.
        format, quality: image format, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: licence of the samples.
    """

    name: ClassVar[str] = "synthetic_pages"
    card: ClassVar[SourceCard] = CARD
    use_cases: ClassVar[tuple[str, ...]] = tuple(sorted(set(USE_CASES.values())))

    license: str | None = "cc0-1.0"
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    views: tuple[str, ...] = ("square", "desktop")
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {
            "code": 0.5,
            "text": 0.15,
            "grounding": 0.1,
            "element": 0.1,
            "description": 0.05,
            "reading": 0.1,
        }
    )
    num_elements: int = 4
    vocabulary: str | None = None
    browser: str | None = field(default=None, metadata=PROGRAM)
    format: str = "png"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("synthetic_pages need", PACKAGES, "web")
        check_names("kinds", self.kinds, tuple(KINDS), empty=True)
        check_names("languages", self.languages, LANGUAGES)
        check_names("views", self.views, VIEW_NAMES)
        check_weights("tasks", self.tasks, tuple(USE_CASES))
        if not 1 <= self.num_elements <= 20:
            raise ValueError(f"num_elements must be between 1 and 20, got {self.num_elements}")
        check_encoding(self.format, self.quality)
        load_vocabulary(self._vocabulary_path)

    def reader_needs(self) -> str:
        return "browser"

    def check(self) -> None:
        from sources.browser.chromium import find_chromium
        from sources.synthetic_pages.theme import browser_faces

        for language in self.languages:
            browser_faces(language)
        find_chromium(self.browser)

    def written_languages(self) -> tuple[str, ...]:
        return self.languages

    def identity(self) -> Mapping[str, Any]:
        """Return the settings, with the content of the vocabulary."""
        settings = ("languages", "views", "num_elements", "format", "quality")
        return {
            "code": CODE_VERSION,
            "vocabulary": hashlib.sha256(self._vocabulary_path.read_bytes()).hexdigest(),
            "kinds": self.kinds_in_use,
            "tasks": dict(self.tasks),
            **{name: getattr(self, name) for name in settings},
        }

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": self.name,
            "seed": self.seed,
            **self.identity(),
            **_versions(self.browser),
            "fonts": fonts_digest(self.languages),
        }

    def material_languages(self) -> tuple[str, ...]:
        return self.languages

    def make_of(self, passages: Passages, number: int, digest: str) -> Sample:
        # These imports need the packages of an extra.
        from sources.browser.browser import BrowserDiedError
        from sources.synthetic_pages.messages import make_conversation, make_plain_text
        from sources.synthetic_pages.page import make_page
        from sources.synthetic_pages.page_renderer import UnfitPageError, get_renderer
        from sources.web.code.tokens import estimate_tokens

        random = generator(self.seed, number, "specification")
        languages = [language for language in self.languages if passages.count(language)]
        if not languages:
            raise ItemError("no_text", f"the texts are in {', '.join(passages.languages())}")
        kind, language, view = (random.choice(names) for names in (self.kinds_in_use, languages, self.views))
        tasks = [task for task in USE_CASES if task in self.tasks]
        task = random.choices(tasks, [self.tasks[name] for name in tasks])[0]
        reason = ""
        missing: FontError | None = None
        for attempt, density in enumerate(DENSITIES):
            try:
                page_random = generator(self.seed, number, f"page {attempt}")
                page = make_page(kind, language, self._vocabulary_path, page_random, density, passages)
                screenshot = get_renderer(view, self.browser).capture(page.html)
                break
            except UnfitPageError as error:
                reason = error.reason
            except FontError as error:  # other texts may have other characters
                reason, missing = "missing_glyph", error
            except BrowserDiedError as error:
                raise ItemError("browser_died", str(error)) from error
        else:
            if missing is not None:
                raise ItemError("missing_glyph", f"{kind}: {missing}") from missing
            raise ItemError("unfit_page", f"{kind}: {reason}, {len(DENSITIES)} times")
        image = encode(screenshot.pixels, self.format, self.quality)
        messages = text = None
        if task == "reading":
            text = make_plain_text(screenshot)
        else:
            message_random = generator(self.seed, number, "messages")
            messages = make_conversation(page, screenshot, image, task, self.num_elements, message_random)
        # The code renders to exactly this picture, so there is no similarity.
        measures = {"code_tokens": float(estimate_tokens(page.html))} if task == "code" else {}
        return Sample.of_picture(
            screenshot.pixels,
            source=self.name,
            provenance=Provenance(locator=self.locator(number), digest=digest),
            images=[image],
            messages=messages,
            text=text,
            words=Words(
                texts=screenshot.texts, boxes=screenshot.boxes, images=np.zeros(len(screenshot.texts), np.int32)
            ),
            flags=[kind, task, view, language, *(["dark"] if page.theme.is_dark else [])],
            measures=measures,
            elements=[Element(each.role, each.name, each.box) for each in screenshot.elements],
            use_case=USE_CASES[task],
        )

    @property
    def kinds_in_use(self) -> tuple[str, ...]:
        """The kinds to choose from."""
        return self.kinds or tuple(KINDS)

    @property
    def _vocabulary_path(self) -> Path:
        return Path(self.vocabulary) if self.vocabulary else BUNDLED


@lru_cache(maxsize=2)
def _versions(browser: str | None) -> Mapping[str, str]:
    """Return the versions of the software that pixels and files depend on."""
    from sources.browser.chromium import find_chromium, version_of

    packages = ("playwright", "numpy", "pillow", "zlib-ng", "jinja2")
    browser_version = version_of(find_chromium(browser)) or "playwright's own"
    return {
        **{name: version(name) for name in packages},
        "browser": browser_version,
        "python": platform.python_version(),
    }
