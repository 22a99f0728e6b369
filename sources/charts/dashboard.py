"""Dashboards: several charts on one picture, each with a letter, and questions that name the panel."""

import dataclasses
import random as random_module
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sources.base.illegible import Illegible
from sources.base.marks import escaped, with_images
from sources.base.sample import Message, Words
from sources.charts.chart import Chart
from sources.charts.description import describe
from sources.charts.drawing import draw_once
from sources.charts.fonts import Face, font_file
from sources.charts.kinds import KINDS, PANEL_KINDS
from sources.charts.messages import describe_steps
from sources.charts.picture import Picture
from sources.charts.questions.ask_questions import ask_questions
from sources.charts.questions.question import fill_phrase
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style, sample_style
from sources.charts.words import extract_words
from sources.text.fonts import FontError

LETTERS = "ABCD"
PANELS = (2, 3, 4)
PANEL_SIZES = ((500, 380), (480, 400), (520, 360))  # pixels: two side by side fill about 1,024
ATTEMPTS = 40  # charts that are drawn for a dashboard, of which some do not fit into a panel
GAP, LABEL = 14, 30  # pixels between panels, and above a panel for its letter


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """A chart of a dashboard, and where its picture stands: x and y of its top left corner in pixels."""

    letter: str
    chart: Chart
    picture: Picture
    x: int
    y: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dashboard:
    """Charts on one picture, in reading order.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        words: of all panels with their letters.
    """

    panels: Sequence[Panel]
    pixels: np.ndarray
    words: Words

    @property
    def language(self) -> str:
        return self.panels[0].chart.language


def draw_dashboard(
    kinds: Sequence[str], vocabulary: Vocabulary, language: str, random: random_module.Random
) -> Dashboard:
    """Draw a dashboard of two to four charts in one style.

    Args:
        kinds: of the charts, at least one of them in PANEL_KINDS.
    Raises:
        Illegible: not enough charts could be drawn legibly in the size of a panel.
    """
    width, height = random.choice(PANEL_SIZES)
    sampled = sample_style(random, language)
    style = dataclasses.replace(sampled, width_px=width, height_px=height, dpi=100, font_px=12)
    fitting = [kind for kind in PANEL_KINDS if kind in kinds]
    found: dict[str, tuple[Chart, Picture]] = {}
    wanted = random.choice(PANELS)
    for _ in range(ATTEMPTS):
        try:
            chart = KINDS[kind := random.choice(fitting)].make(kind, vocabulary, language, style, random)
            picture = draw_once(chart, "matplotlib")
        except (Illegible, FontError, ValueError):  # it needs more room, or the vocabulary has no such chart
            continue
        found.setdefault(chart.title, (chart, picture))
        if len(found) == wanted:
            return _arranged(list(found.values()), style, random)
    raise Illegible("no_panels", f"only {len(found)} of {wanted} charts fit into a panel of {width} × {height} pixels")


def _arranged(charts: Sequence[tuple[Chart, Picture]], style: Style, random: random_module.Random) -> Dashboard:
    """Put charts of equal size into a grid, each below its letter; three may stand in a row or in two."""
    height, width = charts[0][1].pixels.shape[:2]
    num_columns = 2 if len(charts) > 2 or random.random() < 0.7 else 1
    num_rows = -(-len(charts) // num_columns)
    size = num_columns * (width + GAP) + GAP, num_rows * (height + LABEL + GAP) + GAP
    canvas = Image.new("RGB", size, style.background)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.truetype(str(font_file(style.face, bold=True)), 20, index=style.face.index)
    panels: list[Panel] = []
    labels: list[tuple[int, int, int, int]] = []
    for k, (chart, picture) in enumerate(charts):
        x, y = GAP + k % num_columns * (width + GAP), GAP + k // num_columns * (height + LABEL + GAP)
        draw.text((x, y + 2), LETTERS[k], fill=style.ink, font=font)
        labels.append(tuple(map(int, draw.textbbox((x, y + 2), LETTERS[k], font=font))))  # type: ignore[arg-type]
        canvas.paste(Image.fromarray(picture.pixels), (x, y + LABEL))
        panels.append(Panel(letter=LETTERS[k], chart=chart, picture=picture, x=x, y=y + LABEL))
    return Dashboard(panels=panels, pixels=np.asarray(canvas), words=_words(panels, labels, style.face))


def _words(panels: Sequence[Panel], labels: Sequence[tuple[int, int, int, int]], face: Face) -> Words:
    texts: list[str] = []
    boxes = []
    for panel, label in zip(panels, labels, strict=True):
        words = extract_words(panel.picture, face)
        texts += [panel.letter, *words.texts]
        boxes += [np.array([label], np.float32), words.boxes + np.array([panel.x, panel.y] * 2, np.float32)]
    return Words(texts=texts, boxes=np.concatenate(boxes), images=np.zeros(len(texts), np.int32))


def ask_dashboard(
    dashboard: Dashboard, num_questions: int, choice: float, random: random_module.Random, names: Sequence[str] = ()
) -> list[Message]:
    """Return questions about the panels in turn, each naming its panel, then the table of every panel.

    Args:
        num_questions: greatest number of questions before the tables.
        choice: fraction of multiple choice among the questions that allow it.
        names: names of the questions to choose from; empty for all.
    """
    order = list(dashboard.panels)
    random.shuffle(order)
    share = -(-num_questions // len(order))
    turns = [
        (panel, turn.question, turn.answer)
        for panel in order
        for turn in ask_questions(panel.chart, share, choice, random, names)
    ][:num_questions]
    for panel in dashboard.panels:
        question = fill_phrase("panel_table", dashboard.language) + describe_steps(panel.chart)
        turns.append((panel, question, panel.chart.table.markdown()))
    messages: list[Message] = []
    for k, (panel, question, answer) in enumerate(turns):
        named = fill_phrase("panel", dashboard.language, letter=panel.letter) + question
        messages += [
            Message(role="user", content=with_images(named, int(k == 0))),
            Message(role="assistant", content=escaped(answer)),
        ]
    return messages


def dashboard_text(dashboard: Dashboard) -> str:
    """Return a pre-training text: the picture, and the description and data of every panel."""
    parts = [
        fill_phrase("panel", dashboard.language, letter=panel.letter)
        + f"{describe(panel.chart)}\n\n{panel.chart.table.markdown()}"
        for panel in dashboard.panels
    ]
    return with_images("\n\n".join(parts))
