"""Books: EPUB and HTML as interleaved text and figures."""
