"""Web archives: pages that others fetched before, read from WARC and WACZ files and shown without a network."""
