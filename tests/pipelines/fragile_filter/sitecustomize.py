"""Put on PYTHONPATH by tests: every process of a run knows one more filter, `fragile`."""

import sys

if any(argument.startswith("pipelines.") for argument in sys.orig_argv):
    from fragile import Fragile

    import pipelines.registry

    pipelines.registry.FILTERS[Fragile.name] = Fragile
