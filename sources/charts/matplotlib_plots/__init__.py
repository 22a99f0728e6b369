"""Charts as matplotlib programs: one file a family of kinds, one frame for all."""
