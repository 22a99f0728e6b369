"""The pictures of README and docs; `python -m examples.pictures` makes them, each with the code that it illustrates."""
