"""The training itself: steps, what is learned in each, and how an interrupted training continues."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from deepseek_vl import checkpoint as formats
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train import parts
from deepseek_vl.train.assembly import adapt_blocks, load_model, make_optimizer, prepare_model
from deepseek_vl.train.checkpoints import Saver, latest, read_progress, restore
from deepseek_vl.train.continuation import check_same, frozen_digest
from deepseek_vl.train.features import FeatureStore
from deepseek_vl.train.figures import Figures
from deepseek_vl.train.flops import StepCost
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from deepseek_vl.train.loader import StepData
from deepseek_vl.train.lora import add_lora, merge_lora, save_lora
from deepseek_vl.train.mixture import Mixture
from deepseek_vl.train.predictions import HeldOut, draw, held_out, predict
from deepseek_vl.train.processes import Processes, copy_full, full, shard
from deepseek_vl.train.settings import TrainSettings, to_json
from deepseek_vl.train.watch import Watch

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
NORM_MEMORY = 0.98  # weight of the past in the running mean of gradient norms
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
        self._frozen = frozen_digest(model)
        world_size, dtype, features = processes.world_size, DTYPES[settings.compute.dtype], settings.compute.features
        store = None if features is None else FeatureStore(features, model, dtype, world_size)
        is_mixed = settings.data.text_share is None and world_size > 1
        self.model = TrainingModel(model, always_encode=is_mixed, store=store, most=processes.most)
        adapt_blocks(model, settings)
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

    def train_step(self, data: StepData, figures: Figures) -> None:
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
        check_same(self.settings, progress, self.mixture.digests(), self._frozen, found)
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
