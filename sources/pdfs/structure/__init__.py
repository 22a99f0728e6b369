"""Structure of PDF pages: headings, lists, tables, code and the other parts, found by geometry or read from tags."""
