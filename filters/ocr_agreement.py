"""OCR agreement: PaddleOCR reads the image back; what it reads must be what the sample says is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from filters.character_errors import errors_at_places, errors_of_text, normalized
from filters.filter import Filter, Scores, Threshold, WorkerSettings
from sources.base.sample import Sample
from sources.paddle_ocr import reader as paddle_reader
from sources.paddle_ocr.page import OCR_TEXT
from sources.paddle_ocr.reader import PaddleReader

VERSION = "1"  # of the comparison
MIN_KNOWN = 0.5  # share of the text's characters that the reader must have been taught


@dataclass(frozen=True, kw_only=True)
class OcrAgreement(Filter):
    """Demands that PaddleOCR reads from the image at least `min_agreement` of the text that the sample says is there.

    The score is 1 - CER, at least 0: the character error rate is the number of wrong, missing and made-up characters
    over that of the text's own. It is null without an image, without a text that is on it (a conversation needs
    `words`), for scripts that the reader does not know, and for text that PaddleOCR read itself.

    Args:
        min_agreement: 0 to 1. Clean pages of real documents score 0.95 to 1.
        models: folder with `det/` and `rec/` of PaddleOCR's ONNX packages; None takes the models in the rapidocr wheel.
        download: models that PaddleOCR fetches over the network, e.g. `PP-OCRv6_medium`; never by default.
        timeout_s: seconds for the images of one sample; a dense page takes about 5 on one core.
        memory_mb: data that the reading process may allocate.
    """

    name: ClassVar[str] = "ocr_agreement"
    score_names: ClassVar[tuple[str, ...]] = ("ocr_agreement",)
    reasons: ClassVar[Mapping[str, str]] = {
        "ocr_agreement": "PaddleOCR reads something else on its images than the sample says is there."
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_agreement", "ocr_agreement", "min", ("ocr_agreement",)),
    )

    min_agreement: float = 0.8
    models: str | None = None
    download: str | None = None
    timeout_s: float = 180
    memory_mb: int = 4000

    def __post_init__(self) -> None:
        if not 0 <= self.min_agreement <= 1:
            raise ValueError(f"min_agreement must be between 0 and 1, got {self.min_agreement}")
        if self.models is not None and self.download is not None:
            raise ValueError("give either models (a folder) or download (a name), not both")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s must be positive, got {self.timeout_s}")
        if self.memory_mb < 1000:
            raise ValueError(f"memory_mb must be at least 1000, got {self.memory_mb}")

    def check(self) -> None:
        paddle_reader.check(
            self.models, self.download, needed_by="the ocr_agreement filter", setting="ocr_agreement.models"
        )

    def cache_key(self) -> str:
        return f"{VERSION}, {paddle_reader.identity(self.models, self.download)}"

    def worker(self) -> WorkerSettings:
        return WorkerSettings(
            timeout_s=self.timeout_s,
            start_timeout_s=120 if self.download is None else 3600,
            memory_mb=self.memory_mb,
            recycle_samples=1000,
            recycle_mb=2000,
            min_ram="4GB",
        )

    def load(self) -> None:
        paddle_reader.loaded(self.models, self.download)

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        reader = paddle_reader.loaded(self.models, self.download)
        return [Scores(values={"ocr_agreement": agreement(sample, reader)}) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        found = scores.values["ocr_agreement"]
        return "ocr_agreement" if found is not None and found < self.min_agreement else None


def agreement(sample: Sample, reader: PaddleReader) -> float | None:
    """1 - CER of what is read from a sample's images, 0 to 1; None where the score has no meaning."""
    if OCR_TEXT in sample.flags:
        return None
    words = [normalized(text) for text in sample.words.texts]
    if words:
        truth = "".join(words)
    elif sample.messages is None:
        truth = normalized(sample.plain_text())
    else:  # it is not known which words of a conversation are on the image
        truth = ""
    known = sum(character in reader.alphabet for character in truth)
    if not truth or not sample.images or known < MIN_KNOWN * len(truth):
        return None
    errors = 0
    if words:
        for number in sorted(set(sample.words.images.tolist())):
            here = np.flatnonzero(sample.words.images == number)
            lines = reader.read(sample.images[number].data)
            errors += errors_at_places([words[k] for k in here], sample.words.boxes[here], lines)
    else:
        read = [line.text for image in sample.images for line in reader.read(image.data)]
        errors = errors_of_text(truth, normalized("".join(read)))
    return round(max(0.0, 1 - errors / len(truth)), 4)
