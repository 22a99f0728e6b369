"""Exports: the samples of a finished output in the layouts of trainers, shard by shard."""
