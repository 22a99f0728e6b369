"""Files of the reference's own classes: names, shapes, configurations and logits, as recorded by `record_reference`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForImageTextToText,
    DeepseekVLConfig,
    DeepseekVLHybridConfig,
    LlamaConfig,
    SamVisionConfig,
    SiglipVisionConfig,
)

from deepseek_vl import checkpoint
from deepseek_vl.checkpoint import CheckpointError
from deepseek_vl.config import CLIP_MEAN, HALF, SPECIAL_TOKENS, preset
from deepseek_vl.images import canvas
from deepseek_vl.layouts.authors import Authors
from deepseek_vl.layouts.native import Native
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.tensor_file import StoredTensor
from tests.deepseek_vl import tiny
from tests.deepseek_vl.record_reference import IMAGE_TOKEN, RECORD, TOKENS, picture, unpack, weight

pytestmark = pytest.mark.slow

FACTS: dict[str, Any] = json.loads(RECORD.read_text())
KINDS = ("single", "hybrid")


def write_reference(folder: Path, kind: str, dtype: torch.dtype = torch.float32, shards: int = 1) -> dict[str, Any]:
    """Write a tiny checkpoint as the authors' classes do; return its facts."""
    facts: dict[str, Any] = FACTS["tiny"][kind]
    tensors = {name: weight(name, shape).to(dtype) for name, shape in unpack(facts["tensors"]).items()}
    names = [
        f"model-{n + 1:05}-of-{shards:05}.safetensors" if shards > 1 else "model.safetensors" for n in range(shards)
    ]
    for n, name in enumerate(names):
        save_file(dict(list(tensors.items())[n::shards]), folder / name, metadata={"format": "pt"})
    if shards > 1:
        weight_map = {tensor: names[n % shards] for n, tensor in enumerate(tensors)}
        (folder / checkpoint.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    (folder / "config.json").write_text(json.dumps(facts["config"]))
    (folder / "preprocessor_config.json").write_text(json.dumps(facts["preprocessor"]))
    tiny.tokenizer().save(str(folder / "tokenizer.json"))
    return facts


@torch.no_grad()
def logits_of(model: DeepseekVL) -> torch.Tensor:
    canvases = torch.from_numpy(canvas(picture(), model.config))[None]
    tokens = torch.tensor([TOKENS])
    logits: torch.Tensor = model(tokens, (tokens.flatten() == IMAGE_TOKEN).nonzero().flatten(), canvases)[0].float()
    return logits


def load(folder: Path, dtype: torch.dtype = torch.float32) -> DeepseekVL:
    return checkpoint.load(folder, device=tiny.CPU, dtype=dtype)


@pytest.mark.parametrize(("name", "size"), [("1.3b", 1_975_235_584), ("7b", 7_343_990_017)])
def test_the_released_tensors_and_configurations_are_ours(name: str, size: int) -> None:
    facts, config = FACTS["released"][name], preset(name)
    shapes = unpack(facts["tensors"])
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == size
    assert Authors().read_config(facts["config"], facts["preprocessor"], {}) == config
    stored = {n: StoredTensor(Path("w"), n, "F16", shape, 0) for n, shape in shapes.items()}
    matched = checkpoint._match(Path("w"), Authors(), config, stored, tied=False)
    unread = {u.name: u.shape for u in Authors().unread(config)}
    assert {s.name for s, _ in matched} | unread.keys() == shapes.keys()
    assert all(shapes[n] == shape for n, shape in unread.items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shards", [1, 3])
def test_a_file_of_the_authors_classes_gives_their_logits(kind: str, shards: int, tmp_path: Path) -> None:
    facts = write_reference(tmp_path, kind, shards=shards)
    logits = logits_of(load(tmp_path))
    np.testing.assert_allclose(logits[-1, :24], facts["logits"], atol=2e-5)
    assert logits.argmax(-1)[-12:].tolist() == facts["argmax"]
    assert float(logits.std()) == pytest.approx(facts["standard_deviation"], abs=1e-5)
    # The classes write no ids of special tokens; the tokenizer's are used.
    assert (Processor.load(tmp_path).config.bos, Processor.load(tmp_path).config.eos) == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_without_a_tokenizer_load(kind: str, tmp_path: Path) -> None:
    """`save_pretrained` of the model writes no tokenizer, and the public ids are beyond a small vocabulary."""
    facts = write_reference(tmp_path, kind)
    (tmp_path / "tokenizer.json").unlink()
    model = load(tmp_path)
    np.testing.assert_allclose(logits_of(model)[-1, :24], facts["logits"], atol=2e-5)
    assert (model.config.bos, model.config.eos, model.config.image_token) == (1, 2, 511)
    names = {0: SPECIAL_TOKENS["bos"], 1: SPECIAL_TOKENS["eos"], 2: SPECIAL_TOKENS["image_token"]}
    added = {str(number): {"content": name} for number, name in names.items()}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}))
    config = load(tmp_path).config
    assert (config.bos, config.eos, config.image_token) == (0, 1, 2)
    change("config.json/language_config/eos_token_id", [1, 2])(tmp_path)
    with pytest.raises(CheckpointError, match=r"the id of eos is \[1, 2\]; expected a number"):
        load(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_of_files_are_read(dtype: torch.dtype, tmp_path: Path) -> None:
    facts = write_reference(tmp_path, "hybrid", dtype)
    np.testing.assert_allclose(logits_of(load(tmp_path))[-1, :24], facts["logits"], atol=0.05)
    assert load(tmp_path, torch.bfloat16).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_write_is_what_the_authors_classes_read(kind: str, tmp_path: Path) -> None:
    """A strict load finds every tensor, and pixels are normalized once, by the processor or by the tower."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    facts = write_reference(source, kind)
    checkpoint.save(load(source), target, layout="authors", tokenizer_from=source)
    written = load_file(target / "model.safetensors")
    shapes = unpack(facts["tensors"])
    assert {name: tuple(tensor.shape) for name, tensor in written.items()} == shapes
    unread = {u.name for u in Authors().unread(load(source).config)}
    assert all(torch.equal(written[name], weight(name, shapes[name])) for name in shapes.keys() - unread)
    config = json.loads((target / "config.json").read_text())
    processor = json.loads((target / "preprocessor_config.json").read_text())
    for key in ("image_size", "image_mean", "do_normalize", "min_size", "rescale_factor"):
        assert processor[key] == facts["preprocessor"][key]
    params = config["vision_config"]["params"]
    normalizing = [p for p in (params, *params.values()) if isinstance(p, dict) and p.get("pixel_mean")]
    assert len(normalizing) == (0 if kind == "single" else 2)
    assert config["aligner_config"]["params"] == facts["config"]["aligner_config"]["params"]
    assert load(target).config == load(source).config


def change(path: str, value: Any) -> Callable[[Path], None]:
    """Return a change of one value in a JSON file, `file/key/key`; None removes it."""

    def damage(folder: Path) -> None:
        name, *keys = path.split("/")
        content = json.loads((folder / name).read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        if value is None:
            del inner[keys[-1]]
        else:
            inner[keys[-1]] = value
        (folder / name).write_text(json.dumps(content))

    return damage


VISION = "config.json/vision_config/params"
ALIGNER = "config.json/aligner_config/params"
PROCESSOR = "preprocessor_config.json"


@pytest.mark.parametrize(
    ("kind", "damage", "message"),
    [
        ("single", change(f"{VISION}/select_layer", -1), r"blocks\.3\.attn\.proj\.bias is missing"),
        ("single", change(f"{VISION}/select_layer", 2), r"blocks\.2\.attn\.proj\.bias is unexpected"),
        ("single", change(f"{VISION}/select_layer", -9), "at least one layer is needed, got -4"),
        ("single", change(f"{VISION}/image_size", 64), "images become 48 pixels wide and the vision tower reads 64"),
        ("single", change(f"{VISION}/image_size", None), "images become 48 pixels wide and the vision tower reads 336"),
        ("single", change(f"{VISION}/image_size", [48, 64]), "expected the side of a square"),
        ("single", change(f"{VISION}/ignore_head", False), "ignore_head is False"),
        ("single", change(f"{VISION}/model_name", "siglip_so400m_patch14_384"), "model_name is 'siglip_so400m"),
        ("single", change("config.json/vision_config/cls", "Other"), "cls is 'Other'; expected 'CLIPVisionTower' or"),
        ("single", change(f"{ALIGNER}/depth", None), "depth is 1; expected 2"),
        ("single", change(f"{ALIGNER}/depth", 3), "depth is 3; expected 2"),
        ("single", change(f"{ALIGNER}/projector_type", "linear"), "projector_type is 'linear'; expected 'mlp_gelu'"),
        ("single", change(f"{ALIGNER}/n_embed", 64), "n_embed is 64; expected 32"),
        ("single", change(f"{PROCESSOR}/min_size", 28), "min_size is 28; expected 14"),
        ("single", change(f"{PROCESSOR}/rescale_factor", 1.0), "rescale_factor is 1.0; expected 1/255"),
        ("single", change(f"{PROCESSOR}/image_mean", [0.5]), r"image_mean is \[0.5\]; expected three numbers"),
        ("single", change(f"{PROCESSOR}/image_std", [0.5, 0, 0.5]), "std positive"),
        ("single", change("config.json/language_config/model_type", "qwen2"), "model_type is 'qwen2'"),
        ("single", change("config.json/language_config/rope_scaling", {"type": "linear"}), "rope_scaling is"),
        ("single", change("config.json/language_config/hidden_act", "gelu"), "hidden_act is 'gelu'"),
        ("single", change("config.json/quantization_config", {"bits": 4}), "the weights are quantized"),
        ("hybrid", change(f"{VISION}/concat_type", "add"), "concat_type is 'add'; expected 'tuple'"),
        ("hybrid", change(f"{VISION}/high_res_cfg/select_feature", "patch"), "select_feature is 'patch'"),
        ("hybrid", change(f"{VISION}/high_res_cfg/model_name", "sam_vit_l"), "model_name is 'sam_vit_l'"),
        ("hybrid", change("config.json/vision_config/cls", "CLIPVisionTower"), "model_name is None"),
    ],
)
def test_values_that_change_results_are_obeyed_or_refused(
    kind: str, damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    write_reference(tmp_path, kind)
    damage(tmp_path)
    with pytest.raises(CheckpointError, match=message) as raised:
        load(tmp_path)
    assert "\n" not in str(raised.value)


def test_select_layer_leaves_out_the_last_layers() -> None:
    facts = FACTS["released"]["1.3b"]
    for select, layers in ((-1, 24), (0, 24), (-2, 23), (-24, 1), (1, 1), (23, 23), (99, 24)):
        params = {**facts["config"]["vision_config"]["params"], "select_layer": select}
        vision = {**facts["config"]["vision_config"], "params": params}
        config = Authors().read_config({**facts["config"], "vision_config": vision}, facts["preprocessor"], {})
        assert config.low.layers == layers
        written = Authors().write_config(config)
        assert Authors().read_config(written["config.json"], written["preprocessor_config.json"], {}) == config


def test_pixels_that_are_normalized_twice_stay_so() -> None:
    """The processor's and the tower's normalization are one: (x - m1) / s1, then (x - m2) / s2."""
    facts = FACTS["released"]["1.3b"]
    params = {**facts["config"]["vision_config"]["params"], "pixel_mean": [0.1, 0.2, 0.3], "pixel_std": [0.4, 0.5, 0.6]}
    vision = {**facts["config"]["vision_config"], "params": params}
    config = Authors().read_config({**facts["config"], "vision_config": vision}, facts["preprocessor"], {})
    pixel = np.array([0.9, 0.3, 0.7])
    twice = ((pixel - 0.5) / 0.5 - params["pixel_mean"]) / params["pixel_std"]
    np.testing.assert_allclose((pixel - config.low.mean) / config.low.std, twice)
    assert config.canvas_colour == (127, 127, 127)
    written = Authors().write_config(config)
    again = Authors().read_config(written["config.json"], written["preprocessor_config.json"], {})
    assert again == config


def test_a_processor_that_leaves_pixels_to_the_tower_keeps_its_background() -> None:
    facts = FACTS["released"]["7b"]
    processor = {**facts["preprocessor"], "image_mean": list(HALF)}
    config = Authors().read_config(facts["config"], processor, {})
    assert config.canvas_colour == (127, 127, 127)
    assert config.high is not None
    assert config.high.mean == CLIP_MEAN
    written = Authors().write_config(config)
    assert Authors().read_config(written["config.json"], written["preprocessor_config.json"], {}) == config


def native_reference(kind: str, tied: bool) -> Any:
    """Return a tiny model of the transformers library with random weights."""
    low, high, language = tiny.LOW, tiny.HIGH, tiny.LANGUAGE
    vision = SiglipVisionConfig(
        hidden_size=low.width, intermediate_size=low.hidden, num_hidden_layers=low.layers, patch_size=low.patch_px,
        num_attention_heads=low.heads, image_size=low.image_px, hidden_act="gelu", vision_use_head=False,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=language.vocabulary, hidden_size=language.width, intermediate_size=language.hidden,
        num_hidden_layers=language.layers, num_attention_heads=language.heads, max_position_embeddings=512,
    )  # fmt: skip
    shared = {"vision_config": vision, "text_config": text, "image_token_id": 2, "tie_word_embeddings": tied}
    config: Any = DeepseekVLConfig(**shared)
    if kind == "hybrid":
        sam = SamVisionConfig(
            hidden_size=high.width, output_channels=high.neck_width, num_hidden_layers=high.layers, mlp_dim=high.hidden,
            num_attention_heads=high.heads, image_size=high.image_px, patch_size=high.patch_px,
            window_size=high.window, global_attn_indexes=list(high.global_layers),
        )  # fmt: skip
        config = DeepseekVLHybridConfig(high_res_vision_config=sam, **shared)
    model = AutoModelForImageTextToText.from_config(config).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [False, True])
@torch.no_grad()
def test_a_file_of_the_transformers_classes_gives_their_logits(kind: str, tied: bool, tmp_path: Path) -> None:
    reference = native_reference(kind, tied)
    reference.save_pretrained(tmp_path)
    # The present library writes the image processor into the processor's file, and LLaMA's ids 1 and 2 as special.
    image = {"image_mean": list(HALF), "image_std": list(HALF), "size": {"height": 32, "width": 32}, "resample": 3}
    if kind == "hybrid":
        image |= {"high_res_size": {"height": 80, "width": 80}, "high_res_image_mean": list(CLIP_MEAN), "resample": 2}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": image}))
    tiny.tokenizer().save(str(tmp_path / "tokenizer.json"))
    model = load(tmp_path)
    assert model.config == tiny.CONFIGS[kind]
    tokens = torch.tensor([[0, 5, 6, 7, 300, 11]])
    ours = model(tokens, torch.zeros(0, dtype=torch.long), None)
    torch.testing.assert_close(ours, reference(input_ids=tokens).logits, atol=1e-4, rtol=1e-4)
    assert ("lm_head.weight" in load_file(tmp_path / "model.safetensors")) is not tied


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"do_pad": False}, "do_pad is False"),
        ({"resample": 0}, "resample is 0; expected 2 or 3"),
        ({"high_res_resample": 2}, "high_res_resample is 2; expected 3"),
        ({"size": {"height": 64, "width": 64}}, "size is 64 pixels and the vision tower reads 32"),
        ({"size": {"height": 64, "width": 32}}, "expected the side of a square"),
        ({"high_res_size": 64}, "high_res_size is 64 pixels and the vision tower reads 80"),
        ({"min_size": 1}, "min_size is 1"),
    ],
)
def test_a_native_processor_is_obeyed_or_refused(change: dict[str, Any], message: str) -> None:
    written = Native().write_config(tiny.HYBRID)
    with pytest.raises(ValueError, match=message):
        Native().read_config(written["config.json"], {**written["preprocessor_config.json"], **change}, {})


def test_a_native_processor_changes_pixels() -> None:
    written = Native().write_config(tiny.HYBRID)
    changed = {**written["preprocessor_config.json"], "resample": 3, "do_normalize": False}
    config = Native().read_config(written["config.json"], changed, {})
    assert config.low_filter == "bicubic"
    assert (config.low.mean, config.low.std) == ((0, 0, 0), (1, 1, 1))
    assert config.canvas_colour == tiny.HYBRID.canvas_colour


def test_a_missing_head_is_named_unless_it_is_the_embedding(tmp_path: Path) -> None:
    write_reference(tmp_path, "single")
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["language_model.lm_head.weight"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"language_model\.lm_head\.weight is missing"):
        load(tmp_path)
    change("config.json/language_config/tie_word_embeddings", True)(tmp_path)
    model = load(tmp_path)
    assert torch.equal(model.language.head.weight, model.language.embedding.weight)


def test_weights_and_configuration_of_two_layouts_do_not_fit(tmp_path: Path) -> None:
    write_reference(tmp_path, "single")
    (tmp_path / "config.json").write_text(json.dumps(Native().write_config(tiny.SINGLE)["config.json"]))
    with pytest.raises(CheckpointError, match=r"config\.json is of the native layout, the weights of authors"):
        load(tmp_path)
