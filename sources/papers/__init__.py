"""Papers: pages with the markup of exactly that page, from LaTeX sources."""

from sources.papers.source import Papers as Papers
