"""The layout of the authors' checkpoints, `deepseek-ai/deepseek-vl-{1.3b,7b}-{base,chat}`."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from deepseek_vl.config import CLIP_MEAN, CLIP_STD, HALF, ModelConfig, SamConfig, SiglipConfig, Triple, colour
from deepseek_vl.layouts.layout import Entry, Layout, Unread, llama_entries, renamed
from deepseek_vl.layouts.llama_json import read_llama, special_ids, write_llama
from deepseek_vl.layouts.values import RESCALE, check_rescale, expect, side_px, triple

LOW_NAME = "siglip_large_patch16_384"
HIGH_NAME = "sam_b_downsample"
Tower = TypeVar("Tower", SiglipConfig, SamConfig)
SINGLE, HYBRID = "CLIPVisionTower", "HybridVisionTower"
# Parameters of the authors' classes if a configuration leaves them out; the released configurations name them all.
DEFAULT_SIDE_PX, DEFAULT_LAYER, DEFAULT_DEPTH = 336, -2, 1
# Fields of a tower that the authors' code derives from its name; for other sizes we write them under our names, which
# their code ignores.
DERIVED = ("patch_px", "width", "heads", "hidden", "norm_eps", "window", "global_layers", "neck_width")
Pixels = tuple[Triple, Triple]
"""A normalization: mean and standard deviation per channel."""
UNCHANGED: Pixels = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
# The image processors' configurations as released, for folders without one.
RELEASED: dict[bool, dict[str, Any]] = {
    False: {"image_mean": HALF, "image_std": HALF},
    True: {"image_mean": CLIP_MEAN, "do_normalize": False},
}
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
    head = "language_model.lm_head.weight"
    unused = re.compile(
        r"vision_model\.vision_tower(_low\.vision_tower)?\.attn_pool\..+"
        r"|vision_model\.(high|low)_layer_norm\.(weight|bias)|.+\.rotary_emb\.inv_freq"
    )

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

    def unread(self, config: ModelConfig) -> Iterator[Unread]:
        # The hybrid tower's norms and SigLIP's pooling head: created by the constructors, absent from the forward pass.
        low, width = "vision_model.vision_tower.", config.low.width
        if config.high is not None:
            low = "vision_model.vision_tower_low.vision_tower."
            for name, size in (("high", config.high.output_width), ("low", width)):
                yield Unread(f"vision_model.{name}_layer_norm.weight", (size,), 1.0)
                yield Unread(f"vision_model.{name}_layer_norm.bias", (size,), 0.0)
        yield Unread(f"{low}attn_pool.latent", (1, 1, width), 0.0)
        outputs = {
            "q": width,
            "kv": 2 * width,
            "proj": width,
            "norm": width,
            "mlp.fc1": config.low.hidden,
            "mlp.fc2": width,
        }
        for name, size in outputs.items():
            inputs = () if name == "norm" else (config.low.hidden if name == "mlp.fc2" else width,)
            yield Unread(f"{low}attn_pool.{name}.weight", (size, *inputs), float(name == "norm"))
            yield Unread(f"{low}attn_pool.{name}.bias", (size,), 0.0)

    def read_config(
        self, config: Mapping[str, Any], preprocessor: Mapping[str, Any], tokens: Mapping[str, int]
    ) -> ModelConfig:
        language = read_llama(config["language_config"])
        vision = config["vision_config"]
        hybrid = expect(vision, "cls", SINGLE, HYBRID, default="") == HYBRID
        processor = preprocessor or RELEASED[hybrid]
        expect(processor, "min_size", 14, default=14)
        check_rescale(processor)
        high = None
        if hybrid:
            expect(vision["params"], "concat_type", "tuple", default="tuple")
            low = _read_siglip(vision["params"]["low_res_cfg"], processor)
            high = _read_sam(vision["params"]["high_res_cfg"], processor)
        else:
            low = _read_siglip(vision["params"], processor)
        tower = high or low
        side = side_px(processor.get("image_size", tower.image_px), "image_size")
        if side != tower.image_px:
            raise ValueError(f"images become {side} pixels wide and the vision tower reads {tower.image_px}")
        input_width = low.width if high is None else high.output_width
        _check_aligner(config["aligner_config"], hybrid, input_width, language.width)
        mean = processor.get("image_mean", CLIP_MEAN)
        background = (127, 127, 127) if mean is None else colour(triple(mean, "image_mean"))
        ids = special_ids(config["language_config"], tokens, config.get("image_token_id"))
        return ModelConfig(
            low=low,
            high=high,
            language=language,
            bos=ids["bos"],
            eos=ids["eos"],
            image_token=ids["image_token"],
            background=None if background == colour(tower.mean) else background,
        )

    def tied(self, config: Mapping[str, Any]) -> bool:
        return bool(config["language_config"].get("tie_word_embeddings", False))

    def write_config(self, config: ModelConfig) -> dict[str, dict[str, Any]]:
        if config.low_filter != "bilinear":
            raise ValueError(f"the authors' classes shrink images only bilinearly, not {config.low_filter}")
        low = _write_tower(config.low, SiglipConfig(), LOW_NAME)
        adaptor: dict[str, Any] = {"depth": 2, "n_embed": config.language.width}
        # Their processor or their tower normalizes, not both: what is named twice is done twice.
        by_processor = config.high is None and config.background is None
        if config.high is None:
            if not by_processor:
                low |= _pixels(config.low)
            vision = {"cls": SINGLE, "model_type": "vision", "params": low}
            adaptor |= {"input_dim": config.low.width, "projector_type": "mlp_gelu"}
        else:
            high = _write_tower(config.high, SamConfig(), HIGH_NAME) | _pixels(config.high)
            low |= _pixels(config.low)
            high["output_dim"], low["output_dim"] = config.high.output_width, config.low.width
            params = {"concat_type": "tuple", "high_res_cfg": high, "low_res_cfg": low}
            vision = {"cls": HYBRID, "model_type": "vision", "params": params}
            adaptor |= {"input_dim": config.high.output_width, "projector_type": "low_high_hybrid_split_mlp_gelu"}
        tower = config.tower
        # The background is derived from the mean, which has no other effect unless the processor normalizes.
        mean = list(tower.mean) if config.background is None else [(part + 0.5) / 255 for part in config.background]
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
                "image_mean": mean,
                "image_std": list(tower.std),
                "rescale_factor": RESCALE,
                "do_normalize": by_processor,
                "background_color": list(config.canvas_colour),
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


def _read_siglip(params: Mapping[str, Any], processor: Mapping[str, Any]) -> SiglipConfig:
    expect(params, "ignore_head", True, default=True)  # else the pooling head would be applied
    total = params.get("layers", SiglipConfig.layers)
    selected = params.get("select_layer", DEFAULT_LAYER)
    layers = total + selected + 1 if selected <= 0 else selected
    return SiglipConfig(layers=min(total, layers), **_tower_fields(SiglipConfig, params, processor, LOW_NAME))


def _read_sam(params: Mapping[str, Any], processor: Mapping[str, Any]) -> SamConfig:
    # The authors' code drops the first channel of this tower's features for the default, "patch".
    expect(params, "select_feature", "same", "cls_patch", default="patch")
    layers = params.get("layers", SamConfig.layers)  # select_layer has no effect on this tower
    return SamConfig(layers=layers, **_tower_fields(SamConfig, params, processor, HIGH_NAME))


def _tower_fields(
    cls: type[Tower], params: Mapping[str, Any], processor: Mapping[str, Any], name: str
) -> dict[str, Any]:
    expect(params, "model_name", name, default=None)
    known = {f.name for f in dataclasses.fields(cls)}
    fields: dict[str, Any] = {key: params[key] for key in DERIVED if key in known and params.get(key) is not None}
    if "global_layers" in fields:
        fields["global_layers"] = tuple(fields["global_layers"])
    fields["image_px"] = side_px(params.get("image_size", DEFAULT_SIDE_PX), "image_size")
    fields["mean"], fields["std"] = _normalization(params, processor)
    return fields


def _normalization(params: Mapping[str, Any], processor: Mapping[str, Any]) -> Pixels:
    """Return what the processor and then the tower do to pixels between 0 and 1, as one normalization."""
    first, second = UNCHANGED, UNCHANGED
    if processor.get("do_normalize", True):
        first = (
            triple(processor.get("image_mean", CLIP_MEAN), "image_mean"),
            triple(processor.get("image_std", CLIP_STD), "image_std"),
        )
    if params.get("pixel_mean") is not None and params.get("pixel_std") is not None:
        second = triple(params["pixel_mean"], "pixel_mean"), triple(params["pixel_std"], "pixel_std")
    if first == UNCHANGED:
        return second
    mean = [m1 + s1 * m2 for m1, s1, m2 in zip(*first, second[0], strict=True)]
    std = [s1 * s2 for s1, s2 in zip(first[1], second[1], strict=True)]
    return triple(mean, "the mean"), triple(std, "the deviation")


def _check_aligner(aligner: Mapping[str, Any], hybrid: bool, input_width: int, width: int) -> None:
    """Raise ValueError if the adaptor is not the one that we build."""
    expect(aligner, "cls", "MlpProjector", default="")
    params = aligner["params"]
    expect(params, "projector_type", "low_high_hybrid_split_mlp_gelu" if hybrid else "mlp_gelu", default=None)
    expect(params, "depth", 2, default=DEFAULT_DEPTH)
    expect(params, "input_dim", input_width, default=None)
    expect(params, "n_embed", width, default=None)


def _write_tower(config: Tower, standard: Tower, name: str) -> dict[str, Any]:
    """Return a tower's parameters without its normalization."""
    layer = -1
    params: dict[str, Any] = {"model_name": name, "image_size": config.image_px, "select_feature": "same"}
    if isinstance(config, SiglipConfig) and config.layers < standard.layers:
        layer = config.layers
    elif config.layers != standard.layers:
        params["layers"] = config.layers
    params["select_layer"] = layer
    for key in DERIVED:
        value = getattr(config, key, None)
        if value is not None and value != getattr(standard, key):
            params[key] = list(value) if isinstance(value, tuple) else value
    return params


def _pixels(config: SiglipConfig | SamConfig) -> dict[str, Any]:
    return {"pixel_mean": list(config.mean), "pixel_std": list(config.std)}
