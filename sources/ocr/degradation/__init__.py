"""Degradation: turn a clean page into a scan, photograph or photocopy of it and move the boxes of its words exactly."""

from sources.base.illegible import Illegible
from sources.ocr.degradation.captures import PAGES, SCENES
from sources.ocr.degradation.degrade import DegradedText, degrade

__all__ = ["PAGES", "SCENES", "DegradedText", "Illegible", "degrade"]
