"""Charts as Vega-Lite specifications: one file a family of kinds, one frame for all."""
