"""The source of diagrams: makes sample n from the settings, the seed and n alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

from sources.base.card import SourceCard
from sources.base.sample import Provenance, Sample
from sources.base.source import ItemError
from sources.base.synthetic import SyntheticSource
from sources.charts.fonts import check_glyphs, fonts_digest
from sources.charts.legibility import find_text_fault
from sources.charts.schema.texts import LANGUAGES
from sources.charts.words import extract_words
from sources.diagrams.card import CARD
from sources.images.encoding import check_encoding, encode
from sources.optional_dependencies import check_installed
from sources.rng import generator
from sources.text.fonts import FontError
from sources.validation import check_names, check_weights

if TYPE_CHECKING:
    from sources.diagrams.diagram import Diagram

CODE_VERSION = 1  # increment when the bytes of a sample change
PACKAGES = {"vl_convert": "vl-convert-python", "fontTools": "fonttools"}
ATTEMPTS = 4  # specifications that are tried for a sample until one is legible
KIND_NAMES = ("circuit", "floor_plan", "choropleth", "transit_map", "sequence", "geometry", "mechanics")
TASKS = ("questions", "data", "svg", "description", "text")
USE_CASES = (
    "analysis/professional_chart/circuit", "analysis/professional_chart/floor_plan", "analysis/professional_chart/map",
    "analysis/professional_chart/other", "conversion/image_to_code/flowchart", "conversion/image_to_code/photo_to_svg",
    "conversion/image_to_text/text_summary", "logical_reasoning/mathematical/plane_geometry",
    "logical_reasoning/other/physics",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Diagrams(SyntheticSource):
    """Diagrams with their data, description and questions.

    Args:
        kinds: names of kinds; empty means all. All have equal weights.
        languages: `en`, `zh` or both.
        tasks: weights of the tasks; `text` gives pre-training text, the others give conversations.
        num_questions: greatest number of questions of a sample.
        choice_share: fraction of multiple choice among the questions that allow it.
        format, quality: image format, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: licence of the samples.
    """

    name: ClassVar[str] = "diagrams"
    card: ClassVar[SourceCard] = CARD
    use_cases: ClassVar[tuple[str, ...]] = USE_CASES

    license: str | None = "cc0-1.0"
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {"questions": 0.5, "data": 0.2, "svg": 0.05, "description": 0.1, "text": 0.15}
    )
    num_questions: int = 5
    choice_share: float = 0.3
    format: str = "png"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("diagrams need", PACKAGES, "charts")
        check_names("kinds", self.kinds, KIND_NAMES, empty=True)
        check_names("languages", self.languages, LANGUAGES)
        check_weights("tasks", self.tasks, TASKS)
        if not 0 <= self.choice_share <= 1:
            raise ValueError(f"choice_share must be between 0 and 1, got {self.choice_share}")
        if not 1 <= self.num_questions <= 20:
            raise ValueError(f"num_questions must be between 1 and 20, got {self.num_questions}")
        check_encoding(self.format, self.quality)

    def check(self) -> None:
        fonts_digest(self.languages)

    def written_languages(self) -> tuple[str, ...]:
        return self.languages

    def identity(self) -> Mapping[str, Any]:
        settings = ("languages", "num_questions", "choice_share", "format", "quality")
        return {
            "code": CODE_VERSION,
            "kinds": self.kinds or KIND_NAMES,
            "tasks": dict(self.tasks),
            **{name: getattr(self, name) for name in settings},
        }

    def fingerprint(self) -> Mapping[str, Any]:
        packages = ("vl-convert-python", "fonttools", "numpy", "pillow", "zlib-ng")
        versions = {package: version(package) for package in packages}
        fonts = fonts_digest(self.languages)
        return {"source": self.name, "seed": self.seed, **self.identity(), **versions, "fonts": fonts}

    def make(self, number: int, digest: str) -> Sample:
        # This import needs the packages of an extra.
        from sources.diagrams.messages import make_conversation, make_plain_text, use_case

        diagram, task = self.specify(number)
        try:
            check_glyphs((box.text for box in diagram.canvas.texts), diagram.canvas.style.face)
        except FontError as error:
            raise ItemError("missing_glyph", f"{diagram.kind}: {error}") from error
        picture = diagram.canvas.picture()
        random = generator(self.seed, number, "messages")
        messages = text = None
        if task == "text":
            text = make_plain_text(diagram)
        else:
            messages = make_conversation(diagram, task, self.num_questions, self.choice_share, random)
        return Sample.of_picture(
            picture.pixels,
            source=self.name,
            provenance=Provenance(locator=self.locator(number), digest=digest),
            images=[encode(picture.pixels, self.format, self.quality)],
            messages=messages,
            text=text,
            words=extract_words(picture, diagram.canvas.style.face),
            flags=[diagram.kind, diagram.canvas.style.look, diagram.language],
            use_case=use_case(diagram, task),
        )

    def specify(self, number: int) -> "tuple[Diagram, str]":
        """Return the diagram of a sample, the first of some that is legible, and its task.

        Raises:
            ItemError: none is legible.
        """
        from sources.diagrams.registry import KINDS
        from sources.diagrams.style import sample_style

        random = generator(self.seed, number, "specification")
        kind = random.choice(self.kinds or KIND_NAMES)
        language = random.choice(self.languages)
        tasks = [task for task in TASKS if task in self.tasks]
        task = random.choices(tasks, [self.tasks[task] for task in tasks])[0]
        fault = None
        for _ in range(ATTEMPTS):
            diagram = KINDS[kind].make(language, sample_style(random, language), random)
            canvas = diagram.canvas
            fault = find_text_fault(canvas.texts, canvas.width, canvas.height)
            if fault is None:
                return diagram, task
        assert fault is not None
        raise ItemError(fault[0], f"{kind}: {fault[1]}")
