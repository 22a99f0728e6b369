"""Shards: which unit goes to which Parquet file, and the writing of data, ledger and error shards."""
