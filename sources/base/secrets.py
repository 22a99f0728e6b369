"""Secrets of a recipe: passwords and keys, which come from a file or the environment and are written to no output.

A setting with the metadata `secret(VARIABLE)` holds texts. One that begins with `@` names a file with a secret in each
line, and the environment's VARIABLE, with a secret in each line, comes after all. What travels to other machines are
names of files only; secrets themselves are read where they are needed.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "@"  # begins the name of a file
# Metadata of settings that name a program to run: only the command line may have them, not a recipe from elsewhere.
PROGRAM: Mapping[str, Any] = {"optional": True, "program": True}


def secret(variable: str) -> Mapping[str, Any]:
    """Return the metadata of a setting with secrets that the environment's `variable` may hold, too."""
    return {"optional": True, "secret": variable}


def read_secrets(named: Sequence[str] | str | None, variable: str) -> tuple[str, ...]:
    """Return the secrets that a setting and the environment's `variable` name. Raises ValueError for a lost file."""
    found: list[str] = []
    for text in [named] if isinstance(named, str) else named or ():
        found += _lines_of(Path(text[1:])) if text.startswith(FILE) else [text]
    found += os.environ.get(variable, "").splitlines()
    return tuple(dict.fromkeys(filter(None, found)))


def named_files(named: Sequence[str] | str | None) -> list[str]:
    """Return the names of files, each with its `@`, that a setting holds."""
    return [text for text in ([named] if isinstance(named, str) else named or ()) if text.startswith(FILE)]


def spoken(named: Sequence[str] | str | None) -> list[str]:
    """Return the secrets that a setting itself holds, and not by the name of a file."""
    return [text for text in ([named] if isinstance(named, str) else named or ()) if not text.startswith(FILE)]


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"the file with secrets {path} cannot be read: {why}") from error
