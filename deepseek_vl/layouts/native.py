"""The layout of the transformers library, `deepseek-community/deepseek-vl-{1.3b,7b}-{base,chat}`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deepseek_vl.config import ModelConfig, SamConfig, SiglipConfig, Triple, colour
from deepseek_vl.layouts.layout import Entry, Layout, llama_entries, merged, renamed
from deepseek_vl.layouts.llama_json import read_llama, special_ids, write_llama
from deepseek_vl.layouts.values import RESCALE, check_rescale, expect, side_px, triple

BICUBIC, BILINEAR = 3, 2  # as Pillow numbers them
FILTERS = {BILINEAR: "bilinear", BICUBIC: "bicubic"}
# Values of keys that a vision configuration leaves out.
SIGLIP_DEFAULTS = {
    "image_size": 224,
    "patch_size": 16,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-6,
    "hidden_act": "gelu_pytorch_tanh",
}
SIGLIP_BLOCK = (
    ("self_attn.out_proj", "proj"),
    ("layer_norm1", "norm1"),
    ("layer_norm2", "norm2"),
    ("mlp.fc1", "fc1"),
    ("mlp.fc2", "fc2"),
)
SAM_BLOCK = (
    ("layer_norm1", "norm1"),
    ("attn.qkv", "attention.qkv"),
    ("attn.proj", "attention.proj"),
    ("layer_norm2", "norm2"),
    ("mlp.lin1", "fc1"),
    ("mlp.lin2", "fc2"),
)


class Native(Layout):
    """Separate q, k and v in SigLIP; everything except the head is under `model`."""

    name = "native"
    marker = "model.language_model.embed_tokens.weight"
    head = "lm_head.weight"
    unused = re.compile(r".+\.rotary_emb\.inv_freq|.+\.embeddings\.position_ids")

    def canonical(self, name: str) -> str:
        # Older files, from before the towers were flattened, have one more level.
        return name.replace("model.vision_model.vision_model.", "model.vision_model.", 1)

    def entries(self, config: ModelConfig) -> Iterator[Entry]:
        low = "model.vision_model."
        yield Entry(f"{low}embeddings.position_embedding.weight", "siglip.positions")
        outer = (("embeddings.patch_embedding", "patches"), ("post_layernorm", "norm"))
        yield from renamed(outer, low, "siglip.")
        for n in range(config.low.layers):
            theirs, ours = f"{low}encoder.layers.{n}.", f"siglip.blocks.{n}."
            attention = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
            yield from merged(attention, theirs, f"{ours}qkv", "weight bias")
            yield from renamed(SIGLIP_BLOCK, theirs, ours)
        if config.high is None:
            yield from renamed((("linear1", "low"), ("linear2", "out")), "model.aligner.", "adaptor.")
        else:
            yield from self._high_entries(config.high)
            ups = (("high_res_vision_proj", "high"), ("vision_proj", "low"), ("proj", "out"))
            yield from renamed(ups, "model.aligner.", "adaptor.")
        yield from llama_entries("model.language_model.", "lm_head", config.language.layers)

    def _high_entries(self, config: SamConfig) -> Iterator[Entry]:
        high = "model.high_res_vision_model.vision_encoder."
        yield Entry(f"{high}pos_embed", "sam.positions", leading_axis=True)
        yield from renamed((("patch_embed.projection", "patches"),), high, "sam.")
        for n in range(config.layers):
            theirs, ours = f"{high}layers.{n}.", f"sam.blocks.{n}."
            yield from renamed(SAM_BLOCK, theirs, ours)
            yield Entry(f"{theirs}attn.rel_pos_h", f"{ours}attention.rows")
            yield Entry(f"{theirs}attn.rel_pos_w", f"{ours}attention.columns")
        for theirs, ours in ((f"{high}neck.", "sam.neck."), ("model.high_res_vision_neck.", "sam.branch_neck.")):
            yield from renamed((("conv1", "conv1"), ("conv2", "conv2")), theirs, ours, "weight")
            yield from renamed((("layer_norm1", "norm1"), ("layer_norm2", "norm2")), theirs, ours)
        pairs = (("conv1", "downsample1"), ("conv2", "downsample2"))
        yield from renamed(pairs, "model.high_res_vision_proj.", "sam.", "weight")
        yield Entry("model.high_res_vision_alpha", "sam.branch_weight")

    def read_config(
        self, config: Mapping[str, Any], preprocessor: Mapping[str, Any], tokens: Mapping[str, int]
    ) -> ModelConfig:
        vision = {**SIGLIP_DEFAULTS, **config["vision_config"]}
        if vision["hidden_act"] != "gelu":
            raise ValueError(f"the vision tower's hidden_act is {vision['hidden_act']!r}; expected the exact 'gelu'")
        text, sam = config["text_config"], config.get("high_res_vision_config")
        for key in ("do_resize", "do_rescale", "do_pad"):
            expect(preprocessor, key, True, default=True)
        expect(preprocessor, "min_size", 14, default=14)
        check_rescale(preprocessor)
        # With two towers the picture is first enlarged for the high one, then shrunk for the low one.
        first = "resample" if sam is None else "high_res_resample"
        expect(preprocessor, first, BICUBIC, default=BICUBIC)
        low_filter = BILINEAR if sam is None else expect(preprocessor, "resample", *FILTERS, default=BILINEAR)
        mean, std = _pixels(preprocessor, "image_", SiglipConfig.mean, SiglipConfig.std)
        low = SiglipConfig(
            image_px=side_px(vision["image_size"], "image_size"),
            patch_px=side_px(vision["patch_size"], "patch_size"),
            width=vision["hidden_size"],
            layers=vision["num_hidden_layers"],
            heads=vision["num_attention_heads"],
            hidden=vision["intermediate_size"],
            norm_eps=vision["layer_norm_eps"],
            mean=mean,
            std=std,
        )
        _check_size(preprocessor, "size", low.image_px)
        high = None if sam is None else _read_sam(sam, preprocessor)
        if high is not None:
            _check_size(preprocessor, "high_res_size", high.image_px)
        tower = high or low
        # The library reads the image token's id from the configuration, the others from the tokenizer.
        named = {field: token for field, token in tokens.items() if field != "image_token"}
        key = "image_mean" if high is None else "high_res_image_mean"
        background = colour(triple(preprocessor[key], key)) if key in preprocessor else colour(tower.mean)
        ids = special_ids(text, named, config.get("image_token_id"))
        return ModelConfig(
            low=low,
            high=high,
            language=read_llama(text),
            bos=ids["bos"],
            eos=ids["eos"],
            image_token=ids["image_token"],
            background=None if background == colour(tower.mean) else background,
            low_filter=FILTERS[low_filter],
        )

    def tied(self, config: Mapping[str, Any]) -> bool:
        return bool(config.get("tie_word_embeddings", True))  # the library's default

    def write_config(self, config: ModelConfig) -> dict[str, dict[str, Any]]:
        low, high = config.low, config.high
        if config.background is not None:
            raise ValueError(f"this layout's background is the mean colour of the tower, not {config.background}")
        kind = "DeepseekVL" if high is None else "DeepseekVLHybrid"
        model: dict[str, Any] = {
            "model_type": "deepseek_vl" if high is None else "deepseek_vl_hybrid",
            "architectures": [f"{kind}ForConditionalGeneration"],
            "image_token_id": config.image_token,
            "tie_word_embeddings": False,
            "text_config": write_llama(config.language, config.bos, config.eos),
            "vision_config": {
                "model_type": "siglip_vision_model",
                "image_size": low.image_px,
                "patch_size": low.patch_px,
                "hidden_size": low.width,
                "num_hidden_layers": low.layers,
                "num_attention_heads": low.heads,
                "intermediate_size": low.hidden,
                "layer_norm_eps": low.norm_eps,
                "hidden_act": "gelu",
                "vision_use_head": False,
            },
        }
        preprocessor: dict[str, Any] = {
            "image_processor_type": f"{kind}ImageProcessor",
            "processor_class": f"{kind}Processor",
            "size": _square(low.image_px),
            "min_size": 14,
            "image_mean": list(low.mean),
            "image_std": list(low.std),
            "rescale_factor": RESCALE,
            "resample": BICUBIC if high is None or config.low_filter == "bicubic" else BILINEAR,
        }
        if high is not None:
            model["high_res_vision_config"] = _write_sam(high)
            preprocessor |= {
                "high_res_size": _square(high.image_px),
                "high_res_image_mean": list(high.mean),
                "high_res_image_std": list(high.std),
                "high_res_resample": BICUBIC,
            }
        return {
            "config.json": model,
            "preprocessor_config.json": preprocessor,
            "processor_config.json": {
                "num_image_tokens": config.tokens_per_image,
                "processor_class": f"{kind}Processor",
            },
        }


def _read_sam(sam: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> SamConfig:
    standard = SamConfig()
    for key in ("qkv_bias", "use_abs_pos", "use_rel_pos"):
        expect(sam, key, True, default=True)
    expect(sam, "hidden_act", "gelu", default="gelu")
    width = sam.get("hidden_size", standard.width)
    mean, std = _pixels(preprocessor, "high_res_image_", standard.mean, standard.std)
    return SamConfig(
        image_px=side_px(sam.get("image_size", standard.image_px), "image_size"),
        patch_px=side_px(sam.get("patch_size", standard.patch_px), "patch_size"),
        width=width,
        layers=sam.get("num_hidden_layers", standard.layers),
        heads=sam.get("num_attention_heads", standard.heads),
        hidden=sam.get("mlp_dim") or int(width * sam.get("mlp_ratio", 4)),
        window=sam.get("window_size", standard.window),
        global_layers=tuple(sam.get("global_attn_indexes", standard.global_layers)),
        neck_width=sam.get("output_channels", standard.neck_width),
        norm_eps=sam.get("layer_norm_eps", standard.norm_eps),
        mean=mean,
        std=std,
    )


def _pixels(preprocessor: Mapping[str, Any], prefix: str, mean: Triple, std: Triple) -> tuple[Triple, Triple]:
    """Return the mean and deviation with which the processor normalizes, given the values for a folder without one."""
    if not preprocessor.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    values = (
        triple(preprocessor.get(prefix + key, like), prefix + key) for key, like in (("mean", mean), ("std", std))
    )
    return next(values), next(values)


def _check_size(preprocessor: Mapping[str, Any], key: str, wanted: int) -> None:
    """Raise ValueError if the processor's images are not as large as the tower's."""
    size = side_px(preprocessor.get(key, wanted), key)
    if size != wanted:
        raise ValueError(f"{key} is {size} pixels and the vision tower reads {wanted}")


def _write_sam(sam: SamConfig) -> dict[str, Any]:
    return {
        "model_type": "sam_vision_model",
        "image_size": sam.image_px,
        "patch_size": sam.patch_px,
        "hidden_size": sam.width,
        "num_hidden_layers": sam.layers,
        "num_attention_heads": sam.heads,
        "mlp_dim": sam.hidden,
        "window_size": sam.window,
        "global_attn_indexes": list(sam.global_layers),
        "output_channels": sam.neck_width,
        "layer_norm_eps": sam.norm_eps,
    }


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}
