"""The dataset card, the Croissant file and the report of an output."""
