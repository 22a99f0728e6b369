"""The language model's part of `config.json`, a LLaMA configuration, which both layouts share."""

from collections.abc import Mapping
from typing import Any

from deepseek_vl.config import LanguageConfig, ModelConfig

# Values of keys that a LLaMA configuration leaves out.
DEFAULTS = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "vocab_size": 32000,
}


def read_llama(llama: Mapping[str, Any]) -> LanguageConfig:
    """Return the language model that a LLaMA configuration describes. Raises ValueError if we do not support it."""
    values = {**DEFAULTS, **llama}
    heads = values["num_attention_heads"]
    rope = values.get("rope_parameters") or {}
    scaling = values.get("rope_scaling") or {}
    unsupported = {
        "model_type": values.get("model_type", "llama") != "llama",
        "num_key_value_heads": values.get("num_key_value_heads") not in (None, heads),
        "head_dim": values.get("head_dim") not in (None, values["hidden_size"] // heads),
        "hidden_act": values.get("hidden_act", "silu") != "silu",
        "attention_bias": bool(values.get("attention_bias")),
        "mlp_bias": bool(values.get("mlp_bias")),
        "rope_scaling": scaling.get("rope_type", scaling.get("type", "default")) != "default",
        "rope_parameters": rope.get("rope_type", "default") != "default" or rope.get("partial_rotary_factor", 1) != 1,
    }
    for key, wrong in unsupported.items():
        if wrong:
            raise ValueError(f"the language model's {key} is {values[key]!r}, which no DeepSeek-VL has")
    return LanguageConfig(
        vocabulary=values["vocab_size"],
        width=values["hidden_size"],
        layers=values["num_hidden_layers"],
        heads=heads,
        hidden=values["intermediate_size"],
        max_positions=values["max_position_embeddings"],
        norm_eps=values["rms_norm_eps"],
        rope_theta=rope.get("rope_theta", values.get("rope_theta", 10000.0)),
    )


def special_ids(llama: Mapping[str, Any], tokens: Mapping[str, int], image_token: Any = None) -> dict[str, int]:
    """Return the ids of the special tokens by the field of `ModelConfig`.

    Of the tokenizer's ids, the configuration's, and the public models', the first that there are. For a small
    vocabulary without any (the reference's classes leave out LLaMA's own), LLaMA's 1 and 2 and the last id: the weights
    load, and text needs a tokenizer anyway.

    Args:
        tokens: see `Layout.read_config`.
        image_token: the id of the image token in the configuration.
    Raises:
        ValueError: an id in the configuration is not a number.
    """
    vocabulary = llama.get("vocab_size", DEFAULTS["vocab_size"])
    written = {"bos": llama.get("bos_token_id"), "eos": llama.get("eos_token_id"), "image_token": image_token}
    small = {"bos": 1, "eos": 2, "image_token": vocabulary - 1}
    ids = {}
    for field, value in written.items():
        if value is not None and not isinstance(value, int):
            raise ValueError(f"the id of {field} is {value!r}; expected a number")
        public = getattr(ModelConfig, field)
        default = public if public < vocabulary else small[field]
        ids[field] = tokens.get(field, default if value is None else value)
    return ids


def write_llama(config: LanguageConfig, bos: int, eos: int) -> dict[str, Any]:
    """Return the LLaMA configuration of a language model, with every key."""
    return {
        "model_type": "llama",
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
        "max_position_embeddings": config.max_positions,
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rope_theta,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": bos,
        "eos_token_id": eos,
    }
