"""Notebooks of nbformat 2, 3 and 4 as a list of code cells with what they output. Nothing is run or rendered.

The formats are described at https://nbformat.readthedocs.io/en/latest/format_description.html; before version 4 cells
are in worksheets, code is called `input`, and images are in the output under `png` and `jpeg`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.base.source import InputError

IMAGES = ("image/png", "image/jpeg")
OLD_NAMES: Mapping[str, str] = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml"}
# Outputs that show a picture only when a program draws it, by the beginning of their type.
UNDRAWN: Mapping[str, tuple[str, str]] = {
    "application/vnd.jupyter.widget": ("widget", "the output is a widget, which is not in the notebook"),
    "application/vnd.plotly": ("interactive_plot", "the output is an interactive plot, which is not drawn"),
    "application/vnd.vega": ("interactive_plot", "the output is an interactive plot, which is not drawn"),
    "application/vnd.bokeh": ("interactive_plot", "the output is an interactive plot, which is not drawn"),
    "image/svg": ("vector_image", "the output is a vector image only, which is not drawn"),
}
VERSIONS = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Output:
    """An output that shows a picture.

    Args:
        data: its image in base64; empty if there is none that can be read.
        problem: cause and message, if it has no image.
    """

    data: str
    problem: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell with the outputs that show pictures.

    Args:
        failed: name of the exception that ended it, or nothing.
    """

    code: str
    outputs: Sequence[Output]
    failed: str


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code cells of a notebook.

    Args:
        language: name of the programming language in lower case, `python` where the notebook names none.
    """

    cells: Sequence[CodeCell]
    language: str


def read_notebook(data: bytes) -> Notebook:
    """Read a notebook.

    Raises:
        InputError: the data are no notebook, or one of a version that is not known.
    """
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError("not_json", f"the file is not JSON: {str(error).splitlines()[0]}") from error
    version = content.get("nbformat") if isinstance(content, Mapping) else None
    if not isinstance(version, int):
        raise InputError("not_a_notebook", "the file is JSON without the version of a notebook (`nbformat`)")
    if version not in VERSIONS:
        raise InputError("unsupported_version", f"the notebook has version {version}; known are 2, 3 and 4")
    sheets = [content] if version == 4 else _mappings(content.get("worksheets"))
    cells = [cell for sheet in sheets for cell in _mappings(sheet.get("cells"))]
    code = [_code_cell(cell) for cell in cells if cell.get("cell_type") == "code"]
    return Notebook(code, _language(content, code, cells))


def _code_cell(cell: Mapping[str, Any]) -> CodeCell:
    outputs = _mappings(cell.get("outputs"))
    errors = [output for output in outputs if output.get("output_type") in ("error", "pyerr")]
    return CodeCell(
        code=_joined(cell.get("source", cell.get("input"))).replace("\r\n", "\n"),
        outputs=[found for output in outputs for found in _shown(output)],
        failed=str(errors[0].get("ename") or "an exception") if errors else "",
    )


def _shown(output: Mapping[str, Any]) -> Iterator[Output]:
    """The picture of an output; none if it shows text only."""
    rich = output.get("data")
    if not isinstance(rich, Mapping):
        rich = {OLD_NAMES[name]: value for name, value in output.items() if name in OLD_NAMES}
    for kind in IMAGES:
        if kind in rich:
            yield Output(_joined(rich[kind]))
            return
    for kind in rich:
        problem = next((found for start, found in UNDRAWN.items() if str(kind).startswith(start)), None)
        if problem is not None:
            yield Output("", problem)
            return


def _language(content: Mapping[str, Any], code: Sequence[CodeCell], cells: Sequence[Mapping[str, Any]]) -> str:
    metadata = content.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    for place in ("language_info", "kernelspec"):
        found = metadata.get(place)
        name = (
            (found.get("name") if place == "language_info" else found.get("language"))
            if isinstance(found, Mapping)
            else 0
        )
        if isinstance(name, str) and name.strip():
            return name.strip().lower()
    named = [cell.get("language") for cell in cells if cell.get("cell_type") == "code"]
    return next((name.lower() for name in named if isinstance(name, str) and name), "python")


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _joined(value: Any) -> str:
    """A text that may be stored as a list of lines."""
    if isinstance(value, list):
        return "".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""
