"""Configuration of a model. The numbers are from arXiv 2403.05525, section 3.1, and the public checkpoints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

Triple = tuple[float, float, float]
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)
SPECIAL_TOKENS = {
    "bos": "<｜begin▁of▁sentence｜>",
    "eos": "<｜end▁of▁sentence｜>",
    "image_token": "<image_placeholder>",
}
"""The special tokens by the field of `ModelConfig` that holds their id."""


def _divides(divisor: int, number: int, divisor_name: str, number_name: str) -> None:
    if divisor <= 0 or number <= 0 or number % divisor:
        raise ValueError(f"{divisor_name} ({divisor}) must divide {number_name} ({number}), both positive")


def _normalizes(mean: Sequence[float], std: Sequence[float], tower: str) -> None:
    if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise ValueError(f"{tower}: mean and std must be three numbers each, std positive, got {mean} and {std}")


@dataclass(frozen=True, kw_only=True)
class SiglipConfig:
    """The low tower: a SigLIP vision transformer without its pooling head.

    Args:
        image_px: side of the square input image.
        patch_px: side of a patch; one patch becomes one visual token.
        hidden: width of the hidden layer of an MLP.
        mean, std: mean and standard deviation of the pixels per channel, on a scale of 0 to 1.
    """

    image_px: int = 384
    patch_px: int = 16
    width: int = 1024
    layers: int = 24
    heads: int = 16
    hidden: int = 4096
    norm_eps: float = 1e-6
    mean: Triple = HALF
    std: Triple = HALF

    def __post_init__(self) -> None:
        _divides(self.patch_px, self.image_px, "siglip: patch_px", "image_px")
        _divides(self.heads, self.width, "siglip: heads", "width")
        if self.layers < 1:
            raise ValueError(f"siglip: at least one layer is needed, got {self.layers}")
        _normalizes(self.mean, self.std, "siglip")

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.image_px // self.patch_px


@dataclass(frozen=True, kw_only=True)
class SamConfig:
    """The high tower: the image encoder of SAM, its neck and two downsampling convolutions.

    Args:
        image_px: side of the square input image.
        patch_px: side of a patch.
        hidden: width of the hidden layer of an MLP.
        window: side of an attention window in patches.
        global_layers: blocks that attend over the whole image; the first also feeds the second branch.
        neck_width: channels after the neck; two stride-2 convolutions double them twice.
        mean, std: mean and standard deviation of the pixels per channel, on a scale of 0 to 1.
    """

    image_px: int = 1024
    patch_px: int = 16
    width: int = 768
    layers: int = 12
    heads: int = 12
    hidden: int = 3072
    window: int = 14
    global_layers: tuple[int, ...] = (2, 5, 8, 11)
    neck_width: int = 256
    norm_eps: float = 1e-6
    mean: Triple = CLIP_MEAN
    std: Triple = CLIP_STD

    def __post_init__(self) -> None:
        _divides(self.patch_px, self.image_px, "sam: patch_px", "image_px")
        _divides(self.heads, self.width, "sam: heads", "width")
        _normalizes(self.mean, self.std, "sam")
        if not self.global_layers or not all(0 <= layer < self.layers for layer in self.global_layers):
            raise ValueError(f"sam: global_layers must name blocks 0 to {self.layers - 1}, got {self.global_layers}")

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.image_px // self.patch_px

    @property
    def output_width(self) -> int:
        """Channels after both downsampling convolutions."""
        return self.neck_width * 4


def colour(mean: Sequence[float]) -> tuple[int, int, int]:
    """Return a mean on a scale of 0 to 1 as the authors' background colour, truncated to 0 to 255."""
    red, green, blue = (int(value * 255) for value in mean)
    return red, green, blue


@dataclass(frozen=True, kw_only=True)
class LanguageConfig:
    """A LLaMA decoder.

    Args:
        vocabulary: number of token ids, including unused ones.
        hidden: width of the hidden layer of the gated MLP.
        max_positions: longest sequence in tokens, visual tokens included.
    """

    vocabulary: int = 102400
    width: int = 2048
    layers: int = 24
    heads: int = 16
    hidden: int = 5632
    max_positions: int = 16384
    norm_eps: float = 1e-6
    rope_theta: float = 10000.0

    def __post_init__(self) -> None:
        _divides(self.heads * 2, self.width, "language: twice heads", "width")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A DeepSeek-VL: low tower, high tower (None for the low tower alone), adaptor, language model.

    Args:
        bos, eos, image_token: ids of `<｜begin▁of▁sentence｜>`, `<｜end▁of▁sentence｜>` and `<image_placeholder>`.
        background: colour around an image on the canvas, 0 to 255 per channel; None for the mean colour of the tower.
        low_filter: filter that shrinks the canvas for the low tower of a hybrid: bilinear (as released) or bicubic.
    """

    low: SiglipConfig = field(default_factory=SiglipConfig)
    high: SamConfig | None = None
    language: LanguageConfig = field(default_factory=LanguageConfig)
    bos: int = 100000
    eos: int = 100001
    image_token: int = 100015
    background: tuple[int, int, int] | None = None
    low_filter: str = "bilinear"

    def __post_init__(self) -> None:
        if self.low_filter not in ("bilinear", "bicubic"):
            raise ValueError(f"low_filter must be bilinear or bicubic, got {self.low_filter!r}")
        for name in ("bos", "eos", "image_token"):
            token, vocabulary = getattr(self, name), self.language.vocabulary
            if not 0 <= token < vocabulary:
                raise ValueError(f"{name} must be below the vocabulary of {vocabulary}, got {token}")
        if self.high is not None and self.language.width % 2:
            raise ValueError(f"language: a hybrid needs an even width, got {self.language.width}")

    @property
    def tower(self) -> SiglipConfig | SamConfig:
        """The tower that determines the canvas: the high one if there is one."""
        return self.high or self.low

    @property
    def image_px(self) -> int:
        """Side of the canvas on which an image is placed."""
        return self.tower.image_px

    @property
    def canvas_colour(self) -> tuple[int, int, int]:
        """The colour around an image on the canvas, 0 to 255 per channel."""
        return self.background or colour(self.tower.mean)

    @property
    def tokens_per_image(self) -> int:
        """Number of visual tokens per image: 576 in the public models."""
        return self.low.grid**2


_1_3B = LanguageConfig()
_7B = LanguageConfig(width=4096, layers=30, heads=32, hidden=11008)

PRESETS = {
    "1.3b": ModelConfig(language=_1_3B),
    "1.3b-hybrid": ModelConfig(language=_1_3B, high=SamConfig()),
    "7b": ModelConfig(language=_7B, high=SamConfig()),
    # 32 million parameters: hybrid like the 7B, small enough to train on a laptop.
    "nano": ModelConfig(
        low=SiglipConfig(image_px=192, width=256, layers=6, heads=4, hidden=1024),
        high=SamConfig(
            image_px=512, width=256, layers=6, heads=4, hidden=1024, window=8, global_layers=(1, 3, 5), neck_width=64
        ),
        language=LanguageConfig(vocabulary=8192, width=384, layers=8, heads=6, hidden=1024, max_positions=4096),
        bos=0,
        eos=1,
        image_token=2,
    ),
    # 5 million parameters: hybrid, small enough to train through all stages on two CPU cores.
    "pico": ModelConfig(
        low=SiglipConfig(image_px=96, width=128, layers=4, heads=4, hidden=512),
        high=SamConfig(
            image_px=256, width=96, layers=4, heads=4, hidden=384, window=8, global_layers=(1, 3), neck_width=32
        ),
        language=LanguageConfig(vocabulary=4096, width=192, layers=6, heads=6, hidden=512, max_positions=2048),
        bos=0,
        eos=1,
        image_token=2,
    ),
}


def preset(name: str) -> ModelConfig:
    """Return the configuration of a published or bundled size. Raises ValueError for an unknown name."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
