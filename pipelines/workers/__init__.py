"""Processes that do the work: readers of untrusted files, scorers, and the pools that run them."""
