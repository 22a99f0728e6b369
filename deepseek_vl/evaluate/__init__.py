"""Evaluation of models on tasks in local files."""
