"""The layout of the authors' checkpoints, `deepseek-ai/deepseek-vl-{1.3b,7b}-{base,chat}`."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from deepseek_vl.config import ModelConfig, SamConfig, SiglipConfig
from deepseek_vl.layouts.layout import Entry, Layout, llama_entries, renamed
from deepseek_vl.layouts.llama_json import read_llama, write_llama

LOW_NAME = "siglip_large_patch16_384"
HIGH_NAME = "sam_b_downsample"
Tower = TypeVar("Tower", SiglipConfig, SamConfig)
# Keys of a tower's parameters by our field. The authors' code derives the others from the tower's name; for towers of
# other sizes we write them under the names of our fields.
PUBLIC_KEYS = {"image_px": "image_size", "mean": "pixel_mean", "std": "pixel_std"}
SIGLIP_BLOCK = (
    ("norm1", "norm1"),
    ("attn.qkv", "qkv"),
    ("attn.proj", "proj"),
    ("norm2", "norm2"),
    ("mlp.fc1", "fc1"),
    ("mlp.fc2", "fc2"),
)
SAM_BLOCK = (
    ("norm1", "norm1"),
    ("attn.qkv", "attention.qkv"),
    ("attn.proj", "attention.proj"),
    ("norm2", "norm2"),
    ("mlp.lin1", "fc1"),
    ("mlp.lin2", "fc2"),
)


class Authors(Layout):
    """Fused qkv in both towers; the language model under `language_model`."""

    name = "authors"
    marker = "language_model.model.embed_tokens.weight"
    unused = re.compile(r"vision_model\.vision_tower(_low\.vision_tower)?\.attn_pool\..+|.+\.rotary_emb\.inv_freq")

    def entries(self, config: ModelConfig) -> Iterator[Entry]:
        low = "vision_model.vision_tower." if config.high is None else "vision_model.vision_tower_low.vision_tower."
        yield Entry(f"{low}pos_embed", "siglip.positions", leading_axis=True)
        yield from renamed((("patch_embed.proj", "patches"), ("norm", "norm")), low, "siglip.")
        for n in range(config.low.layers):
            yield from renamed(SIGLIP_BLOCK, f"{low}blocks.{n}.", f"siglip.blocks.{n}.")
        if config.high is None:
            yield from renamed((("layers.0", "low"), ("layers.2", "out")), "aligner.", "adaptor.")
        else:
            yield from self._high_entries(config.high)
            ups = (("high_up_proj", "high"), ("low_up_proj", "low"), ("layers.1", "out"))
            yield from renamed(ups, "aligner.", "adaptor.")
        yield from llama_entries("language_model.model.", "language_model.lm_head", config.language.layers)

    def _high_entries(self, config: SamConfig) -> Iterator[Entry]:
        high = "vision_model.vision_tower_high.vision_tower."
        yield Entry(f"{high}pos_embed", "sam.positions", leading_axis=True)
        yield from renamed((("patch_embed.proj", "patches"),), high, "sam.")
        for n in range(config.layers):
            theirs, ours = f"{high}blocks.{n}.", f"sam.blocks.{n}."
            yield from renamed(SAM_BLOCK, theirs, ours)
            yield Entry(f"{theirs}attn.rel_pos_h", f"{ours}attention.rows")
            yield Entry(f"{theirs}attn.rel_pos_w", f"{ours}attention.columns")
        for theirs, ours in (("neck", "neck"), ("neck_hd", "branch_neck")):
            yield from renamed((("0", "conv1"), ("2", "conv2")), f"{high}{theirs}.", f"sam.{ours}.", "weight")
            yield from renamed((("1", "norm1"), ("3", "norm2")), f"{high}{theirs}.", f"sam.{ours}.")
        yield from renamed((("0", "downsample1"), ("1", "downsample2")), f"{high}downsamples.", "sam.", "weight")
        yield Entry(f"{high}hd_alpha_downsamples", "sam.branch_weight")

    def read_config(self, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> ModelConfig:
        language = config["language_config"]
        params = config["vision_config"]["params"]
        if "high_res_cfg" in params:
            low = _read_tower(SiglipConfig, params["low_res_cfg"], LOW_NAME)
            high = _read_tower(SamConfig, params["high_res_cfg"], HIGH_NAME)
        else:
            means = {"mean": preprocessor.get("image_mean"), "std": preprocessor.get("image_std")}
            given = {PUBLIC_KEYS[key]: value for key, value in means.items() if value is not None}
            low, high = _read_tower(SiglipConfig, {**given, **params}, LOW_NAME), None
        return ModelConfig(
            low=low,
            high=high,
            language=read_llama(language),
            bos=language.get("bos_token_id", ModelConfig.bos),
            eos=language.get("eos_token_id", ModelConfig.eos),
            image_token=config.get("image_token_id", ModelConfig.image_token),
        )

    def write_config(self, config: ModelConfig) -> dict[str, dict[str, Any]]:
        low = _write_tower(config.low, SiglipConfig(), LOW_NAME)
        adaptor: dict[str, Any] = {"depth": 2, "n_embed": config.language.width}
        if config.high is None:
            vision = {"cls": "CLIPVisionTower", "model_type": "vision", "params": low}
            adaptor |= {"input_dim": config.low.width, "projector_type": "mlp_gelu"}
        else:
            high = _write_tower(config.high, SamConfig(), HIGH_NAME)
            params = {"concat_type": "tuple", "high_res_cfg": high, "low_res_cfg": low}
            vision = {"cls": "HybridVisionTower", "model_type": "vision", "params": params}
            adaptor |= {"input_dim": config.high.output_width, "projector_type": "low_high_hybrid_split_mlp_gelu"}
        tower = config.tower
        return {
            "config.json": {
                "model_type": "multi_modality",
                "architectures": ["MultiModalityCausalLM"],
                "aligner_config": {"cls": "MlpProjector", "model_type": "aligner", "params": adaptor},
                "language_config": write_llama(config.language, config.bos, config.eos),
                "vision_config": vision,
                "image_token_id": config.image_token,
            },
            "preprocessor_config.json": {
                "image_processor_type": "VLMImageProcessor",
                "processor_class": "VLChatProcessor",
                "image_size": tower.image_px,
                "min_size": 14,
                "image_mean": list(tower.mean),
                "image_std": list(tower.std),
                "rescale_factor": 1 / 255,
                "do_normalize": config.high is None,
                "background_color": [int(mean * 255) for mean in tower.mean],
            },
            "processor_config.json": {
                "image_tag": "<image_placeholder>",
                "num_image_tokens": config.tokens_per_image,
                "processor_class": "VLChatProcessor",
                "sft_format": "deepseek",
                "mask_prompt": True,
                "add_special_token": False,
                "ignore_id": -100,
            },
        }


def _read_tower(cls: type[Tower], params: Mapping[str, Any], name: str) -> Tower:
    if params.get("model_name") != name:
        raise ValueError(f"the vision tower is {params.get('model_name')!r}; expected {name!r}")
    fields: dict[str, Any] = {}
    for f in dataclasses.fields(cls):
        value = params.get(PUBLIC_KEYS.get(f.name, f.name))
        if value is not None:
            fields[f.name] = tuple(value) if isinstance(value, list) else value
    return cls(**fields)


def _write_tower(config: Tower, standard: Tower, name: str) -> dict[str, Any]:
    params: dict[str, Any] = {"model_name": name, "select_feature": "same", "select_layer": -1}
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        if f.name in PUBLIC_KEYS or value != getattr(standard, f.name):
            params[PUBLIC_KEYS.get(f.name, f.name)] = list(value) if isinstance(value, tuple) else value
    return params
