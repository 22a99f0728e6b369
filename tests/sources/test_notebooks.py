"""Plots of notebooks with their code: versions, what is left out with which reason, and broken files."""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from filters.plot_code import PlotCode
from sources.base.sample import Sample
from sources.base.source import InputError, ItemError
from sources.notebooks import Notebooks
from sources.notebooks.source import fenced, num_code_lines

CODE = "import matplotlib.pyplot as plt\n# the data\nx = [1, 2, 3]\n\nplt.plot(x)\nplt.title('A')\nplt.show()"


def png() -> str:
    image = Image.new("RGB", (200, 150), "white")
    ImageDraw.Draw(image).line((0, 0, 200, 150), fill="blue")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


PNG = png()


def shown(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("_", "/", 1): v for k, v in data.items()}}


PLOT = shown(image_png=PNG)


def code(source: Any, *outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": source, "outputs": list(outputs)}


def notebook(*cells: Any, **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def outcomes(tmp_path: Path, content: Any, **options: Any) -> list[Any]:
    """Samples, or the causes of the errors in their place."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    found: list[Any] = []
    with Notebooks(**options).open(path) as items:
        for item in range(len(items)):
            try:
                found.append(items[item])
            except ItemError as error:
                found.append(error.cause)
    return found


OLD_CELL = {"cell_type": "code", "language": "python", "input": CODE.splitlines(True), "collapsed": False}
VERSIONS: Mapping[str, Any] = {
    "4": notebook({"cell_type": "markdown", "source": "# A", "metadata": {}}, code(CODE, PLOT)),
    "4, lines": notebook(code(CODE.splitlines(True), shown(image_png=[PNG[:76] + "\n", PNG[76:] + "\n"]))),
    "3": {"nbformat": 3, "worksheets": [{"cells": [{**OLD_CELL, "outputs": [{"output_type": "pyout", "png": PNG}]}]}]},
    "2": {
        "nbformat": 2,
        "worksheets": [{"cells": [{**OLD_CELL, "outputs": [{"output_type": "display_data", "png": PNG}]}]}],
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plot_with_its_code_in_every_version(tmp_path: Path, version: str) -> None:
    (sample,) = outcomes(tmp_path, VERSIONS[version])
    assert sample.text == f"<image>\n```python\n{CODE}\n```"
    assert sample.images[0].data == base64.b64decode(PNG)
    assert (sample.measures["code_lines"], sample.measures["cell_images"]) == (5, 1)
    assert sample.flags == ["python"]


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        (code(CODE, shown(**{"application_vnd.jupyter.widget-view+json": {"model_id": "a"}})), "widget"),
        (code(CODE, shown(**{"application_vnd.plotly.v1+json": {}, "text_html": "<div>"})), "interactive_plot"),
        (code(CODE, shown(**{"image_svg+xml": "<svg/>"})), "vector_image"),
        (code("", PLOT), "no_code"),
        (code(CODE, PLOT, {"output_type": "error", "ename": "ValueError", "traceback": []}), "cell_failed"),
        (code("%%html\n<b>a</b>", PLOT), "other_language"),
        (code("Image(filename='a.png')", PLOT), "shown_file"),
        (code(CODE, shown(image_png=PNG[:-8] + "\N{BULLET}" * 8)), "invalid_base64"),
        (code(CODE, shown(image_png=PNG[:101])), "invalid_base64"),
        (code(CODE, shown(image_png={"not": "a text"})), "not_an_image"),
        (code(CODE, shown(image_png=base64.b64encode(b"no image").decode())), "not_an_image"),
    ],
)
def test_what_is_left_out_has_a_reason_and_costs_nothing_else(tmp_path: Path, cell: Any, cause: str) -> None:
    found = outcomes(tmp_path, notebook(cell, code("%%time\n" + CODE, PLOT)))
    assert found[0] == cause
    assert isinstance(found[1], Sample)


def test_text_outputs_are_no_plots(tmp_path: Path) -> None:
    text = {"output_type": "stream", "name": "stdout", "text": "a"}
    broken: list[Any] = [None, "text", {"output_type": "display_data"}, {"output_type": "display_data", "data": [1]}]
    assert (
        outcomes(tmp_path, notebook(code(CODE, text, shown(text_plain="a"), *broken), None, {"cell_type": "code"}))
        == []
    )


def test_code_before_the_cell_can_be_given_too(tmp_path: Path) -> None:
    cells = [code("a = 1"), code("b = 2"), code("plot(a, b)", PLOT)]
    (sample,) = outcomes(tmp_path, notebook(*cells), context_cells=1)
    assert sample.text == "<image>\n```python\nb = 2\n\nplot(a, b)\n```"
    assert sample.measures["code_lines"] == 2


def test_the_language_is_that_of_the_notebook(tmp_path: Path) -> None:
    (sample,) = outcomes(tmp_path, notebook(code("plot(1)", PLOT), kernelspec={"language": "R", "name": "ir"}))
    assert sample.text == "<image>\n```r\nplot(1)\n```"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "not_json"),
        (b"\xff\xfe{", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_a_notebook"),
        (b'{"cells": []}', "not_a_notebook"),
        (b'{"nbformat": 1, "cells": []}', "unsupported_version"),
        (b'{"nbformat": 5, "cells": []}', "unsupported_version"),
    ],
)
def test_files_that_are_no_notebooks(tmp_path: Path, data: bytes, cause: str) -> None:
    with pytest.raises(InputError) as caught:
        outcomes(tmp_path, data)
    assert caught.value.cause == cause


@pytest.mark.parametrize("setting", [{"context_cells": -1}, {"side_px": -1}])
def test_wrong_settings_are_refused(setting: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Notebooks(**setting)


def test_a_fence_is_longer_than_those_in_the_code() -> None:
    assert fenced("a = '''```'''", "python") == "````python\na = '''```'''\n````"


def test_lines_of_code_are_neither_blank_nor_comments() -> None:
    assert num_code_lines("# a\n\nx = 1  # b\n  # c\n  y = 2\n") == 2


@pytest.mark.parametrize(
    ("num_lines", "num_images", "reason"),
    [(5, 1, None), (4, 1, "short_code"), (200, 1, None), (201, 1, "long_plot_code"), (5, 2, "several_images")],
)
def test_the_filter_of_the_paper(tmp_path: Path, num_lines: int, num_images: int, reason: str | None) -> None:
    source = "\n".join(f"x{k} = {k}" for k in range(num_lines))
    (sample, *_) = outcomes(tmp_path, notebook(code(source, *[PLOT] * num_images)))
    (scores,) = PlotCode().scores([sample])
    assert PlotCode().rejects(scores) == reason


@pytest.mark.parametrize(
    "settings", [{"min_lines": -1}, {"min_lines": 9, "max_lines": 8}, {"max_images": 0}], ids=lambda each: str(each)
)
def test_wrong_settings_of_the_filter_are_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match=r"min_lines|max_images"):
        PlotCode(**settings)
