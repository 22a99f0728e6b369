"""Text on pages: reading order, fonts, languages."""
