"""The fastText labeller: training, calibration and caching of its models."""
