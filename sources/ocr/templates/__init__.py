"""Templates: one kind of page a file."""
