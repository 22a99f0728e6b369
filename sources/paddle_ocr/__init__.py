"""PaddleOCR: the text of pictures that say nothing of their text."""
