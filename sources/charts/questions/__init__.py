"""Questions about a chart, with answers computed from its table. One file per family of charts."""
