"""The commands about outputs, beside `run`."""
