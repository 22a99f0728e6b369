"""The real-world run: every source on real documents of Debian, interrupted, resumed and compared."""
