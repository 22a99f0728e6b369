"""Form fields as key and value."""

from pathlib import Path

import pymupdf

from sources.pdfs.source import Pdfs
from tests.sources.structure.drawing import Drawing, markdown_sample


def form(folder: Path) -> Path:
    drawing = Drawing()
    for k, (kind, label, value) in enumerate(
        (
            (pymupdf.PDF_WIDGET_TYPE_TEXT, "Name", "Upper lock"),
            (pymupdf.PDF_WIDGET_TYPE_TEXT, "Remarks:", ""),
            (pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "open in winter", "Yes"),
            (pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "closed on Sundays", "Off"),
        )
    ):
        y = 120 + 40 * k
        is_box = kind == pymupdf.PDF_WIDGET_TYPE_CHECKBOX
        drawing.text(label, 95 if is_box else 72, y=y)
        widget = pymupdf.Widget()
        widget.field_type, widget.field_name, widget.field_value = kind, f"field{k}", value
        widget.rect = pymupdf.Rect(72, y - 11, 84, y + 1) if is_box else pymupdf.Rect(140, y - 12, 400, y + 4)
        drawing.page.add_widget(widget)
    drawing.text("Thank you.", y=300)
    return drawing.save(folder)


def test_fields_are_elements_with_key_and_value(tmp_path: Path) -> None:
    path = form(tmp_path)
    expected = ["Name: Upper lock", "Remarks:", "open in winter: [x]", "closed on Sundays: [ ]"]
    for text in ("plain", "markdown"):
        with Pdfs(text=text).open(path) as items:
            assert [element.name for element in items[0].elements if element.role == "field"] == expected


def test_values_are_in_place_in_plain_text(tmp_path: Path) -> None:
    with Pdfs().open(form(tmp_path)) as items:
        lines = [line for line in items[0].plain_text().split("\n") if line]
    assert lines[0] == "Name Upper lock"
    assert lines[-1] == "Thank you."
    assert "✔ open in winter" in lines or "✓ open in winter" in lines
    assert "closed on Sundays" in lines


def test_boxes_are_tasks_in_markdown(tmp_path: Path) -> None:
    lines = markdown_sample(form(tmp_path)).plain_text().split("\n")
    assert "Name: Upper lock" in lines
    assert "- [x] open in winter" in lines
    assert "- [ ] closed on Sundays" in lines


def test_hidden_fields_are_no_elements(tmp_path: Path) -> None:
    path = form(tmp_path)
    hidden = tmp_path / "hidden.pdf"
    with pymupdf.open(path) as document:
        for widget in document[0].widgets():
            document.xref_set_key(widget.xref, "F", "2")
        document.save(hidden)
    assert not [element for element in markdown_sample(hidden).elements if element.role == "field"]
