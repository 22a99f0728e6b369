"""Presentation: what card, Croissant and report are drawn with, from manifest, ledger and errors alone."""
