"""The OCR source: makes sample n from the settings, the texts, the seed and n alone."""

import logging
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from sources.base.card import SourceCard
from sources.base.sample import Provenance, Sample, Words
from sources.base.source import ItemError
from sources.base.synthetic import REPLACED
from sources.images.encoding import check_encoding, encode
from sources.ocr.arrays import Floats
from sources.ocr.card import CARD
from sources.ocr.text_material import TextMaterial
from sources.ocr.vocabulary import BUNDLED, LANGUAGES
from sources.optional_dependencies import check_installed
from sources.rng import generator
from sources.validation import check_names, check_weights

if TYPE_CHECKING:
    from sources.ocr.compose import Draft, Drawn, Engine
    from sources.ocr.markup.template import Template
    from sources.ocr.material import Material, PictureFolder
    from sources.ocr.mixture import Mixture
    from sources.ocr.passages import Passages
    from sources.ocr.rendered_text import RenderedText

CODE_VERSION = 6  # increment when the bytes of a sample change
PACKAGES = {
    "babel": "babel", "budoux": "budoux", "cv2": "opencv-contrib-python", "faker": "faker", "fontTools": "fonttools",
    "markdown_it": "markdown-it-py", "matplotlib": "matplotlib", "opencc": "opencc", "pyphen": "pyphen",
    "pypinyin": "pypinyin",
}  # fmt: skip
TASK_WEIGHTS = {"text": 0.35, "transcription": 0.25, "markdown": 0.2, "json": 0.2, "table": 0.4, "grounding": 0.2}
ALL = "all"  # languages
SMALLEST_PAGE_PX, SMALLEST_CLOSE_UP_PX = 512, 128
ENGINES = ("story", "chromium")
# Settings that name folders of photographs, and what they are drawn as.
PHOTOGRAPHS = {"papers": "paper", "backgrounds": "background", "scenes": "scene"}
MAX_ATTEMPTS = 24
MAX_PAGES = 50  # of a document
KEPT_DOCUMENTS = 2  # drawn documents that a process keeps: the samples of a unit follow each other
STRENGTH_DECAY = 0.85  # factor per attempt

Result = TypeVar("Result")
_DOCUMENTS: dict[tuple[str, int], "Sequence[Drawn]"] = {}


@dataclass(frozen=True, kw_only=True)
class Ocr(TextMaterial):
    """Document pages and scene text, with their words and boxes.

    Args:
        input: text, JSONL or Parquet files whose text fills the pages; empty uses the bundled texts.
        languages: languages of the texts: `en`, `zh`, `zh-Hant`, `ja`, `ko`, `th`, and with `input` all of
            `sources/text/languages.py`. Empty means English and Chinese, with `input` all that the texts are in; `all`
            means all bundled ones that have a font here.
        kinds: weights of the templates, of `scene` and of close-ups (`word`, `line`, `paragraph`), by name; empty gives
            all templates equal weights, and no close-ups.
        scene: fraction of scene text, if `kinds` is empty.
        tasks: weights of the tasks; `text` gives pre-training text, the others give conversations. `json` counts for
            forms, invoices and receipts only, `table` for statements only.
        strength: greatest strength of degradation, 0 to 1; each sample has a random strength from 0 to this.
        side_px: long side of a page, or width of a close-up, in pixels.
        families: names of the font families of running text; empty means all that are installed.
        papers, backgrounds, scenes: folders of photographs: sheets that pages are printed on, what lies below a
            photographed sheet, and what the words of scenes are put on; empty for drawn ones.
        fonts: folder of the fonts of pages; empty for those that are installed.
        layouts: folder of YAML files, each a form of your own; empty for forms of the bundled labels.
        templates: folder of HTML files with slots, each a page of your own (the kind `template`); without `kinds`, all
            samples are made of them.
        pages: pages of a document; samples that follow each other are its pages, and only kinds that go on from page
            to page are made.
        handwriting: fraction of forms that are filled in by hand, in languages with a handwriting font.
        engine: layout engine, `story` (MuPDF) or `chromium`.
        format, quality: image format, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: licence of the samples.
    """

    name: ClassVar[str] = "ocr"
    card: ClassVar[SourceCard] = CARD
    use_cases: ClassVar[tuple[str, ...]] = (
        "conversion/image_to_code/formula",
        "recognition/local_description/pointing",
        "recognition/local_description/position",
        "recognition/ocr_and_transcription/handwriting",
        "recognition/ocr_and_transcription/printed_text",
        "recognition/ocr_and_transcription/specified_format",
        "recognition/ocr_and_transcription/specified_language",
    )

    license: str | None = "cc0-1.0"
    languages: tuple[str, ...] = ()
    kinds: Mapping[str, float] = field(default_factory=dict)
    scene: float = 0.25
    tasks: Mapping[str, float] = field(default_factory=lambda: dict(TASK_WEIGHTS))
    strength: float = 0.5
    side_px: int = 1024
    families: tuple[str, ...] = ()
    papers: str = ""
    backgrounds: str = ""
    scenes: str = ""
    fonts: str = ""
    layouts: str = ""
    templates: str = ""
    pages: int = 1
    handwriting: float = 0.3
    engine: str = "story"
    format: str = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("ocr needs", PACKAGES, "ocr")
        from sources.ocr.messages import TASKS
        from sources.ocr.mixture import SCENE
        from sources.ocr.templates.close_up import CLOSE_UPS
        from sources.ocr.templates.registry import CONTINUED, KINDS, OWN, RECORDED, TABLED
        from sources.text.languages import LANGUAGES as TEXT_LANGUAGES

        check_names("languages", self.languages, (*TEXT_LANGUAGES, ALL), empty=True)
        if ALL in self.languages:
            if len(self.languages) > 1:
                raise ValueError(f"languages is either {ALL} or a list of names, got {', '.join(self.languages)}")
            object.__setattr__(self, "languages", _all_with_a_font())
        unbundled = [language for language in self.languages if language not in BUNDLED]
        if unbundled and not self.input:
            raise ValueError(f"there is no bundled text in {', '.join(unbundled)}; name files with --input")
        check_weights("kinds", self.kinds, (*KINDS, *OWN, SCENE, *CLOSE_UPS), empty=True)
        self._check_own()
        if not 1 <= self.pages <= MAX_PAGES:
            raise ValueError(f"pages must be between 1 and {MAX_PAGES}, got {self.pages}")
        if self.pages > 1 and (single := [k for k in self.kinds if self.kinds[k] and k not in {*CONTINUED, *OWN}]):
            going_on = ", ".join((*CONTINUED, *OWN))
            raise ValueError(f"{', '.join(single)} pages stand alone; with pages, kinds has only {going_on}")
        mixture = self._mixture()
        for kind, weight in self.kinds.items():
            possible = self.languages or (tuple(TEXT_LANGUAGES) if self.input else LANGUAGES)
            if weight and not mixture.languages_of(kind, possible):
                raise ValueError(f"there is no {kind} page in {', '.join(possible)}")
        check_weights("tasks", self.tasks, TASKS)
        if self.kinds and not any(weight and mixture.tasks_of(kind) for kind, weight in self.kinds.items()):
            forms = ", ".join(sorted(RECORDED))
            message = f"only {forms} have the task json"
            tables = ", ".join(sorted(TABLED))
            raise ValueError(f"{message}, and only {tables} the task table; kinds names none of them")
        for name in ("scene", "strength", "handwriting"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        made = {kind for kind, weight in self.kinds.items() if weight}
        least = SMALLEST_CLOSE_UP_PX if made and made <= CLOSE_UPS.keys() else SMALLEST_PAGE_PX
        if not least <= self.side_px <= 2048:
            raise ValueError(f"side_px must be between {least} and 2048, got {self.side_px}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine must be {' or '.join(ENGINES)}, got {self.engine!r}")
        check_encoding(self.format, self.quality)

    def _check_own(self) -> None:
        """Raise ValueError if a kind is named that needs something of the user's own, and it is not given."""
        if self.kinds.get("template") and not self.templates:
            raise ValueError("the kind template needs a folder of HTML files: --set templates=DIR")
        if self.kinds.get("document") and not self.input:
            raise ValueError("the kind document needs Markdown files (.md): name them with --input")

    def reader_needs(self) -> str:
        return "browser" if self.engine == "chromium" else ""

    def check(self) -> None:
        from sources.ocr.style import chosen_families
        from sources.text.fonts import FontError, fonts_for

        if self.engine == "chromium":
            check_installed("engine chromium needs", {"playwright": "playwright"}, "ocr,web")
            from sources.browser.chromium import find_chromium

            find_chromium()
        for folder in self._picture_folders().values():
            folder.check()
        if self.layouts:
            from sources.ocr.layouts import read_layouts

            read_layouts(self.layouts)
        if self.templates:
            from sources.ocr.trial import try_templates

            try_templates(
                self.templates, self.pages, self.side_px, self.languages, has_input=bool(self.input),
                fonts=self.fonts,
            )  # fmt: skip
        if self.handwriting and self.kinds.get("form", 0 if self.kinds or self.templates else 1):
            from sources.ocr.trial import warn_of_print

            warn_of_print(self.languages or (() if self.input else LANGUAGES))
        needed = self.languages or (() if self.input else LANGUAGES)
        for language in needed:
            if self.fonts:
                chosen_families(language, self.families, self.fonts)
            try:
                fonts_for(language)
            except FontError as error:
                others = ",".join(dict.fromkeys(name for name in (*needed, "en") if name != language))
                raise FontError(f"{error}, or do without it: --set languages=[{others}]") from error
            if self.families and not self.fonts:
                chosen_families(language, self.families)

    def written_languages(self) -> tuple[str, ...]:
        return self.languages or (() if self.input else LANGUAGES)

    def identity(self) -> Mapping[str, Any]:
        """Return the settings that determine the samples. `digest_of` adds the digest of the texts."""
        settings = ("languages", "scene", "strength", "side_px", "engine", "format", "quality")
        return {
            "code": CODE_VERSION,
            "kinds": dict(self.kinds),
            "tasks": dict(self.tasks),
            **({"families": list(self.families)} if self.families else {}),
            **{name: getattr(self, name) for name in settings},
            **{name: folder.digest for name, folder in self._picture_folders().items()},
            **({"fonts": _digest_of_fonts(self.fonts)} if self.fonts else {}),
            **({"layouts": _digest_of_layouts(self.layouts)} if self.layouts else {}),
            **({"templates": _digest_of_templates(self.templates)} if self.templates else {}),
            **({"pages": self.pages} if self.pages > 1 else {}),
            "handwriting": self.handwriting,
        }

    def _picture_folders(self) -> Mapping[str, "PictureFolder"]:
        """Return the folders of photographs by the name of their setting."""
        return {name: _picture_folder(name, path) for name in PHOTOGRAPHS if (path := getattr(self, name))}

    def _material(self) -> "Material":
        from sources.ocr.layouts import read_layouts
        from sources.ocr.material import Material

        folders = self._picture_folders()
        draws = {PHOTOGRAPHS[name]: folder.draw for name, folder in folders.items()}
        return Material(
            **draws,
            fonts=self.fonts,
            layouts=read_layouts(self.layouts) if self.layouts else (),
            templates=self._templates(),
            handwritten=self.handwriting,
        )

    def _templates(self) -> "Sequence[Template]":
        from sources.ocr.markup.templates import read_templates

        return read_templates(self.templates) if self.templates else ()

    def fingerprint(self) -> Mapping[str, Any]:
        from sources.text.fonts import fonts_digest, installed_for
        from sources.text.languages import LANGUAGES as TEXT_LANGUAGES

        languages = {*(self.languages or (TEXT_LANGUAGES if self.input else LANGUAGES)), "en"}
        fonts = sorted(
            {font for language in languages for font in installed_for(language)}, key=lambda f: (f.path, f.index)
        )
        return {
            "source": self.name,
            "seed": self.seed,
            **self.identity(),
            **_package_versions(),
            **(_browser_version() if self.engine == "chromium" else {}),
            "fonts": fonts_digest(fonts),
        }

    def material_languages(self) -> tuple[str, ...]:
        return self.languages

    def locator(self, item: int) -> str:
        if self.pages == 1:
            return super().locator(item)
        document, page = divmod(item, self.pages)
        return f"number={item}&document={document}&page={page + 1}"

    def document(self, digest: str, first: int, locator: str) -> str:
        """Pages of a document belong together; other samples are documents by themselves."""
        return super().document(digest, first, locator.partition("&page=")[0].partition("&")[2] or locator)

    def make_of(self, passages: "Passages", number: int, digest: str) -> Sample:
        from sources.ocr.compose import compose_draft, draft_of_page  # needs the packages of an extra

        specification = self._specify(number, passages)
        if specification is None:
            raise ItemError("no_text", self._why_nothing(passages))
        kind, language, task, strength = specification
        page = self._page_of(number, kind, language, passages, digest)

        def attempt(k: int) -> "Draft":
            random, weaker = generator(self.seed, number, f"attempt/{k}"), strength * STRENGTH_DECAY**k
            material = self._material()
            if page is not None:
                return draft_of_page(page, language, task, strength=weaker, random=random, material=material)
            return compose_draft(
                kind, language, task, passages=passages, strength=weaker, side_px=self.side_px,
                engine=_load_engine(self.engine), random=random, families=self.families, material=material,
            )  # fmt: skip

        draft, failures = _first_success(attempt, f"{kind}, {language}")
        return self._to_sample(number, digest, draft, failures)

    def _page_of(self, number: int, kind: str, language: str, passages: "Passages", digest: str) -> "Drawn | None":
        """Return a page of the document that a sample is in; None if samples stand alone. Raises ItemError."""
        from sources.ocr.compose import draw_document

        if self.pages == 1:
            return None
        document, page = divmod(number, self.pages)
        if (known := _DOCUMENTS.get((digest, document))) is not None:
            return known[page]
        # The first attempt of which all pages can be laid out, so that every page finds the same document.
        drawn, _ = _first_success(
            lambda k: draw_document(
                kind, language, self.pages, passages=passages, side_px=self.side_px,
                engine=_load_engine(self.engine), random=generator(self.seed, document, f"document/{k}"),
                families=self.families, material=self._material(),
            ),
            f"{kind} of {self.pages} pages, {language}",
        )  # fmt: skip
        while len(_DOCUMENTS) >= KEPT_DOCUMENTS:
            _DOCUMENTS.pop(next(iter(_DOCUMENTS), ("", 0)), None)  # another thread may have been faster
        _DOCUMENTS[digest, document] = drawn
        return drawn[page]

    def _why_nothing(self, passages: "Passages") -> str:
        if self.templates:
            have = ", ".join(sorted({template.language for template in self._templates()}))
            return f"the templates are in {have}, and none of the languages of the texts is among them"
        return f"the texts are in {', '.join(passages.languages())}: none of the kinds exists in it"

    def _specify(self, number: int, passages: "Passages") -> tuple[str, str, str, float] | None:
        """Return kind, language, task and strength of a sample, the same for every attempt; None without a text."""
        of_document = generator(self.seed, number // self.pages, "specification")
        mixture = self._mixture()
        languages = self.languages or (passages.languages() if self.input else LANGUAGES)
        languages_by_kind, weights = mixture.choices(passages, languages)
        if not languages_by_kind:
            return None
        kind = of_document.choices(list(languages_by_kind), [weights[kind] for kind in languages_by_kind])[0]
        language = of_document.choice(languages_by_kind[kind])
        tasks = mixture.tasks_of(kind)
        random = of_document if self.pages == 1 else generator(self.seed, number, "page")
        task = random.choices(list(tasks), list(tasks.values()))[0]
        return kind, language, task, self.strength * random.random()

    def _mixture(self) -> "Mixture":
        from sources.ocr.mixture import Mixture

        return Mixture(
            kinds=self.kinds, scene=self.scene, tasks=self.tasks, languages=self.languages,
            templates=self._templates(), pages=self.pages, engine=self.engine, has_input=bool(self.input),
        )  # fmt: skip

    def _to_sample(self, number: int, digest: str, draft: "Draft", failures: Mapping[str, int]) -> Sample:
        rendered = draft.truth.rendered
        return Sample.of_picture(
            rendered.pixels,
            source=self.name,
            provenance=Provenance(locator=self.locator(number), digest=digest),
            images=[encode(rendered.pixels, self.format, self.quality)],
            messages=draft.sample_text.messages,
            text=draft.sample_text.text,
            words=Words(
                texts=list(rendered.texts), boxes=_clip_boxes(rendered), images=np.zeros(len(rendered.texts), np.int32)
            ),
            flags=draft.flags,
            measures={REPLACED + reason: float(count) for reason, count in sorted(failures.items())},
            use_case=draft.sample_text.use_case,
        )


@lru_cache(maxsize=16)
def _picture_folder(setting: str, path: str) -> "PictureFolder":
    from sources.ocr.material import PictureFolder

    return PictureFolder(setting, path)


@lru_cache(maxsize=4)
def _digest_of_layouts(folder: str) -> str:
    from sources.ocr.layouts import layouts_digest

    return layouts_digest(folder)


@lru_cache(maxsize=4)
def _digest_of_templates(folder: str) -> str:
    from sources.ocr.markup.templates import templates_digest

    return templates_digest(folder)


def _first_success(attempt: "Callable[[int], Result]", what: str) -> "tuple[Result, Counter[str]]":
    """Return the result of the first attempt that succeeds, and how many failed before, by reason. Raises ItemError."""
    from sources.base.illegible import Illegible
    from sources.text.fonts import FontError

    failures: Counter[str] = Counter()
    why = ""
    for k in range(MAX_ATTEMPTS):
        try:
            return attempt(k), failures
        except Illegible as error:
            failures[error.reason] += 1
            why = str(error)
        except FontError as error:
            failures["missing_glyph"] += 1
            why = str(error)
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(failures.items()))
    message = f"{what}: given up after {MAX_ATTEMPTS} attempts ({reasons}); the last: {why}"
    raise ItemError(failures.most_common(1)[0][0], message)


@lru_cache(maxsize=4)
def _digest_of_fonts(folder: str) -> str:
    from sources.ocr.material import digest_of_files
    from sources.text.fonts import fonts_in

    return digest_of_files(folder, tuple(sorted({font.path for font in fonts_in(folder)})))


def _all_with_a_font() -> tuple[str, ...]:
    """Return the bundled languages that have a font on this machine; a sentence names the others."""
    from sources.text.fonts import FontError, fonts_for, installed_for

    found = tuple(language for language in BUNDLED if installed_for(language))
    for language in BUNDLED:
        if language not in found:
            try:
                fonts_for(language)
            except FontError as error:
                logging.getLogger(__name__).warning("no pages in %s: %s", language, error)
    return found


def _clip_boxes(rendered: "RenderedText") -> Floats:
    """Return the (N, 4) boxes of the words, clipped to the picture."""
    height, width = rendered.pixels.shape[:2]
    return np.clip(rendered.boxes(), 0, [width, height, width, height]).astype(np.float32)


def _load_engine(name: str) -> "Engine":
    if name == "chromium":
        from sources.ocr.chromium import lay_out as lay_out_in_chromium

        return lay_out_in_chromium
    from sources.ocr.story import lay_out

    return lay_out


@lru_cache(maxsize=1)
def _browser_version() -> Mapping[str, str]:
    """Return the version of the browser that lays out pages; empty for Playwright's own, as its version implies it."""
    from sources.browser.chromium import find_chromium, version_of

    return {"playwright": version("playwright"), "chromium": version_of(find_chromium())}


@lru_cache(maxsize=1)
def _package_versions() -> Mapping[str, str]:
    """Return the versions of the packages that pixels and files depend on."""
    drawing = {package: version(package) for package in PACKAGES.values()}
    others = {package: version(package) for package in ("numpy", "pillow", "pymupdf", "zlib-ng")}
    return {**drawing, **others, "python": platform.python_version()}
