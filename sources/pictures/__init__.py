"""Pictures and scans, whose text PaddleOCR reads."""
