"""Synthetic web pages of components and layouts, with their exact HTML, words and elements."""

from sources.synthetic_pages.source import SyntheticPages

__all__ = ["SyntheticPages"]
