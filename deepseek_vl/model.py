"""The whole model: images to visual tokens, visual tokens among text tokens, hidden states, logits.

Shapes: N images, P visual tokens of an image, B sequences, T tokens, D width, V vocabulary, Y and X pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.adaptor import Adaptor
from deepseek_vl.config import ModelConfig, SamConfig, SiglipConfig
from deepseek_vl.language import Language
from deepseek_vl.sam import Sam
from deepseek_vl.siglip import Siglip


class DeepseekVL(nn.Module):
    """A DeepSeek-VL of any size. Its parameters hold no meaningful values until loaded or initialised."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.siglip = Siglip(config.low)
        self.sam = None if config.high is None else Sam(config.high, config.low.grid)
        high_width = None if config.high is None else config.high.output_width
        self.adaptor = Adaptor(config.low.width, high_width, config.language.width)
        self.language = Language(config.language)

    @classmethod
    def empty(cls, config: ModelConfig, *, device: torch.device, dtype: torch.dtype) -> "DeepseekVL":
        """A model whose memory is allocated once, on its device and in its type, and not filled."""
        with torch.device("meta"):
            model = cls(config)
        return model.to(dtype).to_empty(device=device).eval()

    @classmethod
    def random(cls, config: ModelConfig, seed: int, *, device: torch.device, dtype: torch.dtype) -> "DeepseekVL":
        """A model to train from scratch: normal weights of deviation 0.02, biases and the branch weight 0, norms 1."""
        model = cls.empty(config, device=device, dtype=dtype)
        generator = torch.Generator(device).manual_seed(seed)
        with torch.no_grad():
            for module in model.modules():
                for name, parameter in module.named_parameters(recurse=False):
                    if isinstance(module, nn.LayerNorm | nn.RMSNorm) and name == "weight":
                        parameter.fill_(1)
                    elif name in ("bias", "branch_weight"):
                        parameter.zero_()
                    else:
                        parameter.normal_(0, 0.02, generator=generator)
        return model

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.adaptor.out.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.adaptor.out.weight.dtype

    def encode(self, canvases_N3YX: Tensor) -> Tensor:
        """Canvases of the processor, uint8 on the model's device, to (N, P, D) visual tokens."""
        pixels = canvases_N3YX.float() / 255
        low, high = self.config.low, self.config.high
        if self.sam is None or high is None:
            return self.adaptor(self.siglip(self._normalise(pixels, low)), None)
        size = (low.image_px, low.image_px)
        small = F.interpolate(pixels, size=size, mode="bilinear", antialias=True, align_corners=False)
        return self.adaptor(self.siglip(self._normalise(small, low)), self.sam(self._normalise(pixels, high)))

    def _normalise(self, pixels_N3YX: Tensor, tower: SiglipConfig | SamConfig) -> Tensor:
        mean, std = pixels_N3YX.new_tensor([tower.mean, tower.std])[:, :, None, None]
        return ((pixels_N3YX - mean) / std).to(self.dtype)

    def embed(self, tokens_BT: Tensor, image_places: Tensor, visual_NPD: Tensor | None) -> Tensor:
        """Embed tokens, with visual tokens in their places.

        Args:
            image_places: (N * P,) places of the image tokens in the flattened `tokens_BT`, in the order of the images.
            visual_NPD: what `encode` gave; None without images.
        """
        x_BTD = self.language.embedding(tokens_BT)
        if visual_NPD is None:
            return x_BTD
        return x_BTD.flatten(0, 1).index_copy(0, image_places, visual_NPD.flatten(0, 1)).view_as(x_BTD)

    def forward(self, tokens_BT: Tensor, image_places: Tensor, canvases_N3YX: Tensor | None) -> Tensor:
        """Logits (B, T, V) of every next token; shorter sequences are padded at the end. For training and parity."""
        visual_NPD = None if canvases_N3YX is None else self.encode(canvases_N3YX)
        x_BTD = self.embed(tokens_BT, image_places, visual_NPD)
        positions_BT = torch.arange(tokens_BT.shape[1], device=tokens_BT.device).expand_as(tokens_BT)
        return self.language.head(self.language(x_BTD, positions_BT))
