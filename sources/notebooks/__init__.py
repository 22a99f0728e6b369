"""Jupyter notebooks: plots with the code that drew them."""

from sources.notebooks.source import Notebooks as Notebooks
