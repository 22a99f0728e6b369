"""Axes: the questions that the model is asked about samples, from a YAML file."""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sources.config_file import ConfigFileError, Node, Problem, load

BUNDLED = Path(__file__).parent / "axes.yaml"
TEXT, CONVERSATION = "text", "conversation"
KINDS = (TEXT, CONVERSATION)
OF_TURNS = frozenset({"question", "answer"})  # placeholders that only a conversation can fill
PLACEHOLDERS = OF_TURNS | {"text"}
PLACEHOLDER = re.compile(r"\{(\w*)\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
USE_CASE = "use_case"  # score of the label, which no axis can be called
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bilingual:
    """A text in both languages."""

    __pydantic_config__ = STRICT

    en: str
    zh: str

    def __post_init__(self) -> None:
        if not self.en.strip() or not self.zh.strip():
            raise ValueError("a text is empty; both languages, en and zh, are needed")

    def of(self, language: str) -> str:
        """Return the text in a language, `en` or `zh`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """An answer, with its value from 0 to 1."""

    __pydantic_config__ = STRICT

    value: float
    en: str
    zh: str

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 1:
            raise ValueError(f"the value of a choice must be between 0 and 1, got {self.value:g}")


YES_NO = (Choice(value=1, en="Yes", zh="是"), Choice(value=0, en="No", zh="否"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """A question about samples.

    Args:
        question: None for a likelihood: the text of a sample then follows its images, as in pre-training.
        score: `choices`: the expected value of the answer. `likelihood`: the mean log probability per token of what the
            sample says, its text as the answer to `question`, or each answer of its conversation to its own question.
        sources: names of the sources whose samples are asked about; empty: of all.
        kinds: `text`, `conversation`, or both.
        threshold: samples with a lower score are rejected; None rejects none.
        compare_without_images: the score is the difference to the answer without the images.
        meaning: one sentence about a rejected sample.
    """

    __pydantic_config__ = STRICT

    question: Bilingual | None = None
    score: Literal["choices", "likelihood"] = "choices"
    choices: tuple[Choice, ...] = YES_NO
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    threshold: float | None = None
    compare_without_images: bool = False
    meaning: str = ""

    def __post_init__(self) -> None:
        for name in ("en", "zh"):
            texts = {" ".join(getattr(choice, name).split()) for choice in self.choices}
            if len(texts) < max(2, len(self.choices)) or "" in texts:
                raise ValueError(f"choices must be two or more different texts in {name}")
        if len({choice.value for choice in self.choices}) == 1:
            raise ValueError("choices must not all have the same value")
        unknown = sorted(set(self.kinds) - set(KINDS))
        if unknown or not self.kinds:
            raise ValueError(f"kinds must be some of {', '.join(KINDS)}, got {', '.join(unknown) or 'none'}")
        if self.score == "likelihood":
            self._check_likelihood()
        elif self.question is None:
            raise ValueError("question is missing; only an axis with `score: likelihood` needs none")
        for text in () if self.question is None else (self.question.en, self.question.zh):
            names = set(PLACEHOLDER.findall(text))
            if names - PLACEHOLDERS:
                raise ValueError(
                    f"question has the placeholder {{{min(names - PLACEHOLDERS)}}}; expected {{text}}, {{question}} or "
                    "{answer}"
                )
            if names & OF_TURNS and self.kinds != (CONVERSATION,):
                raise ValueError("question asks about a turn, so kinds must be [conversation]")

    def _check_likelihood(self) -> None:
        if self.choices != YES_NO:
            raise ValueError("choices are not for `score: likelihood`, whose answer is what the sample says")
        if self.question is not None and PLACEHOLDER.search(self.question.en + self.question.zh):
            raise ValueError(
                "question cannot have placeholders with `score: likelihood`; the answer is the sample's text"
            )

    def key(self) -> dict[str, Any]:
        """Everything that scores depend on, as plain data."""
        content = dataclasses.asdict(self)
        return {name: value for name, value in content.items() if name not in ("threshold", "meaning")}

    def chars(self, max_chars: int) -> int:
        """Return about how many characters the axis makes the model read about a sample."""
        question = "" if self.question is None else self.question.en
        return len(question) + max_chars * (self.score == "likelihood" or "{" in question)

    def plain(self) -> dict[str, Any]:
        """The whole axis as plain data, for the recipe in the manifest."""
        return dataclasses.asdict(self)


def load_axes(path: Path) -> dict[str, Axis]:
    """Read axes by name, in the file's order. Raises ConfigFileError with file and line of every mistake."""
    return dict(_load(path, path.stat().st_mtime_ns if path.is_file() else 0))


@functools.lru_cache(maxsize=8)
def _load(path: Path, _changed: int) -> tuple[tuple[str, Axis], ...]:
    root = load(path, "`axes:` with a question each")
    content = root.value if isinstance(root.value, dict) else {}
    if content.keys() != {"axes"} or not isinstance(content["axes"].value, dict) or not content["axes"].value:
        raise ConfigFileError(path, [Problem(root.line, "expected one key, `axes:`, with at least one axis below it")])
    found, problems = [], []
    for name, node in content["axes"].value.items():
        line = content["axes"].key_lines[name]
        if not NAME.fullmatch(name) or name == USE_CASE:
            problems.append(
                Problem(line, f"{name!r} cannot be an axis; expected a word of small letters, as `clarity`")
            )
            continue
        try:
            found.append((name, _axis(node.plain())))
        except ValidationError as error:
            problems += [_problem(name, node, line, each) for each in error.errors()]
    if problems:
        raise ConfigFileError(path, problems)
    return tuple(found)


def _problem(name: str, node: Node, line: int, error: Any) -> Problem:
    message = error["msg"].removeprefix("Value error, ")
    where = ".".join([name, *map(str, error["loc"])])
    wrong = error["loc"] or (message.split(" ")[0],)  # our own messages begin with the setting's name
    is_inside = isinstance(node.value, dict) and wrong[0] in node.value
    return Problem(node.line_of(wrong) if is_inside else line, f"{where}: {message}")


def _axis(content: Any) -> Axis:
    """Check plain data. Raises ValidationError."""
    return TypeAdapter(Axis).validate_python(content)


def axes_of(content: Mapping[str, Any]) -> dict[str, Axis]:
    """The inverse of `Axis.plain` for several axes by name."""
    return {name: _axis(plain) for name, plain in content.items()}


def check_sources(path: Path, known: Iterable[str]) -> None:
    """Raise ConfigFileError if an axis names a source that there is not."""
    root, known = load(path), tuple(known)
    problems = [
        Problem(
            root.line_of(("axes", name, "sources")), f"{name}: there is no source {source!r}; {', '.join(known)} are"
        )
        for name, axis in load_axes(path).items()
        for source in axis.sources
        if source not in known
    ]
    if problems:
        raise ConfigFileError(path, problems)
