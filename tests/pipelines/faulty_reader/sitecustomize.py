"""Put on PYTHONPATH by tests: pages that say CRASH, HANG or GREED do just that inside the reader's C code."""

import ctypes
import sys

if any("pipelines.workers.reader" in argument for argument in sys.orig_argv):
    import pymupdf

    draw = pymupdf.Page.get_displaylist

    def faulty(page, *arguments, **options):
        text = page.get_text()
        if "CRASH" in text:
            ctypes.string_at(0)
        if "HANG" in text:
            ctypes.PyDLL(None).sleep(1_000_000)  # holds the interpreter's lock, as a loop in a C library would
        if "GREED" in text:
            bytearray(100_000_000_000)
        return draw(page, *arguments, **options)

    pymupdf.Page.get_displaylist = faulty
