"""Synthesized pages: components and layouts with their HTML, words and elements exactly known."""

from sources.synthetic_pages.source import SyntheticPages

__all__ = ["SyntheticPages"]
