"""Leaves of the taxonomy that samples of several sources are of by construction."""

TRANSCRIPTION = "recognition/ocr_and_transcription/printed_text"  # a page of text
CAPTION = "recognition/global_description/other"  # a picture with the caption that it was published with
