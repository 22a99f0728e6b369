"""Every shipped file of settings is valid and builds its model, with the parameters that the paper trains."""

import pytest
import torch

from deepseek_vl.config import preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train import parts
from deepseek_vl.train.settings import load_settings, shipped_names

PRESETS = ("1.3b", "1.3b-hybrid", "7b", "nano", "pico")
# Trained parts, learning rate, warm-up steps, steps, sequences: arXiv 2403.05525, section 3.2 and table of stages.
PAPER = {
    "stage1-1.3b": ({"adaptor"}, 1e-3, 128, 15_000, 256),
    "stage2-1.3b": ({"adaptor", "language"}, 3e-5, 2000, 96_000, 1024),
    "stage3-1.3b": ({"adaptor", "language", "siglip"}, 2e-5, 256, 10_000, 256),
    "stage1-7b": ({"adaptor"}, 1e-3, 128, 15_000, 256),
    "stage2-7b": ({"adaptor", "language"}, 4.2e-5, 2000, 42_000, 2304),
    "stage3-7b": ({"adaptor", "language", "siglip"}, 2e-5, 256, 10_000, 256),
}
# In millions, from the widths of the paper: 24 blocks of 12.6 for the low tower, 12 of 7.1 for the high one, …
SIZES = {"1.3b": (304, 0, 6, 1646), "7b": (304, 96, 20, 6910)}


def test_each_preset_has_three_stages() -> None:
    assert shipped_names() == sorted(f"stage{stage}-{name}" for stage in (1, 2, 3) for name in PRESETS)


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_settings_are_valid_and_fit_their_model(name: str) -> None:
    settings = load_settings(name)
    config = preset(name.partition("-")[2])
    assert settings.data.tokens <= config.language.max_positions
    with torch.device("meta"):
        model = DeepseekVL(config)
    parts.freeze(model, settings.train)
    trained = {part for part, (number, _) in parts.counts(model).items() if number}
    assert trained == settings.train.keys()


@pytest.mark.parametrize("name", PAPER)
def test_stages_follow_the_paper(name: str) -> None:
    settings = load_settings(name)
    optimization = settings.optimization
    rates = set(settings.train.values())
    assert (
        set(settings.train),
        *rates,
        optimization.schedule.warmup_steps,
        optimization.steps,
        optimization.sequences,
    ) == PAPER[name]
    assert (optimization.betas, optimization.weight_decay, optimization.clip) == ((0.9, 0.95), 0.0, 1.0)
    assert settings.data.packed == name.startswith("stage2")


def test_text_is_seven_tenths_of_joint_training() -> None:
    settings = load_settings("stage2-7b")
    assert settings.data.text_share is not None
    assert (settings.data.text_share.start, settings.data.text_share.end) == (1.0, 0.7)
    weights = dict.fromkeys(("text", "multimodal"), 0.0)
    for source in settings.data.sources:
        weights[source.group] += source.weight
    assert weights == {"text": pytest.approx(70.0), "multimodal": pytest.approx(30.0)}


@pytest.mark.parametrize("name", SIZES)
def test_models_have_the_size_of_the_paper(name: str) -> None:
    with torch.device("meta"):
        found = parts.counts(DeepseekVL(preset(name)))
    sizes = [round(found.get(part, (0, 0))[1] / 1e6) for part in ("siglip", "sam", "adaptor", "language")]
    assert sizes == pytest.approx(SIZES[name], rel=0.02, abs=1)


def test_pico_is_small_enough_for_two_cores() -> None:
    config = preset("pico")
    assert (config.image_px, config.low.image_px, config.tokens_per_image) == (256, 96, 36)
    with torch.device("meta"):
        model = DeepseekVL(config)
    assert 3e6 < sum(p.numel() for p in model.parameters()) < 6e6
