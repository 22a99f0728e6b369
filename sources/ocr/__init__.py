"""Synthesized OCR: documents and scene text whose words and boxes are exactly known."""
