"""The chart source: makes sample n from the settings, the seed and n alone."""

import dataclasses
import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from sources.base.card import SourceCard
from sources.base.illegible import Illegible
from sources.base.sample import Provenance, Sample
from sources.base.source import ItemError
from sources.base.synthetic import SyntheticSource
from sources.charts.card import CARD
from sources.charts.chart import Chart
from sources.charts.fonts import fonts_digest
from sources.charts.kinds import KINDS, PANEL_KINDS
from sources.charts.messages import (
    ALL_USE_CASES,
    GRAPH,
    TABLE,
    TASKS,
    choose_code,
    make_conversation,
    make_plain_text,
    secondary_use_cases,
    use_case,
)
from sources.charts.questions.ask_questions import question_names
from sources.charts.schema.texts import LANGUAGES
from sources.charts.style import sample_style
from sources.charts.titles import source_line
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.charts.words import extract_words
from sources.images.encoding import check_encoding, encode
from sources.optional_dependencies import check_installed
from sources.rng import generator
from sources.text.fonts import FontError
from sources.validation import check_names, check_weights

CODE_VERSION = 4  # increment when the bytes of a sample change
DASHBOARDS = 0.05  # fraction of samples
SOURCE_SHARE = 0.25  # fraction of charts with a line that names their source
PACKAGES = {"matplotlib": "matplotlib", "vl_convert": "vl-convert-python", "fontTools": "fonttools"}


@dataclass(frozen=True, kw_only=True)
class Charts(SyntheticSource):
    """Charts and tables with their data, code, description and questions.

    Args:
        kinds: names of KINDS; empty means all. All have equal weights.
        languages: `en`, `zh` or both.
        tasks: weights of the tasks; `text` gives pre-training text, the others give conversations.
        vega_share: fraction of charts that Vega-Lite draws, among the kinds that both renderers can draw.
        num_questions: greatest number of questions of a sample.
        choice_share: fraction of multiple choice among the questions that allow it.
        dashboards: fraction of samples that show two to four charts, whose questions name the panel; by default 0.05,
            but none where `kinds` or `small` ask for certain charts.
        small: few bars on a picture of 320 pixels in large type, with all numbers printed.
        questions: names of the questions that are asked, e.g. `lookup`; empty means all.
        vocabulary: a YAML file that replaces the bundled one.
        format, quality: image format, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: licence of the samples.
    """

    name: ClassVar[str] = "charts"
    card: ClassVar[SourceCard] = CARD
    use_cases: ClassVar[tuple[str, ...]] = ALL_USE_CASES

    license: str | None = "cc0-1.0"
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {"questions": 0.4, "table": 0.15, "code": 0.2, "description": 0.1, "text": 0.15}
    )
    vega_share: float = 0.1
    num_questions: int = 5
    choice_share: float = 0.3
    dashboards: float | None = None
    small: bool = False
    questions: tuple[str, ...] = ()
    vocabulary: str | None = None
    format: str = "png"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("charts need", PACKAGES, "charts")
        check_names("kinds", self.kinds, tuple(KINDS), empty=True)
        check_names("languages", self.languages, LANGUAGES)
        check_names("questions", self.questions, question_names(), empty=True)
        check_weights("tasks", self.tasks, TASKS)
        for name in ("vega_share", "choice_share", "dashboards"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {share}")
        if self.dashboards and self.kinds and not set(self.kinds) & set(PANEL_KINDS):
            raise ValueError(f"dashboards show {', '.join(PANEL_KINDS)}; kinds has none of them")
        if self.dashboards and self.small:
            raise ValueError("dashboards and small exclude each other")
        if not 1 <= self.num_questions <= 20:
            raise ValueError(f"num_questions must be between 1 and 20, got {self.num_questions}")
        check_encoding(self.format, self.quality)
        if self.vocabulary is not None:
            load_vocabulary(Path(self.vocabulary))

    def check(self) -> None:
        fonts_digest(self.languages)

    def written_languages(self) -> tuple[str, ...]:
        return self.languages

    def identity(self) -> Mapping[str, Any]:
        """Return the settings, with the content of the vocabulary."""
        settings = ("languages", "vega_share", "num_questions", "choice_share", "format", "quality")
        return {
            "code": CODE_VERSION,
            "vocabulary": _digest(self._vocabulary_path),
            "kinds": self._kinds,
            "dashboards": self._dashboards,
            "tasks": dict(self.tasks),
            **({"small": True} if self.small else {}),
            **({"questions": list(self.questions)} if self.questions else {}),
            **{name: getattr(self, name) for name in settings},
        }

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": self.name,
            "seed": self.seed,
            **self.identity(),
            **_versions(),
            "fonts": fonts_digest(self.languages),
        }

    def make(self, number: int, digest: str) -> Sample:
        # This import needs the packages of an extra.
        from sources.charts.drawing import draw_legibly

        if generator(self.seed, number, "dashboard").random() < self._dashboards:
            return self._make_dashboard(number, digest)
        try:
            chart, renderer, task = self.specify(number)
        except ValueError as error:  # the vocabulary has no suitable entries
            raise ItemError("unfit_vocabulary", str(error)) from error
        try:
            chart, picture = draw_legibly(chart, renderer)
        except Illegible as error:
            raise ItemError(error.reason, f"{chart.kind}: {error}") from error
        except FontError as error:
            raise ItemError("missing_glyph", f"{chart.kind}: {error}") from error
        random = generator(self.seed, number, "messages")
        messages = text = None
        if task == "text":
            text = make_plain_text(chart)
        else:
            code = choose_code(chart, picture, random)
            messages = make_conversation(
                chart, task, code, self.num_questions, self.choice_share, random, self.questions
            )
        return Sample.of_picture(
            picture.pixels,
            source=self.name,
            provenance=Provenance(locator=self.locator(number), digest=digest),
            images=[encode(picture.pixels, self.format, self.quality)],
            messages=messages,
            text=text,
            words=extract_words(picture, chart.style.face),
            flags=[chart.kind, renderer, chart.language],
            use_case=use_case(chart, task),
            secondary=secondary_use_cases(chart, task),
        )

    def _make_dashboard(self, number: int, digest: str) -> Sample:
        from sources.charts.dashboard import ask_dashboard, dashboard_text, draw_dashboard

        random = generator(self.seed, number, "panels")
        vocabulary = load_vocabulary(self._vocabulary_path)
        try:
            dashboard = draw_dashboard(self._kinds, vocabulary, random.choice(self.languages), random)
        except Illegible as error:
            raise ItemError(error.reason, str(error)) from error
        messages = text = None
        tasks = [task for task in TASKS if task in self.tasks]
        if random.choices(tasks, [self.tasks[task] for task in tasks])[0] == "text":
            text = dashboard_text(dashboard)
        else:
            messages = ask_dashboard(dashboard, self.num_questions, self.choice_share, random, self.questions)
        return Sample.of_picture(
            dashboard.pixels,
            source=self.name,
            provenance=Provenance(locator=self.locator(number), digest=digest),
            images=[encode(dashboard.pixels, self.format, self.quality)],
            messages=messages,
            text=text,
            words=dashboard.words,
            flags=["dashboard", "matplotlib", dashboard.language],
            use_case=GRAPH,
            secondary=(TABLE,) if text is None else (),
        )

    def specify(self, number: int) -> tuple[Chart, str, str]:
        """Return the chart of a sample, its renderer and its task."""
        random = generator(self.seed, number, "specification")
        kind = random.choice(self._kinds)
        language = random.choice(self.languages)
        style = sample_style(random, language, small=self.small)
        vocabulary = load_vocabulary(self._vocabulary_path)
        chart = KINDS[kind].make(kind, vocabulary, language, style, random)
        if random.random() < SOURCE_SHARE:
            chart = dataclasses.replace(chart, source=source_line(vocabulary, language, random))
        is_vega = random.random() < self.vega_share and "vega" in KINDS[kind].renderers(chart)
        tasks = [task for task in TASKS if task in self.tasks]
        return (
            chart,
            "vega" if is_vega else "matplotlib",
            random.choices(tasks, [self.tasks[task] for task in tasks])[0],
        )

    @property
    def _dashboards(self) -> float:
        """The share of dashboards."""
        if self.dashboards is not None:
            return float(self.dashboards)
        return 0.0 if self.kinds or self.small else DASHBOARDS

    @property
    def _kinds(self) -> tuple[str, ...]:
        return self.kinds or tuple(KINDS)

    @property
    def _vocabulary_path(self) -> Path:
        return Path(self.vocabulary) if self.vocabulary else BUNDLED


@lru_cache(maxsize=1)
def _versions() -> Mapping[str, str]:
    """Return the versions of the packages that pixels and files depend on."""
    drawing = {package: version(package) for package in PACKAGES.values()}
    others = {package: version(package) for package in ("numpy", "pillow", "zlib-ng")}
    return {**drawing, **others, "python": platform.python_version()}


@lru_cache(maxsize=4)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
