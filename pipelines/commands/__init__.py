"""The commands other than `run`, and the front door to all of them."""
