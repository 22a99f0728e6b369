"""Charts as matplotlib programs: one file per family of kinds, with a common frame."""
