"""The matplotlib renderer: runs a program once for the pixels and the boxes of all texts."""

import gc
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from PIL import Image

from sources.charts.fonts import FACES
from sources.charts.picture import Picture, TextBox
from sources.charts.program import Program

PROLOGUE = 'import matplotlib\n\nmatplotlib.use("Agg")\nimport matplotlib.pyplot as plt\n'
EPILOGUE = 'fig.savefig("chart.png")\n'


@cache
def prepare() -> None:
    """Set up matplotlib once per process: default settings, our fonts only, and a cheaper garbage collection."""
    matplotlib.rcdefaults()  # a user's matplotlibrc would change the pixels
    families = {face.family for face in FACES}
    # matplotlib searches its font list for every size; with some hundred fonts that takes 10 ms, a third of a draw.
    # Those that come with it stay: formulas of other sources are set in them.
    own = matplotlib.get_data_path()
    fontManager.ttflist = [e for e in fontManager.ttflist if e.name in families or e.fname.startswith(own)]
    gc.collect()
    # A chart leaves thousands of reference cycles; to collect them took 15 % of the time, mostly in permanent objects.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class Pyplot:
    """The part of pyplot that programs use, without its list of open figures."""

    rcParams = matplotlib.rcParams
    Polygon = Polygon
    Rectangle = Rectangle

    @staticmethod
    def figure(**options: Any) -> Figure:
        figure = Figure(**options)
        FigureCanvasAgg(figure)
        return figure


def draw(program: Program) -> Picture:
    """Draw a program whose figure is named `fig`."""
    prepare()
    figure = program.perform({"plt": Pyplot})["fig"]
    for axes in figure.axes:
        for tick in (*axes.xaxis.majorTicks, *axes.yaxis.majorTicks):
            tick.label1.set_in_layout(False)  # skip a measurement: programs place all texts themselves
    canvas = figure.canvas
    canvas.draw()
    size = canvas.get_width_height()
    pixels = np.asarray(Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB"))
    renderer = canvas.get_renderer()
    return Picture(
        pixels=pixels,
        texts=tuple(_texts(figure, renderer, pixels.shape[0])),
        marks=_marks(figure),
        code=f"{PROLOGUE}\n{program.source()}\n{EPILOGUE}",
        code_language="python",
    )


def _texts(figure: Figure, renderer: RendererAgg, height: int) -> list[TextBox]:
    title = figure.get_suptitle()
    found = [(text, "title" if text.get_text() == title else "value") for text in figure.texts]
    for axes in figure.axes:
        found += _texts_of(axes)
    boxes = []
    for text, role in found:
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            upright = text.get_rotation() == 90
            boxes.append(TextBox(text.get_text(), role, box.x0, height - box.y1, box.x1, height - box.y0, upright))
    return boxes


def _texts_of(axes: Axes) -> list[tuple[Text, str]]:
    found: list[tuple[Text, str]] = [(text, "value") for text in axes.texts]
    found.append((axes.title, "title"))
    if axes.axison:
        found += [(axis.label, "axis_title") for axis in (axes.xaxis, axes.yaxis)]
        ticks = (*axes.xaxis.majorTicks, *axes.yaxis.majorTicks)
        found += [(label, "tick") for tick in ticks for label in (tick.label1, tick.label2)]
    legend = axes.get_legend()
    if legend is not None:
        found += [(text, "legend") for text in legend.get_texts()]
    for table in axes.tables:
        found += [(cell.get_text(), "cell") for cell in table.get_celld().values()]
    return found


def _marks(figure: Figure) -> np.ndarray:
    sizes = [
        abs(np.diff(axes.transData.transform(patch.get_bbox().get_points()), axis=0)[0])
        for axes in figure.axes
        for container in axes.containers
        if isinstance(container, BarContainer)
        for patch in container.patches
        if np.isfinite(patch.get_height())
        and patch.get_height()
        and patch.get_width()  # a bar of height zero is not a mark
    ]
    return np.array(sizes, float).reshape(-1, 2)
