"""The language model's part of `config.json`, a LLaMA configuration, which both layouts share."""

from collections.abc import Mapping
from typing import Any

from deepseek_vl.config import LanguageConfig

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
