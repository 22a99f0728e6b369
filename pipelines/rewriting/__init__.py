"""Changes to finished outputs: another threshold or other labels, without reading any input again."""
