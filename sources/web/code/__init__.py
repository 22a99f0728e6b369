"""Web code: a loaded page reduced to short self-contained HTML that renders back to what was seen."""
