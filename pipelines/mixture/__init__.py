"""Mixtures: components of a dataset that have shares of its tokens. No Beam, no recipe."""
