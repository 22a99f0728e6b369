"""Books that are PDFs: their pages as blocks, and the regions of their figures."""
