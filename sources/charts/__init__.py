"""Synthetic charts and tables: one seeded specification gives picture, table, code, description and questions."""

from sources.charts.source import Charts

__all__ = ["Charts"]
