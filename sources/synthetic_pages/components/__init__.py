"""The components of a page. Each function returns the content for the template of its component."""
