"""The source: numbers to samples. Everything about sample n comes from the settings, the texts, the seed and n."""

import hashlib
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from sources.choices import check_names, check_weights
from sources.extras import check_installed
from sources.fingerprint import picture_fingerprint
from sources.generator import generator
from sources.images import check_encoding, encode, ink, luma
from sources.ocr.vocabulary import LANGUAGES
from sources.sample import Provenance, Sample, Words, sample_id
from sources.source import Contents, ItemError
from sources.synthetic import REPLACED, Synthetic

if TYPE_CHECKING:
    from sources.ocr.drawn import Drawn
    from sources.ocr.making import Attempt, Engine
    from sources.ocr.passages import Passages

CODE_VERSION = 2  # raise it when this room writes other bytes for the same sample
PACKAGES = {"cv2": "opencv-contrib-python", "fontTools": "fonttools", "matplotlib": "matplotlib"}
SCENE = "scene"  # a kind beside the templates
ENGINES = ("story", "chromium")
MAX_ATTEMPTS = 24
CALMER = 0.85  # each attempt is degraded by so much less than the one before
MIXED = 0.35  # share of bundled paragraphs put together from sentences of all over


@dataclass(frozen=True, kw_only=True)
class Ocr(Synthetic):
    """Document pages and scene text with what is written on them and where.

    Args:
        input: text, JSONL or Parquet files whose text fills the pages; empty means the bundled texts.
        text_key: field of JSONL and Parquet rows that holds the text.
        languages: of the texts: `en`, `zh`, and with `input` those of `sources/languages.py`; of two that are written
            alike the first counts. Empty means all there are.
        kinds: names of templates, and `scene`, with their weights; empty means all templates alike.
        scene: without `kinds`, share of scene text.
        tasks: what a sample says, with its weight; `text` gives a pre-training text, the others a conversation.
        strength: of degradation, 0 (none) to 1; a sample's own is drawn between 0 and this.
        side_px: long side of a page in pixels.
        engine: `story` (MuPDF) or `chromium`, which draws the same templates with a browser.
        format, quality: of the images, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: of the samples.
    """

    name: ClassVar[str] = "ocr"
    takes_material: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".md", ".jsonl", ".parquet")
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
    text_key: str = "text"
    languages: tuple[str, ...] = ()
    kinds: Mapping[str, float] = field(default_factory=dict)
    scene: float = 0.25
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {"text": 0.35, "transcription": 0.25, "markdown": 0.2, "grounding": 0.2}
    )
    strength: float = 0.5
    side_px: int = 1024
    engine: str = "story"
    format: str = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("ocr needs", PACKAGES, "ocr")
        from sources.fonts import fonts_for
        from sources.languages import LANGUAGES as WRITTEN
        from sources.ocr.messages import TASKS
        from sources.ocr.templates.registry import KINDS

        check_names("languages", self.languages, tuple(WRITTEN), empty=True)
        unread = [language for language in self.languages if language not in LANGUAGES]
        if unread and not self.input:
            raise ValueError(f"there is no bundled text in {', '.join(unread)}; name files with --input")
        check_weights("kinds", self.kinds, (*KINDS, SCENE), empty=True)
        for kind, weight in self.kinds.items():
            possible = self.languages or (tuple(WRITTEN) if self.input else LANGUAGES)
            if weight and not self._languages_of(kind, possible):
                raise ValueError(f"there is no {kind} page in {', '.join(possible)}")
        check_weights("tasks", self.tasks, TASKS)
        for name in ("scene", "strength"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if not 512 <= self.side_px <= 2048:
            raise ValueError(f"side_px must be between 512 and 2048, got {self.side_px}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine must be {' or '.join(ENGINES)}, got {self.engine!r}")
        if self.engine == "chromium":
            check_installed("engine chromium needs", {"playwright": "playwright"}, "ocr,web")
            from sources.web.chromium import find_chromium

            find_chromium()  # raises if there is none
        check_encoding(self.format, self.quality)
        for language in self.languages or (() if self.input else LANGUAGES):
            fonts_for(language)  # raises if there is none

    def identity(self) -> Mapping[str, Any]:
        """The settings. What texts there are is known by the file of the run that `inspect` sees."""
        settings = ("languages", "scene", "strength", "side_px", "engine", "format", "quality")
        return {
            "code": CODE_VERSION,
            "kinds": dict(self.kinds),
            "tasks": dict(self.tasks),
            **{name: getattr(self, name) for name in settings},
        }

    def fingerprint(self) -> Mapping[str, Any]:
        from sources.fonts import fonts_digest, installed_for
        from sources.languages import LANGUAGES as WRITTEN

        languages = {*(self.languages or (WRITTEN if self.input else LANGUAGES)), "en"}
        fonts = sorted(
            {font for language in languages for font in installed_for(language)}, key=lambda f: (f.path, f.index)
        )
        return {
            "source": self.name,
            "seed": self.seed,
            **self.identity(),
            **_versions(),
            **(_browser_version() if self.engine == "chromium" else {}),
            "fonts": fonts_digest(fonts),
        }

    def inspect(self, path: Path) -> Contents:
        if not self.input:
            return super().inspect(path)
        with path.open("rb") as file:
            texts = hashlib.file_digest(file, "sha256").hexdigest()
        return Contents(
            digest=hashlib.sha256(f"{self.digest}/{texts}".encode()).hexdigest(), num_items=self.num_samples
        )

    def gather(self, path: Path, name: str, out: Path, progress: Callable[[], None]) -> Mapping[str, int]:
        from sources.ocr.corpus_file import gather

        return gather(path, name, self.text_key, out, progress, self.languages)

    def merge(self, paths: Iterable[Path], out: Path) -> Mapping[str, int]:
        from sources.ocr.corpus_file import merge

        return merge(paths, out)

    def read(self, path: Path, digest: str, items: range) -> Iterator[tuple[int, Sample | ItemError | None]]:
        passages = self._passages(path)
        for item in items:
            yield item, None
            yield item, self._make(item, digest, passages)

    def make(self, number: int, digest: str) -> Sample | ItemError:
        """The sample with this number, of the bundled texts."""
        return self._make(number, digest, self._passages(Path()))

    def _passages(self, path: Path) -> "Passages":
        if self.input:
            from sources.ocr.corpus_file import open_corpus

            return open_corpus(path)
        from sources.ocr.passages import BundledPassages

        return BundledPassages()

    def _make(self, number: int, digest: str, passages: "Passages") -> Sample | ItemError:
        # Drawing needs packages of an extra, which recipes without this source do not ask for.
        from sources.fonts import FontError
        from sources.illegible import Illegible
        from sources.ocr.making import attempt

        specified = self._specify(number, passages)
        if specified is None:
            message = f"the texts are in {', '.join(passages.languages())}: none of the kinds exists in it"
            return ItemError(item=number, cause="no_text", message=message)
        kind, language, task, strength = specified
        given_up: Counter[str] = Counter()
        for k in range(MAX_ATTEMPTS):
            random = generator(self.seed, number, f"attempt/{k}")
            try:
                made = attempt(
                    kind, language, task, passages=passages, mixed=0 if self.input else MIXED,
                    strength=strength * CALMER**k, side_px=self.side_px, engine=_engine(self.engine), random=random,
                )  # fmt: skip
            except Illegible as error:
                given_up[error.reason] += 1
                why = str(error)
            except FontError as error:
                given_up["missing_glyph"] += 1
                why = str(error)
            else:
                return self._sample(number, digest, made, given_up)
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(given_up.items()))
        message = f"{kind}, {language}: given up after {MAX_ATTEMPTS} attempts ({reasons}); the last: {why}"
        return ItemError(item=number, cause=given_up.most_common(1)[0][0], message=message)

    def _specify(self, number: int, passages: "Passages") -> tuple[str, str, str, float] | None:
        """Kind, language, task and strength of a sample, the same for every attempt; None if no kind has a text."""
        from sources.ocr.templates.registry import KINDS, texts_of

        random = generator(self.seed, number, "specification")
        weights = dict(self.kinds) or {**dict.fromkeys(KINDS, (1 - self.scene) / len(KINDS)), SCENE: self.scene}
        written = {
            kind: [
                language
                for language in self._languages_of(kind, self.languages or passages.languages())
                if all(passages.count(needed) for needed in texts_of(kind, language))
            ]
            for kind in sorted(weights)
            if weights[kind] > 0
        }
        written = {kind: languages for kind, languages in written.items() if languages}
        if not written:
            return None
        kind = random.choices(list(written), [weights[kind] for kind in written])[0]
        language = random.choice(written[kind])
        task = random.choices(sorted(self.tasks), [self.tasks[name] for name in sorted(self.tasks)])[0]
        return kind, language, task, self.strength * random.random()

    def _languages_of(self, kind: str, languages: Iterable[str]) -> list[str]:
        """Those of some languages that a kind exists in, as the engine sets it."""
        from sources.languages import RIGHT_TO_LEFT, SHAPED
        from sources.ocr.templates.registry import DRAWN, languages_of

        if kind == SCENE:
            return list(languages)
        found = languages_of(kind, languages)
        if self.engine == "chromium" and kind not in DRAWN:  # it tells characters from left to right, not glyphs
            return [name for name in found if name not in (*SHAPED, *RIGHT_TO_LEFT)]
        return list(found)

    def _sample(self, number: int, digest: str, made: "Attempt", given_up: Mapping[str, int]) -> Sample:
        drawn = made.reading.drawn
        image = Image.fromarray(drawn.pixels)
        grey = luma(image)
        locator = self.locator(number)
        return Sample(
            id=sample_id(digest, locator),
            source=self.name,
            images=[encode(drawn.pixels if self.format == "png" else image, self.format, self.quality)],
            messages=made.said.messages,
            text=made.said.text,
            words=Words(texts=list(drawn.texts), boxes=_inside(drawn), images=np.zeros(len(drawn.texts), np.int32)),
            flags=made.flags,
            measures={
                "ink": ink(grey),
                **{REPLACED + reason: float(count) for reason, count in sorted(given_up.items())},
            },
            fingerprint=picture_fingerprint(grey),
            provenance=Provenance(locator=locator, digest=digest),
            use_case=made.said.use_case,
        )


def _inside(drawn: "Drawn") -> np.ndarray:
    """(N, 4) the words' boxes, clipped to the picture."""
    height, width = drawn.pixels.shape[:2]
    return np.clip(drawn.boxes(), 0, [width, height, width, height]).astype(np.float32)


def _engine(name: str) -> "Engine":
    if name == "chromium":
        from sources.ocr.chromium import lay_out as by_chromium

        return by_chromium
    from sources.ocr.story import lay_out

    return lay_out


@lru_cache(maxsize=1)
def _browser_version() -> Mapping[str, str]:
    """Of the browser that pages are set by; empty for the one that belongs to Playwright, whose version tells."""
    from sources.web.chromium import find_chromium, version_of

    return {"playwright": version("playwright"), "chromium": version_of(find_chromium())}


@lru_cache(maxsize=1)
def _versions() -> Mapping[str, str]:
    """Of the packages that pixels and files depend on."""
    drawing = {package: version(package) for package in PACKAGES.values()}
    others = {package: version(package) for package in ("numpy", "pillow", "pymupdf", "zlib-ng")}
    return {**drawing, **others, "python": platform.python_version()}
