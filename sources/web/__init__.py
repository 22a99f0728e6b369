"""Web pages: a polite crawl by a real browser, and samples from what it captured."""
