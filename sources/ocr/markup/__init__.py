"""Pages from markup of the user: HTML templates with slots, and Markdown documents, both as blocks of a page."""
