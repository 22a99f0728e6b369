"""Tables of PDF pages in Markdown: with lines, without lines, with spanning and wrapped cells."""

from pathlib import Path

from tests.sources.structure.drawing import PROSE, Drawing, markdown, markdown_sample

XS = (80.0, 230.0, 330.0)
ROWS = (("Lock", "March", "August"), ("Upper lock", "212", "187"), ("Middle lock", "198", "173"), ("Lower", "175", ""))
TABLE = """| Lock | March | August |
|---|---|---|
| Upper lock | 212 | 187 |
| Middle lock | 198 | 173 |
| Lower | 175 |  |"""


def grid(drawing: Drawing, xs: list[float], ys: list[float]) -> None:
    for x in xs:
        drawing.line(x, ys[0], x, ys[-1])
    for y in ys:
        drawing.line(xs[0], y, xs[-1], y)


def test_a_grid_of_lines_is_a_table(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    top = drawing.y + 6
    for row in ROWS:
        drawing.row(row, XS)
    grid(drawing, [75, 220, 320, 420], [top + 16 * k for k in range(5)])
    drawing.y += 20
    drawing.prose()
    assert markdown(drawing.save(tmp_path)) == f"{PROSE}\n\n{TABLE}\n\n{PROSE}"


def test_lines_above_and_below_are_a_table(tmp_path: Path) -> None:
    drawing = Drawing()
    top = drawing.y + 4
    for row in ROWS:
        drawing.row(row, XS)
    for y in (top, top + 17, drawing.y + 5):
        drawing.line(75, y, 420, y)
    drawing.y += 20
    drawing.prose()
    assert markdown(drawing.save(tmp_path)) == f"{TABLE}\n\n{PROSE}"


def test_columns_without_any_line_are_a_table(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    drawing.y += 10
    for row in ROWS:
        drawing.row(row, XS)
    drawing.y += 20
    drawing.prose()
    assert markdown(drawing.save(tmp_path)) == f"{PROSE}\n\n{TABLE}\n\n{PROSE}"


def test_a_spanning_cell_has_its_text_in_its_first_place(tmp_path: Path) -> None:
    drawing = Drawing()
    y = drawing.y
    drawing.text("Lock", 80, y=y + 12)
    drawing.text("Level", 280, y=y + 12)
    for k, row in enumerate((("", "March", "August"), *ROWS[1:3])):
        for cell, x in zip(row, XS, strict=True):
            drawing.text(cell, x, y=y + 28 + 16 * k)
    for line in ((75, 220, 0), (220, 420, 0), (220, 420, 1), *((75, 420, k) for k in (2, 3, 4))):
        drawing.line(line[0], y + 16 * line[2], line[1], y + 16 * line[2])
    for x, first in ((75, 0), (220, 0), (320, 1), (420, 0)):
        drawing.line(x, y + 16 * first, x, y + 64)
    expected = "| Lock | Level |  |\n|---|---|---|\n|  | March | August |\n"
    expected += "| Upper lock | 212 | 187 |\n| Middle lock | 198 | 173 |"
    assert markdown(drawing.save(tmp_path)) == expected


def test_wrapped_cells_are_one_cell_and_breaks_of_the_author_are_kept(tmp_path: Path) -> None:
    drawing = Drawing()
    y = drawing.y
    lines = ("valid on the day of purchase,", "also for one bicycle or one", "dog", "not on Sundays", "not in winter")
    for cell, x, row in (("Single", 80, 0), ("Ten", 80, 3)):
        drawing.text(cell, x, y=y + 12 + 12 * row)
    for k, line in enumerate(lines):
        drawing.text(line, 150, y=y + 12 + 12 * k + (4 if k > 2 else 0))
    grid(drawing, [75, 145, 290], [y, y + 40, y + 68])
    expected = (
        "| Single | valid on the day of purchase, also for one bicycle or one dog |\n|---|---|\n"
        "| Ten | not on Sundays<br>not in winter |"
    )
    assert markdown(drawing.save(tmp_path)) == expected


def test_a_pipe_in_a_cell_is_escaped(tmp_path: Path) -> None:
    drawing = Drawing()
    for row in (("a|b", "1", "2"), ("c", "3", "4"), ("d", "5", "6")):
        drawing.row(row, XS)
    assert markdown(drawing.save(tmp_path)).startswith("| a\\|b | 1 | 2 |")


def test_two_columns_of_prose_are_no_table(tmp_path: Path) -> None:
    drawing = Drawing()
    start = drawing.y
    for x in (72, 310):
        drawing.y = start
        for _ in range(3):
            drawing.prose(x=x, width=210)
    text = markdown(drawing.save(tmp_path))
    assert "|" not in text
    assert text == "\n\n".join([PROSE] * 6)


def test_a_frame_is_no_table(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.page.draw_rect((60, 80, 540, 400), width=1)
    drawing.prose()
    drawing.prose()
    assert "|" not in markdown(drawing.save(tmp_path))


def test_every_word_is_in_the_sample_once_and_tables_are_elements(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    for row in ROWS:
        drawing.row(row, XS)
    sample = markdown_sample(drawing.save(tmp_path))
    words = [*PROSE.split(), *(word for row in ROWS for cell in row for word in cell.split())]
    assert sorted(sample.words.texts) == sorted(words)
    (table,) = [element for element in sample.elements if element.role == "table"]
    assert table.name == TABLE
    x0, y0, x1, y1 = table.box
    inside = [
        text
        for text, (a, b, c, d) in zip(sample.words.texts, sample.words.boxes.tolist(), strict=True)
        if x0 - 1 <= a and c <= x1 + 1 and y0 - 2 <= b and d <= y1 + 2
    ]
    assert sorted(inside) == sorted(words[len(PROSE.split()) :])


def test_code_between_the_rules_of_head_and_foot_is_no_table(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("Water levels", y=46, size=9)
    drawing.text("Chapter 6", x=470, y=46, size=9)
    drawing.line(72, 50, 520, 50)
    drawing.y = 60
    for number in range(12):
        drawing.text(f"gauge/{number:02d}   lock string   height {number}   # read by hand", size=9, font="cour")
    for word in ("lock", "weir", "gate", "basin", "sluice", "lift", "bridge", "pump") * 2:
        drawing.text(f"• {word} (one of them)", x=90)
    drawing.line(72, 792, 520, 792)
    drawing.text("41", x=290, y=802, size=9)
    text = markdown(drawing.save(tmp_path))
    assert "|---" not in text
    assert text.count("\ngauge/") == 12
