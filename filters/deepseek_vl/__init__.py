"""DeepSeek-VL as a filter: a model is asked about samples, and the probabilities of its answers are scores."""
