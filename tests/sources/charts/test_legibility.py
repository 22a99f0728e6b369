"""No text is clipped or overlapped: every text is rendered alone, and its ink is compared."""

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import vl_convert
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from sources.charts import Charts, matplotlib_renderer
from sources.charts.chart import Chart
from sources.charts.drawing import PROGRAMS, SPECIFICATIONS, draw_legibly
from sources.charts.legibility import find_fault, find_missing_text
from sources.charts.picture import Picture, TextBox

pytestmark = pytest.mark.slow

INK = 24  # grey levels between ink and paper


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_no_text_is_clipped_or_overlapped(full: bool) -> None:
    charts = Charts(num_samples=1000, seed=97)
    for item in range(500 if full else 30):
        chart, renderer, _ = charts.specify(item)
        chart, picture = draw_legibly(chart, renderer)
        inks = _vega_inks(chart) if renderer == "vega" else _matplotlib_inks(chart)
        height, width = picture.pixels.shape[:2]
        covered = np.zeros((height, width), bool)
        what = f"{item} {chart.kind} {renderer} {chart.language}"
        assert len(inks) == len(picture.texts), what
        for text, ink in inks:
            assert ink.shape == covered.shape, what
            assert ink.any(), f"{what}: {text!r} is not drawn"
            assert not np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]).any(), f"{what}: {text!r} is cut"
            assert not (covered & ink).any(), f"{what}: {text!r} lies on another text"
            covered |= ink


def _matplotlib_inks(chart: Chart) -> list[tuple[str, np.ndarray]]:
    """Return every text with its ink when nothing else is rendered."""
    figure: Figure = PROGRAMS[chart.kind](chart).perform({"plt": matplotlib_renderer.Pyplot})["fig"]
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()  # computes the places of axis titles
    renderer = canvas.get_renderer()
    inks = []
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text().strip() and _is_visible(text, figure):
            text.set_bbox(None)
            renderer.clear()
            text.draw(renderer)
            inks.append((text.get_text(), np.asarray(canvas.buffer_rgba())[..., 3] > INK))
    return inks


def _is_visible(text: Artist, figure: Figure) -> bool:
    if not text.get_visible():
        return False
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for tick in axis.majorTicks:
                if text in (tick.label1, tick.label2):
                    return axes.axison and text.get_visible()
            if text is axis.label:
                return axes.axison
    return True


def _vega_inks(chart: Chart) -> list[tuple[str, np.ndarray]]:
    svg = vl_convert.vegalite_to_svg(SPECIFICATIONS[chart.kind](chart))
    root = ElementTree.fromstring(svg)
    number_of_texts = len([element for element in root.iter() if _is_text(element)])
    return [_render_alone(svg, k) for k in range(number_of_texts)]


def _is_text(element: ElementTree.Element) -> bool:
    shown = element.get("opacity") != "0" and "".join(element.itertext()).strip()
    return element.tag.endswith("}text") and bool(shown)


def _render_alone(svg: str, number: int) -> tuple[str, np.ndarray]:
    """Return text `number` of an SVG, and its ink."""
    root = ElementTree.fromstring(svg)
    seen = -1
    found = ""
    for element in root.iter():
        if element.tag.endswith("}text"):
            seen += _is_text(element)
            if seen == number and not found and _is_text(element):
                found = "".join(element.itertext())
                element.set("fill", "#000000")
            else:
                element.set("opacity", "0")
        elif not element.tag.endswith(("}svg", "}g")):
            element.set("display", "none")
    with Image.open(io.BytesIO(vl_convert.svg_to_png(ElementTree.tostring(root, encoding="unicode")))) as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    return found, alpha > INK


def _picture(*boxes: tuple[str, float, float, float, float], marks: list[tuple[float, float]] | None = None) -> Picture:
    texts = tuple(TextBox(text, "tick", x0, y0, x1, y1) for text, x0, y0, x1, y1 in boxes)
    return Picture(np.zeros((100, 200, 3), np.uint8), texts, np.array(marks or []).reshape(-1, 2), "", "python")


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (_picture(("a", 10, 10, 50, 20), ("b", 60, 10, 90, 20)), None),
        (_picture(("a", -1, 10, 50, 20)), "clipped_text"),
        (_picture(("a", 10, 10, 50, 99.5)), "clipped_text"),
        (_picture(("a", 150, 10, 210, 20)), "clipped_text"),
        (_picture(("a", 10, 10, 50, 20), ("b", 49, 19, 90, 29)), "overlapping_text"),
        (_picture(("a", 10, 10, 50, 20), ("b", 50.2, 10, 90, 20)), None),
        (_picture(("a", 10, 10, 50, 20), marks=[(20, 0.4)]), "tiny_mark"),
        (_picture(), None),
    ],
)
def test_find_fault_gives_the_reason(picture: Picture, reason: str | None) -> None:
    found = find_fault(picture)
    assert (found and found[0]) == reason


def test_find_missing_text_finds_missing_names_and_numbers() -> None:
    picture = _picture(("1,250", 10, 10, 50, 20), ("Oslo\n-7", 10, 30, 50, 60), ("30%", 10, 70, 50, 80))
    assert find_missing_text(picture, ["1250", "Oslo", "7", "30"]) is None
    for name in ("1251", "Lima", "3"):
        found = find_missing_text(picture, [name])
        assert found is not None
        assert found[0] == "missing_text"
    assert find_missing_text(picture, ["30", "30"]) is not None
