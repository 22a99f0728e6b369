"""The two public layouts of a checkpoint: names of tensors and the JSON files that describe the model."""
