"""The use-case taxonomy: a YAML file, its loader, the labeller and the instruction writers."""
