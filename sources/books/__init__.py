"""Books: EPUB, PDF and HTML as interleaved text and figures."""
