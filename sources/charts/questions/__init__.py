"""Questions about a chart and their answers, computed from its table. One file a family of charts."""
