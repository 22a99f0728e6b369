"""Scripts that run in pages."""

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """The source of a script."""
    return files(__name__).joinpath(f"{name}.js").read_text(encoding="utf-8")
