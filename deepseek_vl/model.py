"""The whole model: towers, adaptor and language model, from images and tokens to logits.

Shapes: N images, P visual tokens per image, B sequences, T tokens, D width, V vocabulary, Y and X pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepseek_vl.adaptor import Adaptor
from deepseek_vl.config import ModelConfig, SamConfig, SiglipConfig
from deepseek_vl.language import Language
from deepseek_vl.quantization import quantize_layers
from deepseek_vl.sam import Sam
from deepseek_vl.siglip import Siglip


class DeepseekVL(nn.Module):
    """A DeepSeek-VL of any size. Its parameters have no meaningful values until they are loaded or initialised."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.siglip = Siglip(config.low)
        self.sam = None if config.high is None else Sam(config.high, config.low.grid)
        high_width = None if config.high is None else config.high.output_width
        self.adaptor = Adaptor(config.low.width, high_width, config.language.width)
        self.language = Language(config.language)

    @classmethod
    def empty(
        cls, config: ModelConfig, *, device: torch.device, dtype: torch.dtype, quantize: str | None = None
    ) -> "DeepseekVL":
        """Return a model with uninitialised memory, allocated once, on its device and in its type.

        Args:
            quantize: int8 or int4 for a language model with quantized weights (see `quantization`).
        """
        with torch.device("meta"):
            model = cls(config)
            if quantize is not None:
                quantize_layers(model.language, quantize)
        return model.to(dtype).to_empty(device=device).eval()

    @classmethod
    def random(cls, config: ModelConfig, seed: int, *, device: torch.device, dtype: torch.dtype) -> "DeepseekVL":
        """Return an untrained model: weights normal with deviation 0.02, biases and branch weight 0, norms 1."""
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
        """The device of the weights."""
        return self.adaptor.out.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.adaptor.out.weight.dtype

    def encode(self, canvases_N3YX: Tensor) -> Tensor:
        """Encode the processor's canvases, uint8 on the model's device, as (N, P, D) visual tokens."""
        low, high = self.tower_inputs(canvases_N3YX)
        features = None if self.sam is None else self.sam(high)
        visual_NPD: Tensor = self.adaptor(self.siglip(low), features)
        return visual_NPD

    def tower_inputs(self, canvases_N3YX: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the normalised pixels for the low tower, and for the high tower if there is one."""
        pixels = canvases_N3YX.float() / 255
        low, high = self.config.low, self.config.high
        if high is None:
            return self._normalise(pixels, low), None
        size = (low.image_px, low.image_px)
        small = F.interpolate(pixels, size=size, mode=self.config.low_filter, antialias=True, align_corners=False)
        return self._normalise(small, low), self._normalise(pixels, high)

    def _normalise(self, pixels_N3YX: Tensor, tower: SiglipConfig | SamConfig) -> Tensor:
        mean, std = pixels_N3YX.new_tensor([tower.mean, tower.std])[:, :, None, None]
        normalised: Tensor = (pixels_N3YX - mean) / std
        return normalised.to(self.dtype)

    def embed(self, tokens_BT: Tensor, image_places: Tensor, visual_NPD: Tensor | None) -> Tensor:
        """Embed tokens and replace the embeddings of image tokens by visual tokens.

        Args:
            image_places: (N * P,) indices of the image tokens in the flattened `tokens_BT`, in the order of the images.
            visual_NPD: result of `encode`; None without images.
        Returns:
            (B, T, D) embeddings.
        """
        x_BTD: Tensor = self.language.embedding(tokens_BT)
        if visual_NPD is None:
            return x_BTD
        return x_BTD.flatten(0, 1).index_copy(0, image_places, visual_NPD.flatten(0, 1)).view_as(x_BTD)

    def forward(self, tokens_BT: Tensor, image_places: Tensor, canvases_N3YX: Tensor | None) -> Tensor:
        """Return (B, T, V) logits of every next token, for training; shorter sequences are padded at the end."""
        visual_NPD = None if canvases_N3YX is None else self.encode(canvases_N3YX)
        x_BTD = self.embed(tokens_BT, image_places, visual_NPD)
        positions_BT = torch.arange(tokens_BT.shape[1], device=tokens_BT.device).expand_as(tokens_BT)
        logits_BTV: Tensor = self.language.head(self.language(x_BTD, positions_BT))
        return logits_BTV
