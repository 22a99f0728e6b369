"""Chromium: finding, starting and steering it, for every source that draws or reads pages."""
