"""The training itself: steps, what is learned in each, and how an interrupted training continues."""

import hashlib
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.utils.checkpoint import checkpoint as recompute

from deepseek_vl import checkpoint as formats
from deepseek_vl.compilation import compile_blocks
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.train import parts
from deepseek_vl.train.checkpoints import Saver, latest, read_progress, restore
from deepseek_vl.train.features import FeatureStore
from deepseek_vl.train.flops import StepCost, peak_flops
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from deepseek_vl.train.initial import widen
from deepseek_vl.train.loader import StepData
from deepseek_vl.train.lora import add_lora, merge_lora, save_lora
from deepseek_vl.train.mixture import Mixture
from deepseek_vl.train.predictions import HeldOut, draw, held_out, predict
from deepseek_vl.train.processes import Processes, copy_full, full, shard
from deepseek_vl.train.settings import TrainSettings, to_json
from deepseek_vl.train.watch import Watch

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
NORM_MEMORY = 0.98  # weight of the past in the running mean of gradient norms
# Settings that may change when a training continues, because they change nothing of what is learned.
FREE = {"output", "log_every", "compute", "saving", "predictions"}
log = logging.getLogger(__name__)


class TrainingError(RuntimeError):
    """A training that cannot go on. The message says why, and what to do."""


class Trainer:
    """A training run in one of several processes.

    Raises:
        ValueError: the model, tokenizer or data cannot be used, or do not fit the checkpoint to continue from.
    """

    def __init__(self, settings: TrainSettings, processes: Processes):
        self.settings, self.processes = settings, processes
        self.folder = Path(settings.output)
        self.mixture = Mixture(settings.data, settings.seed)
        self.processor, model = load_model(settings, processes.device)
        self.config = model.config
        if settings.data.tokens > self.config.language.max_positions:
            most = self.config.language.max_positions
            raise ValueError(
                f"data.tokens ({settings.data.tokens}) must be at most {most}, which {settings.model} reads"
            )
        self.names = prepare_model(model, settings)
        self.cost = StepCost(model)
        self._frozen = _frozen_digest(model)
        world_size, dtype, features = processes.world_size, DTYPES[settings.compute.dtype], settings.compute.features
        store = None if features is None else FeatureStore(features, model, dtype, world_size)
        is_mixed = settings.data.text_share is None and world_size > 1
        self.model = TrainingModel(model, always_encode=is_mixed, store=store, most=processes.most)
        _adapt_blocks(model, settings)
        shard(self.model, model, processes, dtype)
        self.optimizer = make_optimizer(model, settings)
        self.loader = self.mixture.loader(self.processor, settings.optimization, processes.rank, world_size, store)
        self.saver = Saver(self.folder / "checkpoints", settings.saving.keep, processes)
        self.step = 0
        self._skipped_in_a_row = self.num_skipped_steps = 0
        self._mean_norm = 0.0
        self._undecodable = 0
        self._state: Sequence[Mapping[str, Any]] = ()

    def run(self) -> None:
        """Train to the last step, from the latest checkpoint if there is one, and write the model.

        Raises:
            TrainingError: too many steps in a row gave no finite loss, or the last checkpoint could not be written.
        """
        self._continue()
        watch = Watch(self.folder, self.settings.optimization.steps, self.step) if self.processes.is_first else None
        figures, predictions = Figures(self), self.settings.predictions
        examples = held_out(self.settings.data, self.processor, predictions.count) if predictions.every_steps else []
        self.loader.start(self.step, self._state, self._undecodable)
        try:
            while self.step < self.settings.optimization.steps:
                data = self.loader.next()
                self.train_step(data, figures)
                self.step += 1
                self._state_of(data)
                self.saver.poll()
                if watch is not None:
                    watch.tick(self.step)
                if self._is_due(self.settings.log_every):
                    summary = figures.summary()
                    if watch is not None:
                        watch.note(self.step, summary)
                if examples and self._is_due(predictions.every_steps):
                    since = time.perf_counter()
                    self._predict(examples, watch)
                    figures.leave_out(time.perf_counter() - since)
                if self._is_due(self.settings.saving.every_steps):
                    self._save()
            if not self.saver.finish():
                raise TrainingError("the last checkpoint could not be written; make room and start again to write it")
        finally:
            self.loader.close()
            if watch is not None:
                watch.close()
        self._export()

    def _is_due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.settings.optimization.steps

    def train_step(self, data: StepData, figures: "Figures") -> None:
        """Learn from the data of one step, unless its loss or gradient is not usable."""
        settings, processes = self.settings.optimization, self.processes
        factor = settings.schedule.factor(self.step, settings.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        num_targets = processes.sum(torch.tensor(float(data.num_targets), device=processes.device))
        self.optimizer.zero_grad(set_to_none=True)
        sums = torch.zeros(2, len(self.mixture.datasets), device=processes.device)
        for batch in data.batches:
            on_device = DeviceBatch.of(batch, processes.device)
            losses_S = self.model(on_device)
            # Gradients are averaged over the processes; the loss is the mean over the targets of all of them.
            (losses_S.sum() * (processes.world_size / num_targets.clamp(min=1))).backward()
            values = torch.stack([losses_S.detach(), torch.ones_like(losses_S)])
            sums.index_add_(1, on_device.datasets_S, values)
        norms = self._clip()
        sums = processes.sum(sums)
        if self._is_usable(norms[""], sums):
            self.optimizer.step()
        figures.add(data, sums, norms, factor)

    def _clip(self) -> dict[str, float]:
        """Clip the gradients; return their norms before that: of each part, and of all under an empty name."""
        gradients: dict[str, list[Tensor]] = {part: [] for part in self.settings.train}
        for name, parameter in self.model.model.named_parameters():
            if parameter.grad is not None:
                gradients[parts.part_of(name)].append(parameter.grad)
        norms = torch.stack([full(get_total_norm(some)).to(self.processes.device) for some in gradients.values()])
        *of_parts, norm = torch.cat([norms, torch.linalg.vector_norm(norms)[None]]).tolist()
        clip = self.settings.optimization.clip
        if clip and norm > clip:
            for some in filter(None, gradients.values()):
                torch._foreach_mul_(some, clip / (norm + 1e-6))
        return {**dict(zip(gradients, of_parts, strict=True)), "": norm}

    def _predict(self, examples: Sequence[HeldOut], watch: Watch | None) -> None:
        """Show the model's answers; one process generates them, and the others wait at their next exchange."""
        whole = self.whole_model(self.processes.device, DTYPES[self.settings.compute.dtype])
        if whole is not None and watch is not None:
            if self.settings.lora is not None:
                merge_lora(whole)
            answers = predict(examples, whole, self.processor, self.settings.predictions.max_tokens)
            watch.picture(self.step, draw(answers))

    def _is_usable(self, norm: float, sums: Tensor) -> bool:
        """Decide if a step's gradient is applied; it is the same decision in every process.

        Raises:
            TrainingError: too many steps in a row were skipped.
        """
        settings = self.settings.optimization
        is_finite = math.isfinite(norm) and bool(torch.isfinite(sums).all())
        is_spike = bool(settings.spike and self._mean_norm and norm > settings.spike * self._mean_norm)
        if is_finite and not is_spike and float(sums[1].sum()) > 0:
            self._skipped_in_a_row = 0
            self._mean_norm = NORM_MEMORY * self._mean_norm + (1 - NORM_MEMORY) * norm if self._mean_norm else norm
            return True
        self._skipped_in_a_row += 1
        self.num_skipped_steps += 1
        if self.processes.is_first:
            loss = float(sums[0].sum() / sums[1].sum().clamp(min=1))
            log.warning("step %d is skipped: loss %.4g, gradient norm %.4g", self.step + 1, loss, norm)
        if self._skipped_in_a_row >= settings.max_skipped:
            what = "a gradient that is far above the mean" if is_finite else "no finite loss or gradient"
            raise TrainingError(
                f"{self._skipped_in_a_row} steps in a row up to step {self.step + 1} had {what}; lower the learning"
                " rates, use float32, or look at the samples of these steps"
            )
        return False

    def _state_of(self, data: StepData) -> None:
        self._state = [data.state]
        self._undecodable = data.skipped.get("undecodable_image", 0)

    def _save(self) -> None:
        states = self.processes.gather(self._state[0])
        undecodable = sum(self.processes.gather(self._undecodable))
        progress = {
            "settings": to_json(self.settings),
            "datasets": self.mixture.digests(),
            "frozen": self._frozen,
            "state": {name: place for state in states for name, place in state.items()},
            "undecodable": undecodable,
            "skipped_steps": self.num_skipped_steps,
            "skipped_in_a_row": self._skipped_in_a_row,
            "mean_norm": self._mean_norm,
        }
        self.saver.save(self.step, self.model, self.optimizer, progress)

    def _continue(self) -> None:
        """Continue from the latest checkpoint. Raises ValueError if it belongs to another training."""
        found = latest(self.folder / "checkpoints")
        if self.processes.is_first:
            self.folder.mkdir(parents=True, exist_ok=True)
        if found is None:
            return
        progress = read_progress(found)
        _check_same(self.settings, progress, self.mixture.digests(), self._frozen, found)
        restore(found, self.model, self.optimizer)
        self.step = progress["step"]
        self._state = [progress["state"]]
        self._undecodable = progress["undecodable"] if self.processes.is_first else 0
        self.num_skipped_steps = progress["skipped_steps"]
        self._skipped_in_a_row = progress["skipped_in_a_row"]
        self._mean_norm = progress["mean_norm"]

    def whole_model(self, device: torch.device, dtype: torch.dtype) -> DeepseekVL | None:
        """Return a copy of the model that is not divided, in the first process; all processes must ask for it."""
        if not self.processes.is_first:
            copy_full(self.model.model, None)
            return None
        with torch.device("meta"):
            model = DeepseekVL(self.config)
            if self.settings.lora is not None:
                add_lora(model, self.settings.lora)
        model = model.to(dtype).to_empty(device=device).eval()
        copy_full(self.model.model, model)
        return model

    def _export(self) -> None:
        layout = self.settings.saving.export
        if layout is None:
            return
        model = self.whole_model(torch.device("cpu"), torch.float32)
        if model is not None:
            if self.settings.lora is not None:
                save_lora(model, self.settings.lora, self.folder / "lora")
                merge_lora(model)
            source = formats.find(self.settings.tokenizer or self.settings.model)
            formats.save(model, self.folder / "model", layout=layout, tokenizer_from=source)
        self.processes.wait()


class Figures:
    """Sums up what is reported between two lines of the log."""

    def __init__(self, trainer: Trainer):
        self._trainer = trainer
        self._names = [source.path.rstrip("/").rpartition("/")[2] for source in trainer.settings.data.sources]
        self._groups = [source.group for source in trainer.settings.data.sources]
        self._peak = peak_flops(trainer.processes.device)
        self._clear()

    def _clear(self) -> None:
        self._since, self._waited = time.perf_counter(), self._trainer.loader.waited_s
        self._sums: Tensor | None = None
        self._norms: list[Mapping[str, float]] = []
        self._tokens = self._slots = 0
        self._flops = self._factor = 0.0
        self._skipped: Mapping[str, int] = {}

    def leave_out(self, seconds: float) -> None:
        """Do not count seconds in which nothing was trained."""
        self._since += seconds

    def add(self, data: StepData, sums: Tensor, norms: Mapping[str, float], factor: float) -> None:
        """Add a step, with the norms of its gradient by part and of all under an empty name."""
        self._sums = sums if self._sums is None else self._sums + sums
        self._norms.append(norms)
        self._factor, self._skipped = factor, data.skipped
        self._slots += data.num_slots
        for batch in data.batches:
            self._tokens += batch.num_tokens
            attended = sum(length**2 for length in batch.lengths)
            self._flops += self._trainer.cost.flops(
                batch.num_tokens, len(batch.targets_S), batch.num_images, attended, num_known=batch.num_known
            )

    def summary(self) -> dict[str, float]:
        """Return the figures since the last summary; all processes must ask for it."""
        trainer, processes = self._trainer, self._trainer.processes
        seconds = time.perf_counter() - self._since
        waited = trainer.loader.waited_s - self._waited
        own = [self._tokens, self._slots, self._flops, waited]
        totals = processes.sum(torch.tensor(own, dtype=torch.float64, device=processes.device)).tolist()
        assert self._sums is not None
        losses, counts = self._sums.cpu().double()
        figures: dict[str, float] = {
            "loss": float(losses.sum() / counts.sum().clamp(min=1)),
            "gradient_norm": _mean_of_finite([norms[""] for norms in self._norms]),
            "tokens_per_s": totals[0] / seconds,
            "padding": 1 - totals[0] / max(1, totals[1]),
            "data_wait": totals[3] / seconds / processes.world_size,
            "steps_skipped": float(trainer.num_skipped_steps),
        }
        for index, name in enumerate(self._names):
            if counts[index]:
                key = f"loss/{name}" if self._names.count(name) == 1 else f"loss/{index}_{name}"
                figures[key] = float(losses[index] / counts[index])
        for group in sorted(set(self._groups)):
            chosen = torch.tensor([each == group for each in self._groups])
            if counts[chosen].sum():
                figures[f"loss_by_group/{group}"] = float(losses[chosen].sum() / counts[chosen].sum())
        for part, rate in trainer.settings.train.items():
            figures[f"learning_rate/{part}"] = rate * self._factor
            figures[f"gradient_norm/{part}"] = _mean_of_finite([norms[part] for norms in self._norms])
        for reason, count in self._skipped.items():
            figures[f"skipped/{reason}"] = float(count)
        if self._peak is not None:
            figures["mfu"] = totals[2] / seconds / (self._peak * processes.world_size)
        self._clear()
        return figures


def _mean_of_finite(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / max(1, len(finite))


def load_model(settings: TrainSettings, device: torch.device) -> tuple[Processor, DeepseekVL]:
    """Return the processor and the model to start from, with float32 weights.

    Raises:
        ValueError: the checkpoint or the tokenizer cannot be used.
    """
    if settings.model not in PRESETS:
        folder = formats.find(settings.model)
        processor = Processor.load(folder)
        return processor, formats.load(folder, device=device, dtype=torch.float32).train()
    if settings.tokenizer is None:
        raise ValueError(f"tokenizer: the preset {settings.model} needs the folder of a tokenizer.json")
    config = preset(settings.model)
    processor = Processor.from_file(formats.find(settings.tokenizer) / "tokenizer.json", config)
    model = DeepseekVL.random(config, settings.seed, device=device, dtype=torch.float32)
    widen(model)
    return processor, model.train()


def prepare_model(model: DeepseekVL, settings: TrainSettings) -> list[str]:
    """Freeze what is not trained, and add LoRA; return the names of the adapted layers.

    Raises:
        ValueError: a part or layer does not exist.
    """
    if settings.lora is None:
        parts.freeze(model, settings.train)
        return []
    names = add_lora(model, settings.lora, settings.seed)
    adapted = {parts.part_of(name) for name in names}
    without_rate = sorted(adapted - settings.train.keys())
    if without_rate:
        raise ValueError(f"train: lora adapts layers of {without_rate[0]}, which has no learning rate")
    for name, parameter in model.named_parameters():
        part = parts.part_of(name)
        is_lora = name.rpartition(".")[2] in ("down", "up") and name.rpartition(".")[0] in names
        parameter.requires_grad_(is_lora if part in adapted else part in settings.train)
    return names


def make_optimizer(model: DeepseekVL, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return AdamW over the trained parameters, one group per part."""
    optimization = settings.optimization
    groups = []
    for part, rate in settings.train.items():
        parameters = [p for name, p in model.named_parameters() if p.requires_grad and parts.part_of(name) == part]
        if parameters:
            groups.append({"params": parameters, "lr": rate, "base_lr": rate})
    return torch.optim.AdamW(
        groups,
        betas=optimization.betas,
        eps=optimization.epsilon,
        weight_decay=optimization.weight_decay,
        fused=True,
    )


def _adapt_blocks(model: DeepseekVL, settings: TrainSettings) -> None:
    """Make the blocks compute activations again or be compiled, as the settings say."""
    if settings.compute.compile:
        compile_blocks(model)
    for _, block in parts.blocks(model):
        if settings.compute.checkpoint_activations and any(p.requires_grad for p in block.parameters()):
            block.forward = partial(recompute, block.forward, use_reentrant=False)


def _frozen_digest(model: DeepseekVL) -> str:
    """Return a digest of a few values of every frozen parameter: enough to notice another model."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            digest.update(f"{name}{tuple(parameter.shape)}".encode())
            digest.update(parameter.detach().flatten()[:16].float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _check_same(
    settings: TrainSettings, progress: Mapping[str, Any], datasets: Sequence[str], frozen: str, folder: Path
) -> None:
    # Through JSON, which turns tuples into lists.
    now, then = json.loads(json.dumps(to_json(settings))), progress["settings"]
    for key in sorted(now.keys() | then.keys()):
        if key not in FREE and now.get(key) != then.get(key):
            difference = _first_difference(then.get(key), now.get(key), key)
            raise ValueError(f"{folder} was made with other settings: {difference}; use another output folder")
    for source, before, after in zip(settings.data.sources, progress["datasets"], datasets, strict=True):
        if before != after:
            raise ValueError(f"{source.path} has other shards than when {folder} was made; use another output folder")
    if frozen != progress["frozen"]:
        raise ValueError(f"the frozen parts of {settings.model} differ from when {folder} was made")


def _first_difference(then: Any, now: Any, key: str) -> str:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            if then.get(name) != now.get(name):
                return _first_difference(then.get(name), now.get(name), f"{key}.{name}")
    return f"{key} was {json.dumps(then)} and is {json.dumps(now)}"
