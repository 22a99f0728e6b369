"""Settings of the documentation site; `make docs` builds it, with warnings as errors and without a network."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = "Vellum"
copyright = "the Vellum authors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["pictures"]
nitpicky = True
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

html_theme = "furo"
html_title = "Vellum"
html_copy_source = False
html_show_sphinx = False
html_static_path: list[str] = []
