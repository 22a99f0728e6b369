"""DeepSeek-VL: the model, its checkpoints, generation and scoring."""
