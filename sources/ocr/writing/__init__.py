"""Text that a grammar writes: coherent passages in English and Chinese from one meaning, and words of large lists."""
