"""Charts as Vega-Lite specifications: one file per family of kinds, with a common frame."""
