"""Degradation: a clean page as a scan, a photograph or a photocopy of it, its words' boxes moved along exactly."""

from sources.base.illegible import Illegible
from sources.ocr.degradation.captures import PAGES, SCENES
from sources.ocr.degradation.degrade import Degraded, degrade

__all__ = ["PAGES", "SCENES", "Degraded", "Illegible", "degrade"]
