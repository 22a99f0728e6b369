"""The parts that all sources share: the sample and the kinds of source."""
