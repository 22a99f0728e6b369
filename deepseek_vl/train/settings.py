"""Settings of a training run: YAML files and `--set` options, checked whole before anything is loaded."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deepseek_vl.train.features import FeatureSettings
from deepseek_vl.train.lora import LoraSettings
from deepseek_vl.train.parts import PARTS
from deepseek_vl.train.schedule import LearningRateSchedule, TextShare

SHIPPED = Path(__file__).with_name("configs")


class SettingsError(ValueError):
    """A mistake in the settings. The message names the file, the key, and what was expected."""


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data set of the mixture.

    Args:
        path: an output of the pipeline: a folder, or a `gs://` or `s3://` address.
        weight: its part of the tokens of its group, relative to the others.
        where: condition on columns and scores, e.g. `ocr_agreement >= 0.9`.
        split: `train`, `validation`, or null for all samples.
        group: `text` or `multimodal`. With `data.text_share`, each step reads one group only.
    """

    path: str
    weight: float = 1.0
    where: str | None = None
    split: str | None = "train"
    group: str = "multimodal"

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path must not be empty")
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"weight must be positive, got {self.weight}")
        if self.group not in ("text", "multimodal"):
            raise ValueError(f"group must be text or multimodal, got {self.group!r}")


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The data that is read, and how it becomes sequences.

    Args:
        sources: the mixture.
        tokens: tokens of a sequence, visual tokens included.
        max_images: images of a sequence.
        packed: put several samples into a sequence, without attention between them.
        too_long: `refuse` ends the training at a sample longer than a sequence, `skip` leaves it out and counts it,
            `split` cuts pre-training samples into several and skips conversations.
        text_share: the share of steps that read text alone (modality grouping with modality warm-up); null mixes the
            groups within each step.
        lanes: independent streams that the data is divided into. Processes share them evenly, so their number must be
            a multiple of the number of processes, and divide `optimization.sequences`.
        rows_per_block: samples that are shuffled together.
        workers: threads per process that decode images.
        ahead: steps prepared before they are needed.
    """

    sources: tuple[DataSource, ...]
    tokens: int = 4096
    max_images: int = 16
    packed: bool = True
    too_long: str = "skip"
    text_share: TextShare | None = None
    lanes: int = 8
    rows_per_block: int = 256
    workers: int = 4
    ahead: int = 2

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("sources must name at least one data set")
        for name in ("tokens", "lanes", "rows_per_block", "workers", "ahead"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.max_images < 0:
            raise ValueError(f"max_images must not be negative, got {self.max_images}")
        if self.too_long not in ("refuse", "skip", "split"):
            raise ValueError(f"too_long must be refuse, skip or split, got {self.too_long!r}")
        groups = {source.group for source in self.sources}
        if self.text_share is not None:
            wanted = set()
            if max(self.text_share.start if self.text_share.steps else 0, self.text_share.end) > 0:
                wanted.add("text")
            if min(self.text_share.start if self.text_share.steps else 1, self.text_share.end) < 1:
                wanted.add("multimodal")
            if wanted - groups:
                raise ValueError(f"text_share needs a source of group {min(wanted - groups)}; there is none")


@dataclass(frozen=True, kw_only=True)
class OptimizationSettings:
    """How weights are updated: AdamW.

    Args:
        steps: optimizer steps of the whole training.
        sequences: sequences of a step, over all processes and accumulated batches.
        sequences_per_batch: sequences that a process reads in one pass.
        schedule: curve of the learning rates.
        clip: largest norm of the gradients; 0 for no limit.
        spike: a step is skipped if its gradient norm is above this many times the running mean; 0 for never. Steps
            with a loss or gradient that is not finite are always skipped.
        max_skipped: skipped steps in a row after which the training ends.
    """

    steps: int
    sequences: int
    sequences_per_batch: int = 1
    schedule: LearningRateSchedule = field(default_factory=LearningRateSchedule)
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0
    spike: float = 0.0
    max_skipped: int = 20

    def __post_init__(self) -> None:
        for name in ("steps", "sequences", "sequences_per_batch", "max_skipped"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.clip < 0 or self.weight_decay < 0 or self.spike < 0 or self.epsilon <= 0:
            raise ValueError("clip, weight_decay and spike must not be negative, and epsilon must be positive")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be from 0 to below 1, got {list(self.betas)}")


@dataclass(frozen=True, kw_only=True)
class ComputeSettings:
    """How the device is used.

    Args:
        device: `cuda`, `mps` or `cpu`; null for the best one.
        dtype: type of activations and gradients: `bfloat16` or `float32`. Weights are updated in float32.
        compile: compile the blocks of the transformer.
        checkpoint_activations: compute activations again in the backward pass instead of keeping them.
        features: keep features of frozen towers on disk.
    """

    device: str | None = None
    dtype: str = "bfloat16"
    compile: bool = False
    checkpoint_activations: bool = False
    features: FeatureSettings | None = None

    def __post_init__(self) -> None:
        if self.dtype not in ("bfloat16", "float32"):
            raise ValueError(f"dtype must be bfloat16 or float32, got {self.dtype!r}")


@dataclass(frozen=True, kw_only=True)
class SavingSettings:
    """Which checkpoints are written and kept.

    Args:
        every_steps: steps between checkpoints; the last step always has one.
        keep: number of the latest checkpoints that are kept.
        export: layout of the model that is written at the end: `native`, `authors` or null.
    """

    every_steps: int = 1000
    keep: int = 2
    export: str | None = "native"

    def __post_init__(self) -> None:
        if self.every_steps < 1 or self.keep < 1:
            raise ValueError(f"every_steps and keep must be positive, got {self.every_steps} and {self.keep}")
        if self.export not in ("native", "authors", None):
            raise ValueError(f"export must be native, authors or null, got {self.export!r}")


@dataclass(frozen=True, kw_only=True)
class PredictionSettings:
    """Answers on held-out examples that are shown while the training goes on.

    Args:
        every_steps: steps between them; they are shown after the last step, too. 0 for never.
        count: examples, of all data sets together.
        max_tokens: tokens of an answer.
    """

    every_steps: int = 1000
    count: int = 6
    max_tokens: int = 64

    def __post_init__(self) -> None:
        if self.every_steps < 0 or self.count < 1 or self.max_tokens < 1:
            raise ValueError("every_steps must not be negative, and count and max_tokens must be positive")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """A training run.

    Args:
        model: a checkpoint's folder or hub id to start from, or the name of a preset for random weights.
        tokenizer: folder with a `tokenizer.json`; needed with a preset.
        output: folder of the run: its checkpoints, its log, and the model at the end.
        train: learning rate of each part that is trained; the other parts are frozen.
        lora: train narrow matrices that are added to linear layers of these parts, instead of the layers.
        seed: decides random weights, and the order of the data.
        log_every: steps between lines of the log.
    """

    model: str
    output: str
    train: dict[str, float]
    data: DataSettings
    optimization: OptimizationSettings
    tokenizer: str | None = None
    lora: LoraSettings | None = None
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    saving: SavingSettings = field(default_factory=SavingSettings)
    predictions: PredictionSettings = field(default_factory=PredictionSettings)
    seed: int = 0
    log_every: int = 10

    def __post_init__(self) -> None:
        if not self.train:
            raise ValueError(f"train must give the learning rate of at least one part: {', '.join(PARTS)}")
        for part, rate in self.train.items():
            if part not in PARTS:
                raise ValueError(f"train: there is no part {part!r}{_nearest(part, PARTS)}")
            if not 0 < rate < 1:
                raise ValueError(f"train: the learning rate of {part} must be between 0 and 1, got {rate}")
        if self.log_every < 1:
            raise ValueError(f"log_every must be positive, got {self.log_every}")
        if self.optimization.sequences % self.data.lanes:
            raise ValueError(
                f"optimization.sequences ({self.optimization.sequences}) must be a multiple of data.lanes"
                f" ({self.data.lanes})"
            )
        learns_text = set(self.train) & {"language"} or self.lora is not None
        if not learns_text and any(source.group == "text" for source in self.data.sources):
            raise ValueError(
                "train: text cannot be learned while the language model is frozen; remove the text sources"
            )


def load_settings(path: str | Path, overrides: Sequence[str] = ()) -> TrainSettings:
    """Read a YAML file and apply `key=value` overrides, whose keys are paths such as `data.tokens`.

    A name that is no file may be a shipped one, e.g. `stage1-1.3b`.

    Raises:
        SettingsError: the file cannot be read, or a key or value is wrong.
    """
    file = _find(Path(path))
    try:
        content = yaml.load(file.read_text("utf-8"), _UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{file}: expected a mapping of settings, got {type(content).__name__}")
    for override in overrides:
        _apply(content, override)
    try:
        settings = _build(TrainSettings, content, "")
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from error
    assert isinstance(settings, TrainSettings)
    return settings


def shipped_names() -> list[str]:
    """Return the names of the shipped settings."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def to_json(settings: Any) -> dict[str, Any]:
    """Return settings as JSON values, from which the same settings can be built."""
    content: dict[str, Any] = dataclasses.asdict(settings)
    return content


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
    if shipped.is_file() and str(path.parent) in (".", "configs"):
        return shipped
    names = shipped_names()
    near = _nearest(path.name.removesuffix(".yaml"), names) or f"; shipped are {', '.join(names)}"
    raise SettingsError(f"{path} is neither a file nor the name of shipped settings{near}")


class _UniqueKeys(yaml.SafeLoader):
    """A safe loader that refuses a key that is given twice, and reads 1e-3 as a number."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in keys:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        keys.add(key)
    loader.flatten_mapping(node)
    found: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return found


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _apply(content: dict[str, Any], override: str) -> None:
    key, sign, text = override.partition("=")
    if not sign or not key:
        raise SettingsError(f"--set {override}: expected key=value, e.g. data.tokens=1024")
    try:
        value = yaml.load(text, _UniqueKeys)
    except yaml.YAMLError as error:
        raise SettingsError(f"--set {override}: the value is not valid YAML") from error
    *parents, last = key.split(".")
    place: Any = content
    for name in parents:
        place = _child(place, name, override)
    if isinstance(place, list):
        place[_index(place, last, override)] = value
    else:
        place[last] = value


def _child(place: Any, name: str, override: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, name, override)]
    if place.get(name) is None:
        place[name] = {}
    if not isinstance(place[name], dict | list):
        raise SettingsError(f"--set {override}: {name} is a value, not a group of settings")
    return place[name]


def _index(place: Sequence[Any], name: str, override: str) -> int:
    if not name.isdecimal() or int(name) >= len(place):
        raise SettingsError(f"--set {override}: expected a number below {len(place)}, got {name!r}")
    return int(name)


def _build(kind: Any, value: Any, key: str) -> Any:
    """Return `value` as an instance of `kind`; `key` is its path, for messages."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value, key)
    if dataclasses.is_dataclass(kind):
        return _build_group(kind, value, key)
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{key} must be a list, got {value!r:.60}")
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(value):
            raise SettingsError(f"{key} must be a list of {len(kinds)} values, got {len(value)}")
        return tuple(_build(k, v, f"{key}.{n}") for n, (k, v) in enumerate(zip(kinds, value, strict=True)))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{key} must be a mapping, got {value!r:.60}")
        return {str(name): _build(arguments[1], v, f"{key}.{name}") for name, v in value.items()}
    return _scalar(kind, value, key)


def _build_group(kind: Any, value: Any, key: str) -> Any:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{key or 'the file'} must be a mapping, got {value!r:.60}")
    hints = typing.get_type_hints(kind)
    for name in value:
        if name not in hints:
            place = f"{key}.{name}" if key else str(name)
            raise SettingsError(f"there is no setting {place}{_nearest(str(name), list(hints))}")
    fields = dataclasses.fields(kind)
    for each in fields:
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if required and each.name not in value:
            raise SettingsError(f"the setting {f'{key}.' if key else ''}{each.name} is missing")
    built = {name: _build(hints[name], v, f"{key}.{name}" if key else name) for name, v in value.items()}
    try:
        return kind(**built)
    except ValueError as error:
        raise SettingsError(f"{key}: {error}" if key else str(error)) from error


def _scalar(kind: type, value: Any, key: str) -> Any:
    if kind is float and isinstance(value, str):  # YAML 1.1 reads 1e-3, without a point, as text
        try:
            return float(value)
        except ValueError:
            pass
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise SettingsError(f"{key} must be {_NAMES[kind]}, got {value!r:.60}")
    return value


_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""
