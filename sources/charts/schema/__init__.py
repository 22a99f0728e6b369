"""Schema of the vocabulary of charts, with checks of its entries."""
