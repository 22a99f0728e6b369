"""The steps of a run as a Beam pipeline, one file per step."""
