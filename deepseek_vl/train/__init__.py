"""Training in stages on the pipeline's outputs."""
