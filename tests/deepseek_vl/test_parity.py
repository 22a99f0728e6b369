"""The same numbers as the transformers port, from the same files, in either layout."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from deepseek_vl import checkpoint, slices
from deepseek_vl.attention import causal
from deepseek_vl.batch import Embedder
from deepseek_vl.config import preset
from deepseek_vl.engine import generate
from deepseek_vl.layouts.authors import Authors
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sampling import SamplingSettings
from tests.deepseek_vl import tiny
from tests.deepseek_vl.conftest import Pair

pytestmark = pytest.mark.slow

# The published map from the authors' keys to native ones, written a second time, as replacements.
AUTHORS_TO_NATIVE = (
    (r"^vision_model\.vision_tower_high\.vision_tower\.neck_hd\.", "model.high_res_vision_neck."),
    (r"^vision_model\.vision_tower_high\.vision_tower\.downsamples\.0\.", "model.high_res_vision_proj.conv1."),
    (r"^vision_model\.vision_tower_high\.vision_tower\.downsamples\.1\.", "model.high_res_vision_proj.conv2."),
    (r"^vision_model\.vision_tower_high\.vision_tower\.hd_alpha_downsamples$", "model.high_res_vision_alpha"),
    (r"^vision_model\.vision_tower_high\.vision_tower\.", "model.high_res_vision_model.vision_encoder."),
    (r"^vision_model\.vision_tower(_low\.vision_tower)?\.", "model.vision_model."),
    (r"(neck.*)\.0\.weight$", r"\1.conv1.weight"),
    (r"(neck.*)\.1\.(weight|bias)$", r"\1.layer_norm1.\2"),
    (r"(neck.*)\.2\.weight$", r"\1.conv2.weight"),
    (r"(neck.*)\.3\.(weight|bias)$", r"\1.layer_norm2.\2"),
    (r"(vision_encoder)\.blocks\.(\d+)\.norm", r"\1.layers.\2.layer_norm"),
    (r"(vision_encoder)\.blocks\.", r"\1.layers."),
    (r"(vision_encoder\.patch_embed)\.proj", r"\1.projection"),
    (r"model\.vision_model\.pos_embed", "model.vision_model.embeddings.position_embedding.weight"),
    (r"model\.vision_model\.patch_embed\.proj", "model.vision_model.embeddings.patch_embedding"),
    (r"model\.vision_model\.norm", "model.vision_model.post_layernorm"),
    (r"model\.vision_model\.blocks\.(\d+)\.norm", r"model.vision_model.encoder.layers.\1.layer_norm"),
    (r"model\.vision_model\.blocks\.(\d+)\.attn\.proj", r"model.vision_model.encoder.layers.\1.self_attn.out_proj"),
    (r"model\.vision_model\.blocks\.(\d+)\.attn\.", r"model.vision_model.encoder.layers.\1.self_attn."),
    (r"model\.vision_model\.blocks\.", "model.vision_model.encoder.layers."),
    (r"^aligner\.high_up_proj", "model.aligner.high_res_vision_proj"),
    (r"^aligner\.low_up_proj", "model.aligner.vision_proj"),
    (r"^aligner\.layers\.0", "model.aligner.linear1"),
    (r"^aligner\.layers\.2", "model.aligner.linear2"),
    (r"^aligner\.layers\.1", "model.aligner.proj"),
    (r"^language_model\.model\.", "model.language_model."),
    (r"^language_model\.lm_head", "lm_head"),
)


def as_native(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    native = {}
    for name, tensor in tensors.items():
        for pattern, replacement in AUTHORS_TO_NATIVE:
            name = re.sub(pattern, replacement, name)
        if name.startswith("model.vision_model.") and ".self_attn.qkv." in name:
            for letter, part in zip("qkv", tensor.chunk(3), strict=True):
                native[name.replace(".qkv.", f".{letter}_proj.")] = part.clone()
        elif name.endswith("position_embedding.weight"):
            native[name] = tensor[0].clone()
        else:
            native[name] = tensor
    return native


def sequence(pair: Pair) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return tokens with two images, the indices of the image tokens, and the canvases."""
    numbers = torch.Generator().manual_seed(3)
    image = [pair.config.image_token] * pair.config.tokens_per_image
    words = torch.randint(3, 448, (9,), generator=numbers).tolist()
    tokens = torch.tensor([[pair.config.bos, *words[:4], *image, *words[4:6], *image, *words[6:]]])
    side = pair.config.image_px
    canvases = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=numbers)
    return tokens, (tokens.flatten() == pair.config.image_token).nonzero().flatten(), canvases


@torch.no_grad()
def test_vision_features_and_logits_equal_the_reference(pair: Pair) -> None:
    tokens, places, canvases = sequence(pair)
    pixels = pair.reference_pixels(canvases)
    features = pair.reference.model.get_image_features(**pixels).pooler_output
    torch.testing.assert_close(pair.model.encode(canvases), features, atol=1e-5, rtol=1e-5)
    logits = pair.reference(input_ids=tokens, **pixels).logits
    assert logits.std() > 0.1
    torch.testing.assert_close(pair.model(tokens, places, canvases), logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_greedy_tokens_equal_the_reference(pair: Pair, pictures: list[Image.Image]) -> None:
    content = [{"type": "image"}, {"type": "text", "text": "what is it"}, {"type": "image"}]
    prompt = pair.processor.prompt([{"role": "user", "content": content}], pictures[:2])
    [answer] = generate(pair.model, pair.processor, [prompt], SamplingSettings(max_tokens=40))
    expected = pair.reference.generate(
        input_ids=torch.from_numpy(prompt.tokens)[None],
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=40,
        do_sample=False,
        pad_token_id=1,
        **pair.reference_pixels(torch.from_numpy(np.stack(prompt.canvases))),
    )
    assert answer.tokens == expected[0, len(prompt) :].tolist()


@torch.no_grad()
def test_authors_layout_holds_the_same_model(pair: Pair, tmp_path: Path) -> None:
    """Translated by the published key map, our file in the authors' layout equals the reference's state."""
    checkpoint.save(pair.model, tmp_path, layout="authors")
    unread = {tensor.name for tensor in Authors().unread(pair.config)}
    tensors = load_file(tmp_path / "model.safetensors")
    translated = as_native({name: tensor for name, tensor in tensors.items() if name not in unread})
    expected = pair.reference.state_dict()
    assert translated.keys() == expected.keys()
    for name, tensor in translated.items():
        torch.testing.assert_close(tensor, expected[name], atol=0, rtol=0)
    tokens, places, canvases = sequence(pair)
    loaded = checkpoint.load(tmp_path, device=tiny.CPU, dtype=torch.float32)
    assert torch.equal(loaded(tokens, places, canvases), pair.model(tokens, places, canvases))


@torch.no_grad()
def test_tensors_that_the_authors_left_in_their_files_are_passed_over(pair: Pair, tmp_path: Path) -> None:
    checkpoint.save(pair.model, tmp_path, layout="authors")
    tensors = load_file(tmp_path / "model.safetensors")
    tower = "vision_tower." if pair.config.high is None else "vision_tower_low.vision_tower."
    tensors[f"vision_model.{tower}attn_pool.latent"] = torch.zeros(1, 1, 32)
    tensors["language_model.model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(4)
    save_file(tensors, tmp_path / "model.safetensors")
    loaded = checkpoint.load(tmp_path, device=tiny.CPU, dtype=torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), pair.model.parameters(), strict=True))


@pytest.mark.parametrize("name", ["1.3b", "1.3b-hybrid", "7b", "nano"])
def test_names_shapes_and_counts_of_a_preset_equal_the_reference(name: str, tmp_path: Path) -> None:
    config = preset(name)
    native = checkpoint.LAYOUTS["native"]
    for file, content in native.write_config(config).items():
        (tmp_path / file).write_bytes(checkpoint._json_bytes(content))
    with torch.device("meta"):
        reference = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(tmp_path))
        ours = DeepseekVL(config)
    expected = {key: tuple(tensor.shape) for key, tensor in reference.state_dict().items()}
    parameters = dict(ours.named_parameters())
    entries = list(native.entries(config))
    assert {e.name: tuple(checkpoint._target(parameters[e.parameter], e).shape) for e in entries} == expected
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in reference.parameters())
    assert checkpoint.read_config(tmp_path) == config


@torch.no_grad()
def test_bfloat16_is_as_close_to_float32_as_the_reference(pair: Pair) -> None:
    tokens, places, canvases = sequence(pair)
    exact = pair.model(tokens, places, canvases)
    narrow = checkpoint.load(pair.folder, device=tiny.CPU, dtype=torch.bfloat16)
    ours = (narrow(tokens, places, canvases).float() - exact).square().mean().sqrt()
    reference = AutoModelForImageTextToText.from_pretrained(pair.folder, dtype=torch.bfloat16).eval()
    pixels = {key: value.bfloat16() for key, value in pair.reference_pixels(canvases).items()}
    theirs = (reference(input_ids=tokens, **pixels).logits.float() - exact).square().mean().sqrt()
    assert 0 < ours <= 1.1 * theirs


@torch.inference_mode()
def test_passes_in_slices_equal_whole_passes(pair: Pair) -> None:
    tokens, places, canvases = sequence(pair)
    visual = slices.finish(slices.encode(pair.model, canvases))
    assert torch.equal(visual, pair.model.encode(canvases))
    x, positions = pair.model.embed(tokens, places, visual), torch.arange(tokens.shape[1])[None]
    hidden = slices.finish(slices.decode(pair.model.language, x, positions, causal))
    assert torch.equal(hidden, pair.model.language(x, positions))


@torch.inference_mode()
def test_parts_of_a_prompt_are_embedded_as_the_whole(pair: Pair, pictures: list[Image.Image]) -> None:
    """Even if a part begins and ends within an image."""
    content = [{"type": "text", "text": "what"}, *[{"type": "image"}] * 3, {"type": "text", "text": "is it"}]
    prompt = pair.processor.prompt([{"role": "user", "content": content}], pictures[:3])
    embedder = Embedder(pair.model)
    visual = slices.finish(embedder.encode(prompt.canvases))
    canvases = torch.from_numpy(np.stack(prompt.canvases))
    places = np.flatnonzero(prompt.tokens == pair.config.image_token)
    whole = pair.model.embed(
        torch.from_numpy(prompt.tokens)[None], torch.from_numpy(places), pair.model.encode(canvases)
    )
    for size in (1, 7, len(prompt)):
        parts = [
            embedder.embed(prompt.tokens[k : k + size], visual, int((places < k).sum()))
            for k in range(0, len(prompt), size)
        ]
        torch.testing.assert_close(torch.cat(parts), whole[0], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="image tokens for 2 images"):
        embedder.embed(prompt.tokens, visual[:2])
