"""The two public layouts of a checkpoint: names of tensors, and the JSON that describes the model."""
