"""Records facts of the reference's classes in `reference.json`: names and shapes of tensors, configurations, logits.

python tests/deepseek_vl/record_reference.py PATH_OF_THE_AUTHORS_CODE

The authors' classes (https://github.com/deepseek-ai/DeepSeek-VL, MIT) need attrdict, einops, timm, torchvision and a
transformers release of their time (4.46 was used); the native layout is read from the same library's newest release by
`tests/deepseek_vl/test_reference.py`. Weights are not recorded: `weight` makes the same ones anywhere.
"""

import json
import re
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

RECORD = Path(__file__).with_name("reference.json")
IMAGE_TOKEN, VISUAL_TOKENS = 2, 576
TOKENS = [0, 10, 11, *[IMAGE_TOKEN] * VISUAL_TOKENS, 12, 13, 14]
CLIP = {"pixel_mean": [0.48145466, 0.4578275, 0.40821073], "pixel_std": [0.26862954, 0.26130258, 0.27577711]}
HALF = {"pixel_mean": [0.5] * 3, "pixel_std": [0.5] * 3}
LOW = {"image_size": 384, "model_name": "siglip_large_patch16_384", "select_feature": "same", "select_layer": -1}
HIGH = {**LOW, "image_size": 1024, "model_name": "sam_b_downsample", "output_dim": 1024, **CLIP}
RELEASED_LANGUAGE = {
    "1.3b": {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 24, "num_attention_heads": 16},
    "7b": {"num_hidden_layers": 30},
}
# The tiny towers replace the towers of the same name. The classes ignore the keys of ours that describe them.
TINY_SIGLIP = {"image_size": 48, "patch_size": 2, "width": 24, "layers": 4, "heads": 2, "mlp_ratio": 2}
TINY_SAM = {"patch_size": 8, "width": 16, "layers": 4, "heads": 2, "window_size": 14, "prompt_embed_dim": 6}
TINY_SAM |= {"global_attn_indexes": [1, 3], "downsample_channels": (12, 24)}
TINY_LOW = {**LOW, "image_size": 48, "select_layer": -2, "patch_px": 2, "width": 24, "layers": 4, "heads": 2}
TINY_LOW["hidden"] = 48
TINY_HIGH = {**HIGH, "image_size": 160, "output_dim": 24, "patch_px": 8, "width": 16, "layers": 4, "heads": 2}
TINY_HIGH |= {"hidden": 64, "global_layers": [1, 3], "neck_width": 6}
TINY_LANGUAGE = {"vocab_size": 512, "hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 3}
TINY_LANGUAGE |= {"num_attention_heads": 4, "max_position_embeddings": 1024}


def weight(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a tensor that depends only on its name; NumPy guarantees this generator's numbers."""
    return torch.from_numpy(np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape) * 0.3).float()


def picture() -> Image.Image:
    """Return the picture whose logits are recorded."""
    return Image.fromarray(np.random.RandomState(7).randint(0, 256, (40, 90, 3)).astype(np.uint8))


def pack(shapes: dict[str, list[int]]) -> dict[str, Any]:
    """Return shapes with one entry for all layers that share a name: `name with * for the number: [layers, shape]`."""
    layered = {name: re.sub(r"(blocks|layers)\.\d+\.(?=.*\.)", r"\1.*.", name) for name in shapes}
    counts = Counter((pattern, tuple(shapes[name])) for name, pattern in layered.items())
    packed: dict[str, Any] = {}
    for name, pattern in layered.items():
        kind = pattern, tuple(shapes[name])
        same = [n for n, p in layered.items() if (p, tuple(shapes[n])) == kind]
        numbers = [int(re.search(r"(?:blocks|layers)\.(\d+)\.", n)[1]) for n in same] if "*" in pattern else []
        if numbers and numbers == list(range(counts[kind])):
            packed[pattern] = [counts[kind], shapes[name]]
        else:
            packed[name] = shapes[name]
    return packed


def unpack(packed: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Undo `pack`."""
    shapes = {}
    for name, value in packed.items():
        if "*" in name:
            shapes |= {name.replace("*", str(n)): tuple(value[1]) for n in range(value[0])}
        else:
            shapes[name] = tuple(value)
    return shapes


def configuration(low: dict[str, Any], high: dict[str, Any] | None, language: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the authors' configuration class."""
    width = language.get("hidden_size", 4096)
    input_width = 1024 if language["vocab_size"] == 102400 else 24
    aligner = {"depth": 2, "input_dim": input_width, "n_embed": width, "projector_type": "mlp_gelu"}
    vision: dict[str, Any] = {"cls": "CLIPVisionTower", "params": low}
    if high is not None:
        aligner["projector_type"] = "low_high_hybrid_split_mlp_gelu"
        low = {**low, **HALF, "output_dim": input_width}
        params = {"concat_type": "tuple", "freeze_high": True, "high_res_cfg": high, "low_res_cfg": low}
        vision = {"cls": "HybridVisionTower", "params": params}
    aligner_config = {"cls": "MlpProjector", "params": aligner}
    return {"vision_config": vision, "aligner_config": aligner_config, "language_config": language}


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from deepseek_vl.models import sam, siglip_vit
    from deepseek_vl.models.image_processing_vlm import VLMImageProcessor
    from deepseek_vl.models.modeling_vlm import MultiModalityCausalLM, MultiModalityConfig

    def saved(thing: Any, name: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            thing.save_pretrained(folder)
            content: dict[str, Any] = json.loads((Path(folder) / name).read_text())
        return {key: value for key, value in content.items() if key != "transformers_version"}

    def processor_of(hybrid: bool, side: int) -> Any:
        if hybrid:
            return VLMImageProcessor(image_size=side, do_normalize=False)
        return VLMImageProcessor(image_size=side, image_mean=[0.5] * 3, image_std=[0.5] * 3)

    linspace = torch.linspace  # the constructor of SigLIP reads its values, which the meta device does not have
    torch.linspace = lambda *arguments: linspace(*arguments, device="cpu")
    record: dict[str, Any] = {"released": {}, "tiny": {}}
    for name, language in RELEASED_LANGUAGE.items():
        hybrid = name == "7b"
        language = {**language, "vocab_size": 102400, "max_position_embeddings": 16384}
        arguments = configuration(LOW, HIGH if hybrid else None, language)
        with torch.device("meta"):
            model = MultiModalityCausalLM(MultiModalityConfig(**arguments))
        record["released"][name] = {
            "config": saved(model.config, "config.json"),
            "preprocessor": saved(processor_of(hybrid, 1024 if hybrid else 384), "preprocessor_config.json"),
            "tensors": pack({key: list(value.shape) for key, value in model.state_dict().items()}),
        }
    siglip_vit.SigLIP_MODEL_CONFIG["siglip_large_patch16_384"] = {**TINY_SIGLIP, "global_pool": "map"}
    sam.SAM_MODEL_CONFIG["sam_b_downsample"] = TINY_SAM
    for name, high in (("single", None), ("hybrid", TINY_HIGH)):
        model = MultiModalityCausalLM(MultiModalityConfig(**configuration(TINY_LOW, high, TINY_LANGUAGE))).eval()
        shapes = {key: list(value.shape) for key, value in model.state_dict().items()}
        model.load_state_dict({key: weight(key, tuple(shape)) for key, shape in shapes.items()})
        processor = processor_of(high is not None, 48 if high is None else 160)
        pixels = processor([picture()], return_tensors="pt").pixel_values[None]
        tokens = torch.tensor([TOKENS])
        with torch.no_grad():
            whole = torch.ones(1, 1, VISUAL_TOKENS, dtype=torch.bool)
            embedded = model.prepare_inputs_embeds(tokens.clone(), pixels, tokens == IMAGE_TOKEN, whole)
            logits = model.language_model(inputs_embeds=embedded).logits[0]
        record["tiny"][name] = {
            "config": saved(model.config, "config.json"),
            "preprocessor": saved(processor, "preprocessor_config.json"),
            "tensors": pack(shapes),
            "argmax": logits.argmax(-1).tolist()[-12:],
            "logits": [round(value, 6) for value in logits[-1, :24].tolist()],
            "standard_deviation": round(float(logits.std()), 6),
        }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^{}]*?\](?=,?\n\s*[\"}])", lambda match: " ".join(match[0].split()), text)  # a list per line
    RECORD.write_text(text + "\n")


if __name__ == "__main__":
    main()
