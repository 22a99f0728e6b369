"""Scene text: words on signs, labels and surfaces, as a camera sees them."""

from sources.base.illegible import Illegible
from sources.ocr.scene.scene import draw_scene

__all__ = ["Illegible", "draw_scene"]
