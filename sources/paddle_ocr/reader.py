"""PaddleOCR reads an image: lines of text with their places. No network, one thread, the same lines every time.

The weights come from the `rapidocr` wheel, which carries PaddleOCR's PP-OCRv6 models as ONNX; a folder of others may
be named. Two libraries would speak to the network unasked, and are told not to: PaddleX looks for the hosts of its
models, and onnxruntime's wheel for Linux sends usage data to its maker.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import yaml
from PIL import Image

from sources.optional_dependencies import how_to_install

PACKAGES = ("onnxruntime", "opencv-contrib-python", "paddleocr", "paddlex")  # that decide what is read
MODULES = ("cv2", "onnxruntime", "paddleocr", "rapidfuzz")
SILENT = {"PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True", "ORT_DISABLE_TELEMETRY": "1"}
ENGINE = {
    "intra_op_num_threads": 1,
    "inter_op_num_threads": 1,
    # Every line has another width: what the allocator keeps for the next one would never be used again. On pages of
    # 1024 px the process holds 0.6 GB without, 1.4 GB with.
    "enable_cpu_mem_arena": False,
    "enable_mem_pattern": False,
}
TALL = 1.5  # a line that is as many times higher than wide is turned before it is read
LINES_AT_A_TIME = 1  # padding lines to the longest of a batch of 6 cost 30 % more time, and twice the memory
# The content of `inference.yml` in PaddleOCR's own packages of these models.
DETECTION = {
    "Global": {"model_name": "PP-OCRv6_small_det"},
    "PreProcess": {
        "transform_ops": [
            {"DetResizeForTest": {"resize_long": 960}},
            {
                "NormalizeImage": {
                    "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225],
                    "scale": "1./255.",
                    "order": "hwc",
                }
            },
            {"ToCHWImage": None},
        ]
    },
    "PostProcess": {
        "name": "DBPostProcess",
        "thresh": 0.3,
        "box_thresh": 0.6,
        "max_candidates": 1000,
        "unclip_ratio": 1.5,
    },
}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 18,000 characters: 0.1 s instead of 2
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
RECOGNITION = {
    "Global": {"model_name": "PP-OCRv6_small_rec"},
    "PreProcess": {"transform_ops": [{"RecResizeImg": {"image_shape": [3, 48, 320]}}]},
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that was read.

    Args:
        quad: (4, 2) float32 corners (x, y) in pixels, clockwise from the top left one.
        confidence: mean of the characters' probabilities, 0 to 1.
        spaces: places of the spaces between words along the line, as shares of its length, in order.
    """

    text: str
    quad: np.ndarray
    confidence: float = 1.0
    spaces: Sequence[float] = ()


class PaddleReader:
    """PaddleOCR with its detection and recognition models loaded.

    Args:
        models: folder with `det/` and `rec/`, each with `inference.onnx` and `inference.yml` as PaddleOCR's own ONNX
            packages have them; None takes the weights of the rapidocr wheel.
        download: name of models that PaddleOCR fetches if it has not got them, e.g. `PP-OCRv6_medium`.
    """

    def __init__(self, models: str | None = None, download: str | None = None):
        os.environ.update(SILENT)
        with tempfile.TemporaryDirectory(prefix="vellum-paddle-") as scratch:
            if download is None:
                os.environ["PADDLE_PDX_CACHE_HOME"] = scratch  # else it reads pickles from a folder in the user's home
            _import_paddleocr(with_downloads=download is not None)
            import cv2
            import paddleocr

            cv2.setNumThreads(1)
            folders = _folders(models, download, Path(scratch))
            settings = {kind: _settings(folder) for kind, folder in folders.items()}
            self._engine = paddleocr.PaddleOCR(
                text_detection_model_dir=str(folders["det"]),
                text_detection_model_name=settings["det"]["Global"]["model_name"],
                text_recognition_model_dir=str(folders["rec"]),
                text_recognition_model_name=settings["rec"]["Global"]["model_name"],
                text_recognition_batch_size=LINES_AT_A_TIME,
                use_doc_orientation_classify=False,
                use_doc_unwarping=False,
                use_textline_orientation=False,
                engine="onnxruntime",
                engine_config=ENGINE,
                device="cpu",
            )
        self.alphabet = frozenset("".join(settings["rec"]["PostProcess"]["character_dict"]))

    def read(self, image: bytes) -> list[Line]:
        """The lines on an encoded image, roughly from top to bottom."""
        return self.read_pixels(np.asarray(Image.open(io.BytesIO(image)).convert("RGB")))

    def read_pixels(self, rgb: np.ndarray) -> list[Line]:
        """The lines on a (height, width, 3) uint8 RGB image, roughly from top to bottom."""
        (page,) = self._engine.predict(np.ascontiguousarray(rgb[:, :, ::-1]), return_word_box=True)
        columns = (page[name] for name in ("rec_texts", "rec_polys", "rec_scores", "text_word", "text_word_boxes"))
        return [
            Line(text, np.asarray(quad, np.float32), float(score), _spaces(np.asarray(quad), pieces, boxes))
            for text, quad, score, pieces, boxes in zip(*columns, strict=True)
        ]


def _spaces(quad: np.ndarray, pieces: Sequence[str], boxes: np.ndarray) -> list[float]:
    """Return where the spaces of a line are, from the places that PaddleOCR gives for its pieces.

    Args:
        pieces: the line's text, cut where letters, Chinese characters and signs meet.
        boxes: (N, 4) x0, y0, x1, y1 of each piece, which are right along the longer side of the line only.
    """
    axis = int(np.ptp(quad[:, 1]) > TALL * np.ptp(quad[:, 0]))
    start, length = quad[0, axis], max(1.0, float((quad[2] - quad[0])[axis]))
    found = []
    for piece, box in zip(pieces, np.asarray(boxes, np.float64).reshape(-1, 4), strict=False):
        step = (box[2 + axis] - box[axis]) / len(piece)
        found += [(box[axis] + (k + 0.5) * step - start) / length for k, sign in enumerate(piece) if sign == " "]
    return sorted(found)


@functools.cache
def loaded(models: str | None, download: str | None = None) -> PaddleReader:
    """This process's reader with these models."""
    return PaddleReader(models, download)


def _import_paddleocr(*, with_downloads: bool) -> None:
    """Import PaddleOCR; without downloads spare it modelscope, a client for them that imports torch: 4 s, 200 MB."""
    is_spared = not with_downloads and "modelscope" not in sys.modules
    if is_spared:
        sys.modules["modelscope"] = ModuleType("modelscope")
    try:
        import paddleocr  # noqa: F401
    finally:
        if is_spared:
            del sys.modules["modelscope"]


def check(models: str | None, download: str | None = None, *, needed_by: str, setting: str) -> None:
    """Raise ValueError, saying what to install, unless all that reading needs is there.

    Args:
        needed_by: who reads, such as "the ocr_agreement filter".
        setting: the setting that names a folder of models.
    """
    missing = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{needed_by} needs {', '.join(missing)}: {how_to_install('ocr')}; "
            "and pip install --no-deps rapidocr for the weights"
        )
    if download is None:
        model_files(models, needed_by=needed_by, setting=setting)


def model_files(models: str | None, *, needed_by: str = "PaddleOCR", setting: str = "models") -> dict[str, Path]:
    """The ONNX files of detection (`det`) and recognition (`rec`). Raises ValueError saying where to get them."""
    if models is not None:
        needed = [Path(models) / kind / name for kind in ("det", "rec") for name in ("inference.onnx", "inference.yml")]
        for path in needed:
            if not path.is_file():
                raise ValueError(f"{setting} expects a folder with PaddleOCR's ONNX models; {path} is missing")
        return {kind: Path(models) / kind / "inference.onnx" for kind in ("det", "rec")}
    spec = importlib.util.find_spec("rapidocr")  # found, not imported: only its data files are wanted
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = {kind: Path(folder) / "models" / f"PP-OCRv6_{kind}_small.onnx" for kind in ("det", "rec")}
        if all(path.is_file() for path in found.values()):
            return found
    raise ValueError(
        f"{needed_by} needs PaddleOCR's models: run `pip install --no-deps 'rapidocr>=3.10'`, "
        f"which carries them, or name a folder of models with --set {setting}=FOLDER"
    )


@functools.cache
def identity(models: str | None, download: str | None) -> str:
    """Everything that decides which text is read from an image: versions of libraries and the digest of the models."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    if download is not None:
        return ", ".join([*versions, download])
    digest = hashlib.sha256()
    for path in model_files(models).values():
        digest.update(path.read_bytes())
        if models is not None:
            digest.update(path.with_name("inference.yml").read_bytes())
    return ", ".join([*versions, digest.hexdigest()])


def _folders(models: str | None, download: str | None, scratch: Path) -> dict[str, Path]:
    """Model folders as PaddleOCR wants them, by `det` and `rec`."""
    if download is not None:
        from paddlex.inference.utils.official_models import official_models

        return {
            kind: Path(official_models.get_model_path(f"{download}_{kind}", model_formats=("onnx",)))
            for kind in ("det", "rec")
        }
    files = model_files(models)
    if models is None:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(files["rec"]), providers=["CPUExecutionProvider"])
        characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
        decoding = {"name": "CTCLabelDecode", "character_dict": characters}
        settings = {"det": DETECTION, "rec": {**RECOGNITION, "PostProcess": decoding}}
        for kind, path in files.items():
            folder = scratch / kind
            folder.mkdir()
            (folder / "inference.onnx").symlink_to(path)
            (folder / "inference.yml").write_text(yaml.dump(settings[kind], Dumper=_DUMPER, allow_unicode=True))
        return {kind: scratch / kind for kind in files}
    return {kind: path.parent for kind, path in files.items()}


def _settings(folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.load((folder / "inference.yml").read_bytes(), _LOADER)
    return settings
