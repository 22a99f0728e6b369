"""Synthesized diagrams of professions: one seeded specification gives picture, data, description and questions."""

from sources.diagrams.source import Diagrams

__all__ = ["Diagrams"]
