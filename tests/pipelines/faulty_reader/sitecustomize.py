"""Put on PYTHONPATH by tests: pages that say CRASH, HANG, BURN or GREED do just that inside the reader's C code.

Pages that also say ALWAYS do so in both engines, the others in the first one only.
"""

import ctypes
import sys

if any("pipelines.workers.reader" in argument for argument in sys.orig_argv):
    import pymupdf
    import pypdfium2

    draw = pymupdf.Page.get_displaylist
    render = pypdfium2.PdfPage.render

    def misbehave(text):
        if "CRASH" in text:
            ctypes.string_at(0)
        if "HANG" in text:
            ctypes.PyDLL(None).sleep(1_000_000)  # holds the interpreter's lock, as a loop in a C library would
        if "BURN" in text:
            while True:
                pass
        if "GREED" in text:
            bytearray(100_000_000_000)

    def faulty_draw(page, *arguments, **options):
        misbehave(page.get_text())
        return draw(page, *arguments, **options)

    def faulty_render(page, *arguments, **options):
        text = page.get_textpage().get_text_bounded()
        if "ALWAYS" in text:
            misbehave(text)
        return render(page, *arguments, **options)

    pymupdf.Page.get_displaylist = faulty_draw
    pypdfium2.PdfPage.render = faulty_render
