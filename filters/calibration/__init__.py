"""Calibration: corruptions planted in good samples, and how well scores tell them from the samples as they were."""
