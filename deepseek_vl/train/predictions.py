"""Answers of a model on held-out examples while it is trained, and a picture of them."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deepseek_vl.engine import Engine
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.train.batches import prepare
from deepseek_vl.train.dataset import Dataset, DatasetError
from deepseek_vl.train.examples import Example, ExampleEncoder, ExampleError
from deepseek_vl.train.settings import DataSettings

SHOWN_TEXT = 32  # tokens of a text without images that the model is given, at most
THUMBNAIL_PX, TEXT_PX, MARGIN_PX, LINE_PX = 224, 620, 8, 17
MAX_LINES = 14  # of each text in the picture
LONG_WORD = 30  # letters; a longer one is broken
COLOURS = {"prompt": "#777777", "expected": "#1a7f37", "answer": "#0b5cad"}
# Fonts with Chinese letters first; Pillow's own has Latin ones only.
FONTS = ("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "DejaVuSans.ttf")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A held-out example: what the model is given, and how the data goes on.

    Args:
        source: path of its data set.
        images: the encoded images that the prompt holds.
    """

    source: str
    prompt: Prompt
    images: tuple[bytes, ...]
    expected: np.ndarray


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer of the model, as texts."""

    source: str
    images: tuple[bytes, ...]
    prompt: str
    expected: str
    answer: str


def held_out(settings: DataSettings, processor: Processor, count: int) -> list[HeldOut]:
    """Return the first examples of the validation splits, from each data set in turn; none if there are no such splits.

    A data set that cannot be read fails elsewhere.
    """
    encoder = ExampleEncoder(
        processor, max_tokens=settings.tokens, max_images=settings.max_images, too_long=settings.too_long
    )
    queues = [_examples(source.path, source.where, encoder, processor) for source in settings.sources]
    found: list[HeldOut] = []
    while queues and len(found) < count:
        queue = queues.pop(0)
        example = next(queue, None)
        if example is not None:
            found.append(example)
            queues.append(queue)
    return found


def _examples(path: str, where: str | None, encoder: ExampleEncoder, processor: Processor) -> Iterator[HeldOut]:
    try:
        dataset = Dataset(path, where=where, split="validation")
    except DatasetError:
        return
    for number, group in enumerate(dataset.groups):
        for row in range(group.num_rows):
            columns = dataset.row(number, row)
            if columns is None:
                continue
            try:
                example = encoder.encode(columns)[0]
            except (ExampleError, ValueError):
                continue
            cut = _cut(path, example, processor)
            if cut is not None:
                yield cut


def _cut(path: str, example: Example, processor: Processor) -> HeldOut | None:
    """Cut an example where the first answer begins, after its first images, or within its text."""
    places = np.flatnonzero(example.is_target)
    start = int(places[0])
    if start <= 1:
        images = np.flatnonzero(example.tokens == processor.config.image_token)
        ends = images[np.flatnonzero(np.diff(images, append=len(example) + 1) > 1)] + 1
        start = int(ends[0]) if len(ends) else min(SHOWN_TEXT, len(example) // 2)
    after = np.flatnonzero(example.is_target[start:]) + start
    if not len(after) or start < 1:
        return None
    stop = int(after[np.flatnonzero(np.diff(after, append=len(example) + 1) > 1)[0]]) + 1  # the first run of targets
    shown = example.tokens[:start]
    num_images = int((shown == processor.config.image_token).sum()) // processor.config.tokens_per_image
    prepared = prepare(Example(shown, np.zeros(start, bool), example.images[:num_images]), processor.config)
    if prepared is None:
        return None
    prompt = Prompt(shown, tuple(image.canvas for image in prepared.images if image.canvas is not None))
    return HeldOut(path, prompt, prepared.example.images, example.tokens[int(after[0]) : stop])


def predict(examples: Sequence[HeldOut], model: DeepseekVL, processor: Processor, max_tokens: int) -> list[Prediction]:
    """Return greedy answers; what is expected is shown up to the same length."""
    slots = max(len(each.prompt) for each in examples) + max_tokens
    slots = min(slots, processor.config.language.max_positions)
    engine = Engine(model, processor, rows=len(examples), slots=slots)
    streams = [engine.add(each.prompt, SamplingSettings(max_tokens=max_tokens)) for each in examples]
    while engine.busy:
        engine.step()
    return [
        Prediction(
            source=each.source,
            images=each.images,
            prompt=processor.decode(each.prompt.tokens[each.prompt.tokens != processor.config.image_token]).strip(),
            expected=processor.decode(each.expected[:max_tokens]).strip(),
            answer=processor.decode(stream.tokens).strip(),
        )
        for each, stream in zip(examples, streams, strict=True)
    ]


def draw(predictions: Sequence[Prediction]) -> Image.Image:
    """Return one picture of all predictions: images on the left, prompt, expected text and answer on the right."""
    rows = [_row(each) for each in predictions]
    picture = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    y = 0
    for row in rows:
        picture.paste(row, (0, y))
        y += row.height
    return picture


def _row(prediction: Prediction) -> Image.Image:
    lines: list[tuple[str, str]] = [(prediction.source, "black")]
    for name, colour in COLOURS.items():
        lines += [(line, colour) for line in _wrapped(f"{name}: {getattr(prediction, name)}")]
    height = max(THUMBNAIL_PX, len(lines) * LINE_PX) + 2 * MARGIN_PX
    row = Image.new("RGB", (THUMBNAIL_PX + TEXT_PX + 3 * MARGIN_PX, height), "white")
    pen = ImageDraw.Draw(row)
    pen.line((0, height - 1, row.width, height - 1), fill="#dddddd")
    columns = max(1, int(np.ceil(np.sqrt(len(prediction.images)))))
    side = THUMBNAIL_PX // columns
    for number, data in enumerate(prediction.images[: columns**2]):
        with Image.open(io.BytesIO(data)) as image:
            small = image.convert("RGB")
            small.thumbnail((side, side))
            row.paste(small, (MARGIN_PX + side * (number % columns), MARGIN_PX + side * (number // columns)))
    for number, (line, colour) in enumerate(lines):
        pen.text((THUMBNAIL_PX + 2 * MARGIN_PX, MARGIN_PX + number * LINE_PX), line, fill=colour, font=_font())
    return row


def _wrapped(text: str) -> list[str]:
    """Break a text into lines that fit, at spaces where there are some; Chinese has none."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line, width = "", 0.0
        for letter in paragraph:
            width += _width(letter)
            if width <= TEXT_PX:
                line += letter
                continue
            before, space, word = line.rpartition(" ")
            keeps_word = bool(space) and len(word) < LONG_WORD and letter != " "
            lines.append(before if keeps_word else line)
            line = (word if keeps_word else "") + letter.lstrip()
            width = sum(map(_width, line))
            if len(lines) > MAX_LINES:
                return [*lines[: MAX_LINES - 1], "…"]
        lines.append(line)
    return lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], "…"]


@cache
def _width(letter: str) -> float:
    return _font().getlength(letter)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, 13)
        except OSError:
            continue
    return ImageFont.load_default(13)
