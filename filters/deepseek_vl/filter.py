"""DeepSeek-VL judges samples: every axis of `axes.yaml`, or of a file of your own, is a score in the ledger."""

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from deepseek_vl.conversation import SYSTEM
from filters.deepseek_vl.answering import SHORTEST_CHARS, answers
from filters.deepseek_vl.axes import BUNDLED, USE_CASE, Axis, axes_of, check_sources, load_axes
from filters.deepseek_vl.connection import check_url
from filters.deepseek_vl.costs import MACHINES, lines
from filters.deepseek_vl.endpoints import BLANK, Endpoints
from filters.deepseek_vl.judges import endpoints, local_judge
from filters.deepseek_vl.questions import (
    Answers,
    Ask,
    Asked,
    Fault,
    Judge,
    Question,
    questions_about,
    scores_of,
)
from filters.deepseek_vl.use_cases import ABOUT_REQUEST, ABOUT_TEXT, Label, Tree, label, questions_of, tree_of
from filters.filter import Described, Filter, FilterUnavailable, Scores, Threshold, WorkerSettings
from sources.base.sample import Sample
from sources.base.secrets import read_secrets, secret
from sources.optional_dependencies import how_to_install
from sources.validation import check_names

VERSION = "1"  # of the questions' form and of the scores
UNIT_SAMPLES = 64  # of a unit, about: no more can be given to a process at a time
DTYPES = ("bfloat16", "float16", "float32")
KEY_VARIABLE = "VELLUM_API_KEY"
PROBE_ANSWER = "A text."  # for a likelihood, before there are samples
REJECTED, NOT_SAMPLED = "skipped_rejected", "not_sampled"


@dataclass(frozen=True, kw_only=True)
class DeepseekVl(Filter):
    """Demands of every axis at least its threshold, as a DeepSeek-VL judges the sample.

    Scores are the expected values of the model's answers. They are null where a sample has no image, or is not of the
    sources and kinds that an axis is about.

    Args:
        model: folder of a checkpoint, or hub id; or `endpoint`: addresses of servers that have it (`vellum serve`).
        axes: YAML file of the questions; None takes the bundled one.
        min_scores: threshold by axis, in place of the file's; null for none.
        use_cases: choose the use case of every sample, too, as the label of those that have none.
        sample: share of the samples that is judged, 0 to 1, by id.
        skip_rejected: samples that the filters before have rejected are not judged.
        device, dtype, quantize, threads: as in `vellum score`, for a local model.
        batch: samples that are computed together.
        processes: copies of a local model on a machine.
        in_flight: requests to one endpoint at a time.
        timeout_s: seconds for one request, or for one batch of a local model.
        give_up_s: seconds without any answer of an endpoint after which the run ends.
        max_chars: characters of a text that are put into a question.
        accelerator, min_ram: hints for the machines of a cluster, as in Beam's resource hints.
        prices: dollars per hour by device, for `--dry-run`, in place of the built-in ones.
        api_key: `@FILE`, whose first line is the key for the endpoint; by default the one in the environment's
            VELLUM_API_KEY.
        pinned_as: what the run found: the axes, and the model's digest; set by the run.
    """

    name: ClassVar[str] = "deepseek_vl"
    measures_conversations: ClassVar[bool] = True

    model: str | None = None
    endpoint: tuple[str, ...] = ()
    axes: str | None = None
    min_scores: Mapping[str, float | None] = field(default_factory=dict)
    use_cases: bool = False
    sample: float = 1.0
    skip_rejected: bool = False
    device: str | None = None
    dtype: str | None = None
    quantize: str | None = None
    threads: int | None = None
    batch: int = 8
    processes: int = 1
    in_flight: int = 4
    timeout_s: float = 300
    give_up_s: float = 600
    max_chars: int = 1000
    accelerator: str | None = None
    min_ram: str | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    api_key: str | None = field(default=None, repr=False, metadata=secret(KEY_VARIABLE))
    pinned_as: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.model is not None and self.endpoint:
            raise ValueError("model and endpoint contradict each other: give the checkpoint or the address of a server")
        for url in self.endpoint:
            check_url(url)
        if not 0 < self.sample <= 1:
            raise ValueError(f"sample must be above 0 and at most 1, got {self.sample:g}")
        if self.dtype is not None and self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        for name in ("batch", "processes", "in_flight", "timeout_s", "give_up_s", "threads"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, got {value:g}")
        if self.max_chars < SHORTEST_CHARS:
            raise ValueError(f"max_chars must be at least {SHORTEST_CHARS}, got {self.max_chars}")
        check_names("prices", tuple(self.prices), tuple(MACHINES), empty=True)
        unknown = sorted(set(self.min_scores) - set(self.score_names))
        if unknown and self._is_whole:
            raise ValueError(f"min_scores names {', '.join(unknown)}; the axes are {', '.join(self.score_names)}")

    @functools.cached_property
    def _axes(self) -> dict[str, Axis]:
        """The axes by name. Raises ConfigFileError."""
        return load_axes(self._axes_file) if self.pinned_as is None else axes_of(self.pinned_as["axes"])

    @property
    def _axes_file(self) -> Path:
        return BUNDLED if self.axes is None else Path(self.axes)

    @property
    def _is_whole(self) -> bool:
        """Return False for a filter that `only` has made, which has some of the axes."""
        return self.pinned_as is None or not self.pinned_as.get("is_part", False)

    @property
    def score_names(self) -> tuple[str, ...]:  # type: ignore[override]  # each file of axes has others
        return (*self._axes, *([USE_CASE] if self._tree is not None else []))

    @functools.cached_property
    def _tree(self) -> Tree | None:
        """The taxonomy to choose from; empty before a run has pinned it, None if no use case is asked for."""
        return ({} if self.use_cases else None) if self.pinned_as is None else self.pinned_as["use_cases"]

    @property
    def reasons(self) -> Mapping[str, str]:  # type: ignore[override]
        return {
            name: axis.meaning or f"DeepSeek-VL's score for {name} is too low." for name, axis in self._axes.items()
        }

    @property
    def thresholds(self) -> tuple[Threshold, ...]:  # type: ignore[override]
        return tuple(Threshold(f"min_scores.{name}", name, "min", (name,)) for name in self._bounds)

    def threshold_for(self, score: str) -> Threshold | None:
        return Threshold(f"min_scores.{score}", score, "min", (score,)) if score in self._axes else None

    @functools.cached_property
    def _bounds(self) -> dict[str, float]:
        """The thresholds that there are, by axis."""
        given = {name: axis.threshold for name, axis in self._axes.items()} | dict(self.min_scores)
        return {name: bound for name, bound in given.items() if bound is not None and name in self.score_names}

    @classmethod
    def described(cls, settings: Mapping[str, Any]) -> Described:
        known = {f.name for f in dataclasses.fields(cls)}
        made = cls(**{name: value for name, value in settings.items() if name in known and name != "endpoint"})
        bounds = made._bounds
        return Described(made.score_names, made.reasons, tuple((t, bounds[t.score]) for t in made.thresholds))

    def check_sources(self, known: Sequence[str]) -> None:
        check_sources(self._axes_file, known)

    def check(self) -> None:
        if self.model is None and not self.endpoint:
            raise ValueError(
                "the deepseek_vl filter needs `model`, a checkpoint, or `endpoint`, the address of a server"
            )
        if self.model is None:
            self._check_endpoints()
            return
        try:
            from filters.deepseek_vl import local_model
        except ImportError as error:
            raise ValueError(f"the deepseek_vl filter needs {error.name}: {how_to_install('model')}") from error
        local_model.check(self.model)
        self._check_choices(self._probe().questions)

    def _check_endpoints(self) -> None:
        digest = self._served()
        given = [asked for asked in self._probe().questions if asked.answer is not None]
        if not given:
            return
        try:
            self._endpoints(digest).ask([[Ask((BLANK,), tuple(given))]])
        except FilterUnavailable as error:
            names = ", ".join(name for name, axis in self._axes.items() if axis.score == "likelihood")
            raise ValueError(f"{error}; it has to score given texts for {names} (`score: likelihood`)") from error

    def pinned(self, taxonomy: Path | None = None) -> Filter:
        tree: Tree | None = None
        if self.use_cases:
            if taxonomy is None:
                raise ValueError("deepseek_vl.use_cases needs the recipe's section `taxonomy`")
            tree = tree_of(taxonomy)
            self._check_choices(questions_of(tree), f"the taxonomy {taxonomy}")
        if self.model is None:
            digest = self._served()
        else:
            from filters.deepseek_vl import local_model

            digest = local_model.digest(self.model)
        axes = {name: axis.plain() for name, axis in self._axes.items()}
        return dataclasses.replace(self, pinned_as={"digest": digest, "axes": axes, "use_cases": tree})

    def _check_choices(self, questions: Sequence[Asked], where: str | None = None) -> None:
        """Raise ValueError, with the place, for a question whose choices have the same tokens."""
        refused = self._refused_here(questions) if self.model is not None else self._refused_there(questions)
        if refused is not None:
            question, why = refused
            raise ValueError(f"{where or self._place_of(question)}: {why}")

    def _refused_here(self, questions: Sequence[Asked]) -> tuple[str, str] | None:
        from filters.deepseek_vl import local_model

        assert self.model is not None
        question = local_model.collision(self.model, questions)
        return None if question is None else (question, "two choices have the same tokens for this model")

    def _refused_there(self, questions: Sequence[Asked]) -> tuple[str, str] | None:
        asked = [[Ask((BLANK,), (question,))] for question in questions]
        try:
            answered = self._endpoints(self._served()).ask(asked)
        except FilterUnavailable as error:
            raise ValueError(str(error)) from error
        refused = [
            (ask.questions[0].text or "", a.message)
            for (ask,), (a,) in zip(asked, answered, strict=True)
            if isinstance(a, Fault)
        ]
        return refused[0] if refused else None

    def _served(self) -> str:
        """The digest of the model at all endpoints. Raises ValueError if they do not have the same, as it is wanted."""
        endpoints = self._endpoints("")
        found = endpoints.identities()
        for url, identity in zip(self.endpoint, found, strict=True):
            if identity.digest != found[0].digest:
                raise ValueError(f"the endpoints {self.endpoint[0]} and {url} have different models")
            if (self.dtype or identity.dtype, self.quantize) != (identity.dtype, identity.quantize):
                raise ValueError(
                    f"the endpoint {url} holds the model as {identity.dtype}, quantize {identity.quantize}; expected "
                    f"{self.dtype or identity.dtype}, quantize {self.quantize}"
                )
        return found[0].digest

    def _probe(self) -> Ask:
        """Every question, without texts, about a blank image."""
        questions = []
        for axis in self._axes.values():
            for language in ("en", "zh"):
                text = None if axis.question is None else axis.question.of(language)
                choices = tuple(getattr(choice, language) for choice in axis.choices)
                is_given = axis.score == "likelihood"
                questions.append(Asked(text, answer=PROBE_ANSWER) if is_given else Asked(text, choices))
        return Ask((BLANK,), tuple(questions))

    def _place_of(self, question: str) -> str:
        asked = {name: axis.question for name, axis in self._axes.items() if axis.question is not None}
        names = [name for name, text in asked.items() if question in (text.en, text.zh)]
        return f"{self._axes_file}: {names[0]}"

    def cache_key(self) -> str:
        assert self.pinned_as is not None, "a run pins its filters"
        prompt = hashlib.sha256(SYSTEM.encode()).hexdigest()
        how = [self.pinned_as["digest"], self.dtype, self.quantize, self.max_chars]
        tree = [] if self._tree is None else [self._tree, ABOUT_REQUEST, ABOUT_TEXT]
        return json.dumps([VERSION, prompt, how, {name: axis.key() for name, axis in self._axes.items()}, *tree])

    def score_groups(self) -> tuple[tuple[str, ...], ...]:
        return tuple((name,) for name in self.score_names)

    def only(self, names: Sequence[str]) -> Filter:
        assert self.pinned_as is not None, "a run pins its filters"
        axes = {name: self.pinned_as["axes"][name] for name in names if name != USE_CASE}
        tree = self._tree if USE_CASE in names else None
        return dataclasses.replace(self, pinned_as={**self.pinned_as, "axes": axes, "use_cases": tree, "is_part": True})

    def skips(self, sample_id: str, is_rejected: bool) -> str | None:
        if self.skip_rejected and is_rejected:
            return REJECTED
        place = int(hashlib.sha256(f"{sample_id}/{self.name}".encode()).hexdigest()[:8], 16)
        return None if place < self.sample * 2**32 else NOT_SAMPLED

    def worker(self) -> WorkerSettings:
        if self.model is not None:
            num_batches = 4  # the images of one are decoded while another is computed
            return WorkerSettings(
                batch_size=num_batches * self.batch,
                timeout_s=num_batches * self.timeout_s * (self.threads or os.cpu_count() or 1),
                wall_timeout_s=5 * num_batches * self.timeout_s,
                start_timeout_s=3600,
                min_ram=self.min_ram,
                accelerator=self.accelerator,
                processes=self.processes,
            )
        at_once, processes = self._in_flight()
        return WorkerSettings(
            batch_size=at_once * self.batch,
            timeout_s=10 * (self.give_up_s + self.timeout_s),  # it ends by itself before
            wall_timeout_s=10 * (self.give_up_s + self.timeout_s),
            processes=processes,
        )

    def _in_flight(self) -> tuple[int, int]:
        """Requests at a time of one process, which has the samples of one unit, and the number of processes."""
        wanted = self.in_flight * len(self.endpoint)
        at_once = max(1, min(wanted, UNIT_SAMPLES // self.batch))
        return at_once, -(-wanted // at_once)

    def load(self) -> None:
        judge = self._judge()
        (found,) = judge.ask([[self._probe()]])
        if isinstance(found[0], Fault):
            raise FilterUnavailable(f"the model {self.model or self.endpoint[0]} cannot judge: {found[0].message}")

    def _judge(self) -> Judge:
        settings = (self.model, self.device, self.dtype, self.quantize, self.threads, self.processes)
        assert self.pinned_as is not None, "a run pins its filters"
        digest = self.pinned_as["digest"]
        return self._endpoints(digest) if self.model is None else local_judge(*settings, digest)

    def _endpoints(self, digest: str) -> Endpoints:
        key = next(iter(read_secrets(self.api_key, KEY_VARIABLE)), None)
        at_once, _ = self._in_flight()
        return endpoints(self.endpoint, digest, key, self.timeout_s, self.give_up_s, at_once)

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        questions = [questions_about(sample, self._axes, self.max_chars) for sample in samples]
        answered = answers(samples, questions, self._axes, self._judge(), batch=self.batch, max_chars=self.max_chars)
        found = [self._scores(asked, given) for asked, given in zip(questions, answered, strict=True)]
        if not self._tree:
            return found
        labels = label(samples, self._tree, self._judge(), self.batch)
        return [_with_label(scores, of_sample) for scores, of_sample in zip(found, labels, strict=True)]

    def _scores(self, questions: Sequence[Question], answers: Sequence[Answers | Fault]) -> Scores:
        values: dict[str, float | None] = dict.fromkeys(self.score_names)
        faults = [answer.code for answer in answers if isinstance(answer, Fault)]
        if faults:
            return Scores(values=values, fault=faults[0])
        if questions:
            values |= scores_of(questions, [answer for answer in answers if not isinstance(answer, Fault)])
        return Scores(values=values)

    def rejects(self, scores: Scores) -> str | None:
        for name, bound in self._bounds.items():
            found = scores.values.get(name)
            if found is not None and found < bound:
                return name
        return None

    def costs(self, sample_s: float, num_samples: int) -> list[str]:
        if self.model is None:
            return []
        from filters.deepseek_vl import local_model

        num_chars = sum(axis.chars(self.max_chars) for axis in self._axes.values())
        flop = local_model.flop_per_sample(self.model, num_chars)
        return lines(flop, round(num_samples * self.sample), self.prices)


def _with_label(scores: Scores, found: Label | None) -> Scores:
    if found is None or scores.fault is not None:
        return scores
    if found.fault is not None:
        return Scores(values=dict.fromkeys(scores.values), fault=found.fault)
    values = {**scores.values, USE_CASE: round(found.confidence, 4)}
    return Scores(values=values, use_case=found.use_case)
