"""Rows of JSON Lines, JSON and Parquet files, and compressed files, for the sources that read published data."""
