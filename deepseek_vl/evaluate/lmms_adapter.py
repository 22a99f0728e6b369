"""The model in lmms-eval (the extra `lmms-eval`): its own tasks, prompts and metrics, with our generation.

    python -m lmms_eval --model vellum --model_args pretrained=runs/stage3-pico/model --tasks mme

lmms-eval finds the adapter by the entry point `lmms_eval.models` of the installed project.
"""

import io
from collections.abc import Sequence
from typing import Any

import torch
from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms
from lmms_eval.models.registry_v2 import ModelManifest
from PIL import Image

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import find, load
from deepseek_vl.conversation import IMAGE_MARK, SYSTEM, marked_parts
from deepseek_vl.engine import Engine
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.train.batches import collate, prepare
from deepseek_vl.train.examples import ExampleEncoder

MAX_TOKENS = 128  # of an answer, if the task does not say
SETTINGS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}


def manifest() -> ModelManifest:
    """Return what lmms-eval registers."""
    return ModelManifest(model_id="vellum", simple_class_path=f"{__name__}.VellumModel")


class VellumModel(lmms):
    """A checkpoint in either public layout.

    Args:
        pretrained: folder or hub id.
        batch_size: answers that are generated at once.
        system: system prompt; empty for none.
        device: `cuda`, `mps` or `cpu`; None for the best one, also where lmms-eval names one that is not there.
    """

    is_simple = True

    def __init__(
        self,
        pretrained: str,
        batch_size: int | str = 8,
        system: str = SYSTEM,
        device: str | None = None,
        dtype: str | None = None,
        max_batch_size: int | None = None,  # lmms-eval gives it to every model
    ):
        super().__init__()
        self._rows, self._system = int(batch_size), system
        if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
            device = None
        chosen = devices.pick(device)
        folder = find(pretrained)
        self.model = load(folder, device=chosen, dtype=devices.pick_dtype(dtype, chosen))
        self.processor = Processor.load(folder)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Return the answers to questions, in their order."""
        answers: list[str] = []
        for first in range(0, len(requests), self._rows):
            some = [request.args for request in requests[first : first + self._rows]]
            prompts = [self._prompt(context, self._images(*rest)) for context, _, *rest in some]
            settings = [_sampling(arguments) for _, arguments, *_ in some]
            answers += self._generate(prompts, settings)
        return answers

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        """Return for each continuation the log probability of its tokens, and if it is the greedy answer."""
        return [self._likelihood(*request.args) for request in requests]

    def generate_until_multi_round(self, requests: list[Instance]) -> list[str]:
        """Tasks of several rounds are not supported."""
        raise NotImplementedError("this adapter answers single questions; choose tasks without several rounds")

    def _images(self, doc_to_visual: Any, doc_id: int, task: str, split: str) -> list[bytes]:
        if doc_to_visual is None:
            return []
        visuals = doc_to_visual(self.task_dict[task][split][doc_id]) or []
        return [_encoded(visual) for visual in visuals]

    def _prompt(self, context: str, images: Sequence[bytes]) -> Prompt:
        parts = [{"type": "image"}] * len(images)
        if images and context.count(IMAGE_MARK) == len(images):  # the task says where the images are
            parts = marked_parts(context)
        else:
            parts.append({"type": "text", "text": context})
        return self.processor.prompt([{"role": "user", "content": parts}], images, system=self._system)

    def _generate(self, prompts: Sequence[Prompt], settings: Sequence[SamplingSettings]) -> list[str]:
        slots = max(len(prompt) + each.max_tokens for prompt, each in zip(prompts, settings, strict=True))
        slots = min(slots, self.model.config.language.max_positions)
        engine = Engine(self.model, self.processor, rows=len(prompts), slots=slots)
        streams = [engine.add(prompt, each) for prompt, each in zip(prompts, settings, strict=True)]
        while engine.busy:
            engine.step()
        texts = [self.processor.decode(stream.tokens) for stream in streams]
        return [_until(text, each.stop).strip() for text, each in zip(texts, settings, strict=True)]

    @torch.inference_mode()
    def _likelihood(self, context: str, target: Any, *rest: Any) -> tuple[float, bool]:
        doc_to_visual, doc_id, task, split = rest
        continuation = target if isinstance(target, str) else target(self.task_dict[task][split][doc_id])
        images = self._images(doc_to_visual, doc_id, task, split)
        marked = context if images and context.count(IMAGE_MARK) == len(images) else IMAGE_MARK * len(images) + context
        row = {
            "images": [{"bytes": image} for image in images],
            "messages": [{"role": "user", "content": marked}, {"role": "assistant", "content": continuation}],
        }
        model, config = self.model, self.model.config
        limit = config.language.max_positions
        encoder = ExampleEncoder(
            self.processor, max_tokens=limit, max_images=limit, too_long="refuse", system=self._system
        )
        prepared = prepare(encoder.encode(row)[0], config)
        if prepared is None:
            raise ValueError(f"{task}, {doc_id}: an image cannot be decoded")
        batch = collate([[prepared]], config)
        tokens_1T, places = (torch.from_numpy(x).to(model.device) for x in (batch.tokens_T[None], batch.image_places))
        canvases = batch.canvases_M3YX
        visual = None if canvases is None else model.encode(torch.from_numpy(canvases).to(model.device))
        positions_1T = torch.arange(tokens_1T.shape[1], device=model.device)[None]
        hidden_1TD = model.language(model.embed(tokens_1T, places, visual), positions_1T)
        predicted, targets_S = batch.target_places[:-1], torch.from_numpy(batch.targets_S[:-1]).to(model.device)
        logits_SV = model.language.head(hidden_1TD[0, predicted]).float()  # without the end, as lmms-eval counts
        likelihood = logits_SV.log_softmax(-1).gather(1, targets_S[:, None]).sum()
        return float(likelihood), bool((logits_SV.argmax(-1) == targets_S).all())


def _sampling(arguments: dict[str, Any]) -> SamplingSettings:
    """Return our settings for a task's; greedy unless it asks for sampling."""
    chosen = {ours: arguments[theirs] for theirs, ours in SETTINGS.items() if arguments.get(theirs) is not None}
    if not arguments.get("do_sample", bool(chosen.get("temperature"))):
        chosen = {}
    until = arguments.get("until") or ()
    stop = (until,) if isinstance(until, str) else tuple(until)
    return SamplingSettings(max_tokens=int(arguments.get("max_new_tokens") or MAX_TOKENS), stop=stop, **chosen)


def _until(text: str, stop: Sequence[str]) -> str:
    places = [place for each in stop if each and (place := text.find(each)) >= 0]
    return text[: min(places)] if places else text


def _encoded(visual: Any) -> bytes:
    """Return an image of lmms-eval as PNG, without loss."""
    if not isinstance(visual, Image.Image):
        raise ValueError(
            f"this adapter reads images, got {type(visual).__name__}; choose tasks without video and sound"
        )
    buffer = io.BytesIO()
    visual.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
