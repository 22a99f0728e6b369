"""What every source shares: the sample and the kinds of source."""
