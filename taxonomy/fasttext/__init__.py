"""The fastText labeller: training, calibration and caching of its models."""

MODEL_VERSION = 2  # increase it when the same examples would give another model
