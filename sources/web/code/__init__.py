"""Web code: reduces a loaded page to short self-contained HTML that renders back to its screenshot."""
