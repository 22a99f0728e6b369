"""Fixtures of all rooms."""

pytest_plugins = ["tests.emulators", "tests.clusters"]
