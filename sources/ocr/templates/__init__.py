"""Templates: one kind of page per file."""
