"""Scans: pages that are pictures of pages, with or without a text layer, and how much of them still has to be read."""

from dataclasses import dataclass

import numpy as np

from sources.images.ink import ink
from sources.images.strokes import unread_share
from sources.pdfs.coverage import SCAN_COVERAGE
from sources.pdfs.engines import BLANK_INK
from sources.pdfs.seen import SeenWords

MOSTLY = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanReport:
    """The judgement of a page as a scan.

    Args:
        flags: `scan`, `ocr_layer`, and one `needs_ocr_…` that gives the reason if `needs_ocr` is above `MOSTLY`.
        needs_ocr: share of the page's strokes that are outside of words, 0 to 1, if images cover the page; else 0. It
            is 1 without words and for a layer whose words are in other places than the picture's.
    """

    flags: tuple[str, ...]
    needs_ocr: float


def scan_report(grey: np.ndarray, seen: SeenWords) -> ScanReport:
    """Judge a page from its (height, width) uint8 luma and the words that are seen."""
    is_covered = seen.coverage >= SCAN_COVERAGE
    if not len(seen.boxes):
        if ink(grey) < BLANK_INK:
            return ScanReport(flags=(), needs_ocr=0.0)
        return ScanReport(flags=(*(("scan",) if is_covered else ()), "needs_ocr_no_words"), needs_ocr=1.0)
    if not is_covered:
        return ScanReport(flags=(), needs_ocr=0.0)
    unread = unread_share(grey, seen.boxes)
    if seen.is_misplaced:
        return ScanReport(flags=("scan", "ocr_layer", "needs_ocr_misplaced_layer"), needs_ocr=1.0)
    if 2 * np.count_nonzero(~seen.painted) >= len(seen.painted):
        reason = ("needs_ocr_thin_layer",) if unread > MOSTLY else ()
        return ScanReport(flags=("scan", "ocr_layer", *reason), needs_ocr=unread)
    if unread > MOSTLY:  # a stamp or a running title on a scan
        return ScanReport(flags=("scan", "needs_ocr_stamp_only"), needs_ocr=unread)
    return ScanReport(flags=(), needs_ocr=unread)
