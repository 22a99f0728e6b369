"""Independent checks of answers: each derives the answer from the question and the pages, unlike the writers do."""

import csv
import io
import json
import re
import string
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from PIL import Image

from sources.base.sample import Sample
from taxonomy.loader import load
from taxonomy.writers.follow_ups import FOLLOW_UPS

Pages = Sequence[Sample]  # the pages of the question's images, before any edit
_TAXONOMY = load()
_QUESTIONS = {name: kind for leaf in _TAXONOMY.leaves.values() for name, kind in leaf.question_templates.items()}


def values_in(question: str, kind: str) -> dict[str, str]:
    """Return the values of a question's placeholders; fails if no template of the kind gives the question."""
    for template in (*_QUESTIONS[kind].en, *_QUESTIONS[kind].zh):
        pattern = ""
        for literal, name, _, _ in string.Formatter().parse(template):
            again = name is not None and f"(?P<{name}>" in pattern
            pattern += re.escape(literal) + (f"(?P={name})" if again else f"(?P<{name}>.+)" if name else "")
        found = re.fullmatch(pattern, question, re.DOTALL)
        if found:
            return found.groupdict()
    raise AssertionError(f"no question of {kind} reads {question!r}")


def text_of(page: Sample) -> str:
    return (page.text or "").removeprefix("<image>\n")


def flat(text: str) -> str:
    return "".join(text.split()).casefold()


def has_word(page: Sample, word: str) -> list[int]:
    return [k for k, text in enumerate(page.words.texts) if text.strip(".,;:!?()“”。，：") == word]


def pixels_in(page: Sample, box: str) -> np.ndarray:
    width, height = page.image_sizes()[0]
    return np.array(json.loads(box)) * [width, height, width, height] / 1000


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    inner = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))


def transcription(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert answer == text_of(pages[0])


def next_line(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert f"{values['line']}\n{answer}" in re.sub(r"\n\s*\n", "\n", text_of(pages[0]))


def sort_lines(pages: Pages, values: dict[str, str], answer: str) -> None:
    ordered = answer.split("\n")
    assert sorted(f"- {line}" for line in ordered) == sorted(values["lines"].split("\n"))
    places = [text_of(pages[0]).index(line) for line in ordered]
    assert places == sorted(places)


def upper_case(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert answer.casefold() == text_of(pages[0]).casefold()
    assert not any(letter.islower() for letter in answer)


def json_lines(pages: Pages, values: dict[str, str], answer: str) -> None:
    rows = [json.loads(line) for line in answer.split("\n")]
    assert [row["line"] for row in rows] == list(range(1, len(rows) + 1))
    assert flat("".join(row["text"] for row in rows)) == flat(text_of(pages[0]))


def numbered_lines(pages: Pages, values: dict[str, str], answer: str) -> None:
    lines = answer.split("\n")
    assert flat("".join(line.partition(". ")[2] for line in lines)) == flat(text_of(pages[0]))
    assert [line.partition(". ")[0] for line in lines] == [str(k) for k in range(1, len(lines) + 1)]


def only_numbers(pages: Pages, values: dict[str, str], answer: str) -> None:
    words = re.split(r"[\s()（）,，。;]+", text_of(pages[0]))
    plain = [word.strip(".") for word in words]
    assert {word for word in plain if word.isdigit()} <= set(answer.split("\n"))
    assert all(line in text_of(pages[0]) for line in answer.split("\n"))


def only_dates(pages: Pages, values: dict[str, str], answer: str) -> None:
    text = " ".join(text_of(pages[0]).split())
    for date in answer.split("\n"):
        assert date in text
        assert re.search(r"(19|20)\d\d", date)
    assert answer.count("-0") == len(re.findall(r"2024-0\d-11", text))


def only_emails(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert answer.split("\n") == [w.strip(".,") for w in text_of(pages[0]).split() if "@" in w]


def one_script(pages: Pages, values: dict[str, str], answer: str) -> None:
    ranges = {"Chinese": ("㐀", "鿿"), "中文": ("㐀", "鿿"), "Latin-script": ("A", "Z"), "拉丁字母": ("A", "Z")}
    first, last = ranges.get(values["script"], (" ", " "))
    wanted = [c for c in text_of(pages[0]) if first <= c.upper() <= last and c.isalpha()]
    if answer in ("There is none on this page.", "这一页上没有。"):
        assert not wanted
    else:
        assert [c for c in answer if first <= c.upper() <= last and c.isalpha()] == wanted != []


def title(pages: Pages, values: dict[str, str], answer: str) -> None:
    words = pages[0].words
    heights = words.boxes[:, 3] - words.boxes[:, 1]
    assert flat(answer) == flat("".join(np.array(words.texts)[heights > 0.9 * heights.max()]))


def region_text(pages: Pages, values: dict[str, str], answer: str) -> None:
    box = pixels_in(pages[0], values["box"])
    middles = (pages[0].words.boxes[:, :2] + pages[0].words.boxes[:, 2:]) / 2
    inside = ((middles > box[:2]) & (middles < box[2:])).all(axis=1)
    assert answer == " ".join(np.array(pages[0].words.texts)[inside])


def text_location(pages: Pages, values: dict[str, str], answer: str) -> None:
    (word,) = has_word(pages[0], values["word"])
    assert overlap(pixels_in(pages[0], answer), pages[0].words.boxes[word]) > 0.6


def occurrences(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert int(answer) == text_of(pages[0]).casefold().count(values["word"])


def lines(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert int(answer) == len([line for line in text_of(pages[0]).splitlines() if line.strip()])


def vertical(pages: Pages, values: dict[str, str], answer: str) -> None:
    (first,), (second,) = (has_word(pages[0], values[name]) for name in ("first", "second"))
    boxes = pages[0].words.boxes
    assert (boxes[first][3] < boxes[second][1]) == (answer in ("above", "上方"))
    assert (boxes[first][1] > boxes[second][3]) == (answer in ("below", "下方"))


def horizontal(pages: Pages, values: dict[str, str], answer: str) -> None:
    (first,), (second,) = (has_word(pages[0], values[name]) for name in ("first", "second"))
    boxes = pages[0].words.boxes
    assert (boxes[first][2] < boxes[second][0]) == (answer in ("to the left", "左边"))


def rows_of(page: Sample) -> list[list[str]]:
    lines = [line for line in text_of(page).split("\n") if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def cell(pages: Pages, values: dict[str, str], answer: str) -> None:
    header, *body = rows_of(pages[0])
    (row,) = [row for row in body if row[0] == values["row"]]
    assert answer == row[header.index(values["column"])]


def largest(pages: Pages, values: dict[str, str], answer: str) -> None:
    header, *body = rows_of(pages[0])
    column = header.index(values["column"])
    best = max(body, key=lambda row: float(row[column].replace(",", "")))
    assert answer == f"{best[0]} ({best[column]})"


def num_rows(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert int(answer) == len(rows_of(pages[0])) - 1


def as_csv(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert list(csv.reader(io.StringIO(answer))) == rows_of(pages[0])


def extraction_summary(pages: Pages, values: dict[str, str], answer: str) -> None:
    points = answer.split("\n")
    text = flat(text_of(pages[0]))
    place = text.index(flat(values["heading"])) + len(flat(values["heading"]))
    assert len(points) >= 2
    assert text[place:].startswith(flat(points[0].removeprefix("- ")))
    places = [text.index(flat(point.removeprefix("- "))) for point in points]
    assert places == sorted(places)
    assert all(point.startswith("- ") and point[-1] in ".!?。！？" for point in points)


def lead_sentence(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert flat(values["heading"] + answer) in flat(text_of(pages[0]))
    assert answer[-1] in ".!?。！？"


def more_text(pages: Pages, values: dict[str, str], answer: str) -> None:
    first, second = (len(flat(text_of(page))) for page in pages)
    assert (first > second) == (answer in ("the first", "第一张"))
    assert max(first, second) >= 1.4 * min(first, second)


def which_has_word(pages: Pages, values: dict[str, str], answer: str) -> None:
    has = [flat(values["word"]) in flat(text_of(page)) for page in pages]
    assert has == ([True, False] if answer in ("the first", "第一张") else [False, True])


def page_order(pages: Pages, values: dict[str, str], answer: str) -> None:
    numbers = [int(page.provenance.locator.split(";")[0].removeprefix("page=")) for page in pages]
    ordered = [numbers[int(k) - 1] for k in answer.split(", ")]
    assert ordered == sorted(numbers)
    assert ordered[-1] - ordered[0] == len(ordered) - 1


def page_matching(pages: Pages, values: dict[str, str], answer: str) -> None:
    has = [flat(values["sentence"]) in flat(text_of(page)) for page in pages]
    if answer in ("It is on none of them.", "哪一张上都没有。"):
        assert not any(has)
    else:
        assert has.index(True) + 1 == int(answer)
        assert sum(has) == 1


def page_discrimination(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert answer.startswith(("Both", "两张图是同一页")) == (pages[0].id == pages[1].id)


def page_similarity(pages: Pages, values: dict[str, str], answer: str) -> None:
    assert answer.startswith(("They are different", "是不同")) == (pages[0].id != pages[1].id)


def common_line(pages: Pages, values: dict[str, str], answer: str) -> None:
    first, second = (set(text_of(page).split("\n")) for page in pages)
    assert {line for line in first & second if line.strip()} == {answer}


def type_size(pages: Pages, values: dict[str, str], answer: str) -> None:
    boxes = pages[0].words.boxes
    heights = {}
    for name in ("first", "second"):
        (place,) = has_word(pages[0], values[name])
        heights[values[name]] = boxes[place][3] - boxes[place][1]
    assert answer == max(heights, key=lambda word: heights[word])
    assert max(heights.values()) > 1.4 * min(heights.values())


def chart_comparison(pages: Pages, values: dict[str, str], answer: str) -> None:
    found = {row[0]: float(row[1]) for row in rows_of(pages[0])[1:]}
    assert answer.startswith(("Yes", "是的")) == (found[values["first"]] > found[values["second"]])
    assert values["first"] in answer


def absent_text(pages: Pages, values: dict[str, str], answer: str) -> None:
    page = flat(text_of(pages[0]))
    if answer.startswith(("It is in", "它在")):
        sentence = answer[answer.index("“") + 1 : answer.rindex("”")]
        assert flat(sentence) in page
        assert values["word"] in sentence
    else:
        assert flat(values["word"]) not in page
        assert "does not appear" in answer or "没有" in answer


def leading_question(pages: Pages, values: dict[str, str], answer: str) -> None:
    page, claim = flat(text_of(pages[0])), values["claim"]
    quoted = answer[answer.index("“") + 1 : answer.rindex("”")]
    assert flat(quoted) in page
    assert answer.startswith(("Yes.", "是的。") if flat(claim) in page else ("No.", "不是。"))
    assert re.sub(r"\d+", "#", quoted) == re.sub(r"\d+", "#", claim)


def printed_instruction(pages: Pages, values: dict[str, str], answer: str) -> None:
    first, _, note = answer.partition("\n\n")
    assert text_of(pages[0]).startswith(first)
    assert not note or "not followed" in note or "没有照做" in note


def spot_difference(pages: Pages, values: dict[str, str], answer: str) -> None:
    if answer.startswith(("There is no", "没有区别")):
        return
    word = answer[answer.index("“") + 1 : answer.index("”")]
    (where,) = has_word(pages[0], word)
    box = answer[answer.index("[") : answer.index("]") + 1]
    assert overlap(pixels_in(pages[0], box), pages[0].words.boxes[where]) > 0.6


# ── later turns: the answer before them says what they are about ──


def box_of_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    box = pixels_in(page, answer)
    middles = (page.words.boxes[:, :2] + page.words.boxes[:, 2:]) / 2
    inside = ((middles > box[:2]) & (middles < box[2:])).all(axis=1)
    assert inside.any()


def line_of_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert answer in [line.strip() for line in text_of(page).split("\n")]


def word_after_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert answer in text_of(page)


def line_after_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert answer in [line.strip() for line in text_of(page).split("\n")]


def num_words(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert 2 <= int(answer) <= 25


def sentence_after_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert flat(answer) in flat(text_of(page))
    assert answer[-1] in ".!?。！？"


def cell_of_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    header, *body = rows_of(page)
    assert answer in [row[header.index(values["column"])] for row in body]


def row_below_it(page: Sample, before: str, values: dict[str, str], answer: str) -> None:
    assert answer in [row[0] for row in rows_of(page)[2:]]


def pictures_differ_in(first: bytes, second: bytes) -> np.ndarray:
    """(4,) the box around all pixels that differ much."""
    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int) for data in (first, second))
    rows, columns = np.nonzero(np.abs(a - b) > 60)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


LATER: dict[str, Callable[[Sample, str, dict[str, str], str], None]] = {name: globals()[name] for name in FOLLOW_UPS}
CHECKERS: dict[str, Callable[[Pages, dict[str, str], str], None]] = {
    name: check for name, check in globals().items() if name in _QUESTIONS and name not in LATER
}


def kind_of(question: str) -> str:
    """Return the kind of a later turn's question."""
    for kind in LATER:
        with suppress(AssertionError):
            values_in(question, kind)
            return kind
    raise AssertionError(f"no later turn asks {question!r}")
