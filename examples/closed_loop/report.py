"""The report of a loop: a page of Markdown with its figures, a plot, and answers next to their pictures."""

import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from deepseek_vl.evaluate.intervals import Estimate, difference, estimate
from deepseek_vl.evaluate.metrics import METRICS
from examples.closed_loop import shards
from examples.steps import times

COLOURS = ("#8a8f98", "#d9822b", "#3b6fb6", "#4f9d69")
NUM_PICTURES = 24
TILE = (256, 132)
COLUMNS = 4


def write(output: Path, compared: Sequence[str]) -> None:
    """Write report.md, compared.svg and answers.png into the folder of a loop."""
    answers = {name: _answers(output, name) for name in ("words", "charts")}
    agreement = _json(output / "results" / "agreement.json")
    found = _compared(output, compared)
    (output / "compared.svg").write_text(plot(found), "utf-8")
    _sheet(output, answers["words"]).save(output / "answers.png")
    parts = [
        "# The closed loop",
        "",
        *_reading(answers, agreement),
        "",
        *_table_of_compared(found),
        "",
        *_times(output),
    ]
    text = "\n".join(parts) + "\n"
    (output / "report.md").write_text(text, "utf-8")
    print(text)


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _answers(output: Path, name: str) -> list[dict[str, Any]]:
    """Return the answers to the questions of a data set, one per record, with the twin's."""
    lines = [json.loads(line) for line in (output / "results" / name / "answers.jsonl").open(encoding="utf-8")]
    by_model: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["task"] == "held_out_answers":
            by_model.setdefault(line["model"], []).append(line)
    model, twin = by_model.values()
    return [
        {"id": a["id"], "expected": a["expected"], "answer": a["answer"], "twin": b["answer"]}
        for a, b in zip(model, twin, strict=True)
    ]


def _values(answers: Sequence[Mapping[str, Any]], metric: str, key: str, shift: int = 0) -> list[float]:
    """Judge each answer against the text of its own picture, or of another."""
    judge = METRICS[metric]
    expected = [each["expected"] for each in answers]
    return [judge(each[key], expected[(number + shift) % len(expected)]) for number, each in enumerate(answers)]


def _row(title: str, answers: Sequence[Mapping[str, Any]], metric: str) -> str:
    model, twin, chance = (
        _values(answers, metric, "answer"), _values(answers, metric, "twin"), _values(answers, metric, "answer", 1),
    )  # fmt: skip
    cells = [estimate(model), estimate(twin), estimate(chance), difference(model, twin)]
    return f"| {title} | {len(answers)} | " + " | ".join(map(str, cells)) + " |"


def _reading(answers: Mapping[str, Sequence[Mapping[str, Any]]], agreement: Mapping[str, Any]) -> list[str]:
    words = answers["words"]
    numbers = [each for each in words if each["expected"][0].isdecimal()]
    letters = [each for each in words if not each["expected"][0].isdecimal()]
    rows = [
        _row("words and numbers, exact", words, "exact_match"),
        _row("words and numbers, 1 − CER", words, "character_accuracy"),
        *([_row("numbers, exact", numbers, "exact_match")] if numbers else []),
        *([_row("words, exact", letters, "exact_match")] if letters else []),
        _row("values of bars, exact", answers["charts"], "exact_match"),
    ]
    aucs = {
        way: Estimate(found["auc"], found["low"], found["high"], found["pairs"]) for way, found in agreement.items()
    }
    judged = ", ".join(f"{auc} as {way}" for way, auc in aucs.items())
    return [
        "## Reading",
        "",
        "Texts that no training sample has. The twin had the same training without images, and is asked without them;",
        "chance is the model's answer to another picture. Intervals are of 95 %.",
        "",
        "| | n | model | twin | chance | model − twin |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Right against swapped text, by `deepseek_vl.scoring`: AUC {judged}, on {aucs['caption'].count} pictures.",
        "",
        "![Pictures with the model's answer below](answers.png)",
    ]


def _compared(output: Path, names: Sequence[str]) -> dict[str, tuple[Estimate, Estimate]]:
    """Return the perplexity of text, and of text on pictures, of each of the compared models."""
    titles = ["after stage 2", *(name.replace("_", " ") for name in names)]
    scores = []
    for data in ("text", "captions"):
        results = _json(output / "results" / f"compared_{data}" / "results.json")
        scores.append([Estimate(**result["tasks"][0]["score"]) for result in results])
    return dict(zip(titles, zip(*scores, strict=True), strict=True))


def _table_of_compared(found: Mapping[str, tuple[Estimate, Estimate]]) -> list[str]:
    return [
        "## Text and pictures",
        "",
        "Perplexity of a token, on held-out text alone, and on the held-out text of pictures given the picture.",
        "",
        "| training | text | text on pictures |",
        "|---|---|---|",
        *(f"| {title} | {text} | {pictures} |" for title, (text, pictures) in found.items()),
        "",
        "![The same as bars](compared.svg)",
    ]


def _times(output: Path) -> list[str]:
    found = sorted(times(output / "steps").values(), key=lambda each: float(each["wall_s"]), reverse=True)
    total = [sum(float(each[key]) for each in found) for key in ("wall_s", "processor_s")]
    return [
        "## Time",
        "",
        "| step | seconds | processor seconds |",
        "|---|---|---|",
        *(f"| {each['title']} | {each['wall_s']:.0f} | {each['processor_s']:.0f} |" for each in found),
        f"| all | {total[0]:.0f} | {total[1]:.0f} |",
        "",
        "Processor seconds of data steps leave out readers that the pipeline ends.",
    ]


def plot(found: Mapping[str, tuple[Estimate, Estimate]]) -> str:
    """Return an SVG with a bar per training: perplexity of text on the left, loss of a picture's text on the right."""
    panels = (
        ("perplexity of text", [text for text, _ in found.values()]),
        ("loss of the text of pictures, nats a token", [_logarithm(pictures) for _, pictures in found.values()]),
    )
    width, height, bar, left = 380, 220, 24, 110
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width + left + 20}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, title in enumerate(found):
        y = 50 + number * (bar + 14)
        parts.append(f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{html.escape(title)}</text>')
    for panel, (title, scores) in enumerate(panels):
        x0 = left + panel * width
        scale = (width - 110) / max(score.high for score in scores)
        parts.append(f'<text x="{x0}" y="30" font-weight="bold">{title}</text>')
        for number, score in enumerate(scores):
            y, middle = 50 + number * (bar + 14), 50 + number * (bar + 14) + bar / 2
            parts.append(
                f'<rect x="{x0}" y="{y}" width="{score.mean * scale:.1f}" height="{bar}" fill="{COLOURS[number]}"/>'
                f'<line x1="{x0 + score.low * scale:.1f}" x2="{x0 + score.high * scale:.1f}"'
                f' y1="{middle}" y2="{middle}" stroke="black"/>'
                f'<text x="{x0 + score.high * scale + 6:.1f}" y="{y + 16}">{score.mean:.2f}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _logarithm(score: Estimate) -> Estimate:
    return Estimate(math.log(score.mean), math.log(score.low), math.log(score.high), score.count)


def _sheet(output: Path, answers: Sequence[Mapping[str, Any]]) -> Image.Image:
    """Return pictures of a data set with the model's answers below, green where right."""
    by_id = {each["id"]: each for each in answers[:NUM_PICTURES]}
    rows = shards.rows(output / "data" / "unseen_words")
    tiles = [_tile(row["images"][0]["bytes"], by_id[row["id"]]) for row in rows if row["id"] in by_id]
    sheet = Image.new("RGB", (COLUMNS * TILE[0], -(-len(tiles) // COLUMNS) * TILE[1]), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % COLUMNS * TILE[0], number // COLUMNS * TILE[1]))
    return sheet


def _tile(image: bytes, answer: Mapping[str, Any]) -> Image.Image:
    tile = Image.new("RGB", TILE, "white")
    picture = Image.open(io.BytesIO(image)).convert("RGB")
    picture.thumbnail((TILE[0] - 16, TILE[1] - 40))
    tile.paste(picture, (8, 8))
    is_right = METRICS["exact_match"](answer["answer"], answer["expected"]) == 1
    colour = "#1a7f37" if is_right else "#b42318"
    said = "".join(sign if sign.isprintable() else " " for sign in answer["answer"])[:24]
    ImageDraw.Draw(tile).text((10, TILE[1] - 28), said or "(nothing)", fill=colour, font_size=18)
    return tile
