"""The components of a page: what stands in each, as the mapping that its template is filled with."""
