"""The OCR source: makes sample n from the settings, the texts, the seed and n alone."""

import logging
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

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
    from sources.ocr.compose import Draft, Engine
    from sources.ocr.material import Material, PictureFolder
    from sources.ocr.passages import Passages
    from sources.ocr.rendered_text import RenderedText

CODE_VERSION = 5  # increment when the bytes of a sample change
PACKAGES = {
    "babel": "babel", "budoux": "budoux", "cv2": "opencv-contrib-python", "faker": "faker", "fontTools": "fonttools",
    "markdown_it": "markdown-it-py", "matplotlib": "matplotlib", "opencc": "opencc", "pyphen": "pyphen",
    "pypinyin": "pypinyin",
}  # fmt: skip
TASK_WEIGHTS = {"text": 0.35, "transcription": 0.25, "markdown": 0.2, "json": 0.2, "table": 0.4, "grounding": 0.2}
ALL = "all"  # languages
SCENE = "scene"  # the kind that is not a template
SMALLEST_PAGE_PX, SMALLEST_CLOSE_UP_PX = 512, 128
ENGINES = ("story", "chromium")
# Settings that name folders of photographs, and what they are drawn as.
PHOTOGRAPHS = {"papers": "paper", "backgrounds": "background", "scenes": "scene"}
MAX_ATTEMPTS = 24
STRENGTH_DECAY = 0.85  # factor per attempt


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
    engine: str = "story"
    format: str = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("ocr needs", PACKAGES, "ocr")
        from sources.ocr.messages import TASKS
        from sources.ocr.templates.close_up import CLOSE_UPS
        from sources.ocr.templates.registry import KINDS, RECORDED, TABLED
        from sources.text.languages import LANGUAGES as TEXT_LANGUAGES

        check_names("languages", self.languages, (*TEXT_LANGUAGES, ALL), empty=True)
        if ALL in self.languages:
            if len(self.languages) > 1:
                raise ValueError(f"languages is either {ALL} or a list of names, got {', '.join(self.languages)}")
            object.__setattr__(self, "languages", _all_with_a_font())
        unbundled = [language for language in self.languages if language not in BUNDLED]
        if unbundled and not self.input:
            raise ValueError(f"there is no bundled text in {', '.join(unbundled)}; name files with --input")
        check_weights("kinds", self.kinds, (*KINDS, SCENE, *CLOSE_UPS), empty=True)
        for kind, weight in self.kinds.items():
            possible = self.languages or (tuple(TEXT_LANGUAGES) if self.input else LANGUAGES)
            if weight and not self._supported_languages(kind, possible):
                raise ValueError(f"there is no {kind} page in {', '.join(possible)}")
        check_weights("tasks", self.tasks, TASKS)
        if self.kinds and not any(weight and self._tasks(kind) for kind, weight in self.kinds.items()):
            forms = ", ".join(sorted(RECORDED))
            message = f"only {forms} have the task json, and only {', '.join(sorted(TABLED))} the task table"
            raise ValueError(f"{message}; kinds names none of them")
        for name in ("scene", "strength"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        made = {kind for kind, weight in self.kinds.items() if weight}
        least = SMALLEST_CLOSE_UP_PX if made and made <= CLOSE_UPS.keys() else SMALLEST_PAGE_PX
        if not least <= self.side_px <= 2048:
            raise ValueError(f"side_px must be between {least} and 2048, got {self.side_px}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine must be {' or '.join(ENGINES)}, got {self.engine!r}")
        check_encoding(self.format, self.quality)

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
        }

    def _picture_folders(self) -> Mapping[str, "PictureFolder"]:
        """Return the folders of photographs by the name of their setting."""
        return {name: _picture_folder(name, path) for name in PHOTOGRAPHS if (path := getattr(self, name))}

    def _material(self) -> "Material":
        from sources.ocr.layouts import read_layouts
        from sources.ocr.material import Material

        folders = self._picture_folders()
        draws = {PHOTOGRAPHS[name]: folder.draw for name, folder in folders.items()}
        return Material(**draws, fonts=self.fonts, layouts=read_layouts(self.layouts) if self.layouts else ())

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

    def make_of(self, passages: "Passages", number: int, digest: str) -> Sample:
        # These imports need the packages of an extra.
        from sources.base.illegible import Illegible
        from sources.ocr.compose import compose_draft
        from sources.text.fonts import FontError

        specification = self._specify(number, passages)
        if specification is None:
            message = f"the texts are in {', '.join(passages.languages())}: none of the kinds exists in it"
            raise ItemError("no_text", message)
        kind, language, task, strength = specification
        failures: Counter[str] = Counter()
        material = self._material()
        for k in range(MAX_ATTEMPTS):
            random = generator(self.seed, number, f"attempt/{k}")
            try:
                draft = compose_draft(
                    kind, language, task, passages=passages,
                    strength=strength * STRENGTH_DECAY**k, side_px=self.side_px, engine=_load_engine(self.engine),
                    random=random, families=self.families, material=material,
                )  # fmt: skip
            except Illegible as error:
                failures[error.reason] += 1
                why = str(error)
            except FontError as error:
                failures["missing_glyph"] += 1
                why = str(error)
            else:
                return self._to_sample(number, digest, draft, failures)
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(failures.items()))
        message = f"{kind}, {language}: given up after {MAX_ATTEMPTS} attempts ({reasons}); the last: {why}"
        raise ItemError(failures.most_common(1)[0][0], message)

    def _specify(self, number: int, passages: "Passages") -> tuple[str, str, str, float] | None:
        """Return kind, language, task and strength of a sample, the same for every attempt; None without a text."""
        from sources.ocr.templates.registry import KINDS, required_languages

        random = generator(self.seed, number, "specification")
        languages = self.languages or (passages.languages() if self.input else LANGUAGES)
        weights = dict(self.kinds) or {**dict.fromkeys(KINDS, (1 - self.scene) / len(KINDS)), SCENE: self.scene}
        languages_by_kind = {
            kind: [
                language
                for language in self._supported_languages(kind, languages)
                if all(passages.count(needed) for needed in required_languages(kind, language))
            ]
            for kind in sorted(weights)
            if weights[kind] > 0 and self._tasks(kind)
        }
        if self.input and not self.kinds:  # its text is the grammar's, as a translation of the user's is not known
            languages_by_kind.pop("bilingual", None)
        languages_by_kind = {kind: languages for kind, languages in languages_by_kind.items() if languages}
        if not languages_by_kind:
            return None
        kind = random.choices(list(languages_by_kind), [weights[kind] for kind in languages_by_kind])[0]
        language = random.choice(languages_by_kind[kind])
        tasks = self._tasks(kind)
        task = random.choices(list(tasks), list(tasks.values()))[0]
        return kind, language, task, self.strength * random.random()

    def _tasks(self, kind: str) -> dict[str, float]:
        """Return the weights of the tasks that a kind has."""
        from sources.ocr.templates.registry import RECORDED, TABLED

        having = {"json": RECORDED, "table": TABLED}
        return {
            task: self.tasks[task]
            for task in sorted(self.tasks)
            if self.tasks[task] > 0 and (task not in having or kind in having[task])
        }

    def _supported_languages(self, kind: str, languages: Iterable[str]) -> list[str]:
        """Return the languages, out of some, that a kind supports with the engine of this source."""
        from sources.ocr.templates.registry import DIRECT_TEMPLATES, supported_languages
        from sources.text.languages import RIGHT_TO_LEFT, SHAPED

        if kind == SCENE:
            return list(languages)
        found = supported_languages(kind, languages)
        if (
            self.engine == "chromium" and kind not in DIRECT_TEMPLATES
        ):  # its script reports characters from left to right
            return [name for name in found if name not in (*SHAPED, *RIGHT_TO_LEFT)]
        return list(found)

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
