"""The source: numbers to samples. Everything about sample n comes from the settings, the seed and n."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from sources.charts.fonts import FontError, fonts_digest
from sources.choices import check_names, check_weights
from sources.extras import check_installed
from sources.fingerprint import picture_fingerprint
from sources.generator import generator
from sources.images import check_encoding, encode, ink, luma
from sources.sample import Element, Provenance, Sample, Words, sample_id
from sources.source import ItemError
from sources.synthetic import Synthetic
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.vocabulary import BUNDLED, LANGUAGES, load_vocabulary

CODE_VERSION = 1  # raise it when this room writes other bytes for the same sample
DENSITIES = (0.9, 0.75, 0.6, 0.45, 0.3)  # of what pages hold, from attempt to attempt
PACKAGES = {"playwright": "playwright", "fontTools": "fonttools"}
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
class SyntheticPages(Synthetic):
    """Web pages made of components, with their HTML, text, word boxes and elements.

    Args:
        kinds: names of KINDS to make; empty means all, in equal shares.
        languages: `en`, `zh` or both.
        views: browser windows, in equal shares: `square` (1024 × 1024), `desktop` (1440 × 900), `tablet` (820 × 1180).
        tasks: what a sample is about, with its weight: `code`, `text`, `grounding` (where an element is), `element`
            (what is at a place) and `description` give a conversation, `reading` a pre-training text.
        num_elements: of a sample about elements, at most.
        vocabulary: a YAML file in place of the bundled one.
        browser: path or name of a Chromium; by default one is looked for.
        format, quality: of the images, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: of the samples.
    """

    name: ClassVar[str] = "synthetic_pages"
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
    browser: str | None = None
    format: str = "png"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("synthetic_pages need", PACKAGES, "web")
        from sources.synthetic_pages.theme import browser_faces
        from sources.web.chromium import find_chromium

        check_names("kinds", self.kinds, tuple(KINDS), empty=True)
        check_names("languages", self.languages, LANGUAGES)
        check_names("views", self.views, VIEW_NAMES)
        check_weights("tasks", self.tasks, tuple(USE_CASES))
        if not 1 <= self.num_elements <= 20:
            raise ValueError(f"num_elements must be between 1 and 20, got {self.num_elements}")
        check_encoding(self.format, self.quality)
        load_vocabulary(self._vocabulary_path)
        for language in self.languages:
            browser_faces(language)
        find_chromium(self.browser)

    def identity(self) -> Mapping[str, Any]:
        """The settings; the vocabulary is one of them, by its content."""
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

    def make(self, number: int, digest: str) -> Sample | ItemError:
        # The browser's library belongs to an extra, which recipes without web pages do not ask for.
        from sources.synthetic_pages.messages import conversation, plain_text
        from sources.synthetic_pages.page import make_page
        from sources.synthetic_pages.studio import Unfit, studio
        from sources.web.browser import BrowserDied
        from sources.web.code.tokens import estimate_tokens

        random = generator(self.seed, number, "specification")
        kind, language, view = (random.choice(names) for names in (self.kinds_in_use, self.languages, self.views))
        tasks = [task for task in USE_CASES if task in self.tasks]
        task = random.choices(tasks, [self.tasks[name] for name in tasks])[0]
        reason = ""
        for attempt, density in enumerate(DENSITIES):
            try:
                page = make_page(
                    kind, language, self._vocabulary_path, generator(self.seed, number, f"page {attempt}"), density
                )
                shown = studio(view, self.browser).photograph(page.html)
                break
            except Unfit as error:
                reason = error.reason
            except FontError as error:
                return ItemError(item=number, cause="missing_glyph", message=f"{kind}: {error}")
            except BrowserDied as error:
                return ItemError(item=number, cause="browser_died", message=str(error))
        else:
            return ItemError(item=number, cause="unfit_page", message=f"{kind}: {reason}, {len(DENSITIES)} times")
        pixels = Image.fromarray(shown.pixels)
        grey = luma(pixels)
        image = encode(shown.pixels if self.format == "png" else pixels, self.format, self.quality)
        messages = text = None
        if task == "reading":
            text = plain_text(shown)
        else:
            draw = generator(self.seed, number, "messages")
            messages = conversation(page, shown, image, task, self.num_elements, draw)
        measures = {"ink": ink(grey)}
        if task == "code":  # the code is what drew the picture: there is no similarity to ask for
            measures["code_tokens"] = float(estimate_tokens(page.html))
        locator = self.locator(number)
        return Sample(
            id=sample_id(digest, locator),
            source=self.name,
            images=[image],
            messages=messages,
            text=text,
            words=Words(texts=shown.texts, boxes=shown.boxes, images=np.zeros(len(shown.texts), np.int32)),
            flags=[kind, task, view, language, *(["dark"] if page.theme.is_dark else [])],
            measures=measures,
            fingerprint=picture_fingerprint(grey),
            provenance=Provenance(locator=locator, digest=digest),
            elements=[Element(each.role, each.name, each.box) for each in shown.elements],
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
    """Of what pixels and files depend on."""
    from sources.web.chromium import find_chromium, version_of

    packages = ("playwright", "numpy", "pillow", "zlib-ng", "jinja2")
    said = version_of(find_chromium(browser)) or "playwright's own"
    return {**{name: version(name) for name in packages}, "browser": said, "python": platform.python_version()}
