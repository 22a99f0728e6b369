"""The source: numbers to samples. Everything about sample n comes from the settings, the texts, the seed and n."""

import importlib.util
import math
import platform
import random as random_module
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from sources.fingerprint import picture_fingerprint
from sources.generator import generator
from sources.images import encode, ink, luma
from sources.ocr.vocabulary import LANGUAGES
from sources.sample import Provenance, Sample, Words, sample_id
from sources.source import ItemError
from sources.synthetic import REPLACED, Synthetic

CODE_VERSION = 1  # raise it when this room writes other bytes for the same sample
PACKAGES = {"cv2": "opencv-contrib-python", "fontTools": "fonttools", "matplotlib": "matplotlib"}
SCENE = "scene"  # a kind beside the templates
ENGINES = ("story", "chromium")
MAX_ATTEMPTS = 24
CALMER = 0.85  # each attempt is degraded by so much less than the one before
MIXED = 0.35  # share of bundled paragraphs put together from sentences of all over


@dataclass(frozen=True, kw_only=True)
class Ocr(Synthetic):
    """Document pages and scene text with what is written on them and where.

    Args:
        input: text, JSONL or Parquet files whose text fills the pages; empty means the bundled texts.
        text_key: field of JSONL and Parquet rows that holds the text.
        languages: `en`, `zh` or both.
        kinds: names of templates, and `scene`, with their weights; empty means all templates alike.
        scene: without `kinds`, share of scene text.
        tasks: what a sample says, with its weight; `text` gives a pre-training text, the others a conversation.
        strength: of degradation, 0 (none) to 1; a sample's own is drawn between 0 and this.
        side_px: long side of a page in pixels.
        engine: `story` (MuPDF) or `chromium`, which draws the same templates with a browser.
        format, quality: of the images, `png` (lossless), `jpeg` or `webp`; quality of the last two.
        license: of the samples.
    """

    name: ClassVar[str] = "ocr"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".md", ".jsonl", ".parquet")
    use_cases: ClassVar[tuple[str, ...]] = (
        "conversion/image_to_code/formula",
        "recognition/local_description/pointing",
        "recognition/local_description/position",
        "recognition/ocr_and_transcription/handwriting",
        "recognition/ocr_and_transcription/printed_text",
        "recognition/ocr_and_transcription/specified_format",
        "recognition/ocr_and_transcription/specified_language",
    )

    license: str | None = "cc0-1.0"
    text_key: str = "text"
    languages: tuple[str, ...] = LANGUAGES
    kinds: Mapping[str, float] = field(default_factory=dict)
    scene: float = 0.25
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {"text": 0.35, "transcription": 0.25, "markdown": 0.2, "grounding": 0.2}
    )
    strength: float = 0.5
    side_px: int = 1024
    engine: str = "story"
    format: str = "jpeg"
    quality: int = 90

    def __post_init__(self) -> None:
        super().__post_init__()
        missing = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
        if missing:
            raise ValueError(f"ocr needs {', '.join(missing)}; install with: pip install 'vellum-vl[ocr]'")
        from sources.fonts import fonts_for
        from sources.fonts import LANGUAGES as WRITTEN
        from sources.ocr.messages import TASKS
        from sources.ocr.templates.registry import TEMPLATES

        check_names("languages", self.languages, tuple(WRITTEN))
        unread = [language for language in self.languages if language not in LANGUAGES]
        if unread and not self.input:
            raise ValueError(f"there is no bundled text in {', '.join(unread)}; name files with --input")
        check_weights("kinds", self.kinds, (*TEMPLATES, SCENE), empty=True)
        check_weights("tasks", self.tasks, TASKS)
        for name in ("scene", "strength"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if not 512 <= self.side_px <= 2048:
            raise ValueError(f"side_px must be between 512 and 2048, got {self.side_px}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine must be {' or '.join(ENGINES)}, got {self.engine!r}")
        if self.format not in ("png", "jpeg", "webp"):
            raise ValueError(f"format must be png, jpeg or webp, got {self.format!r}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality must be between 1 and 100, got {self.quality}")
        for language in self.languages:
            fonts_for(language)  # raises if there is none
