"""Pages that books are laid out on: their texts are the book's, and the boxes hold the words."""

import io
import random
import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.base.source import ItemError
from sources.books.blocks import Block
from sources.books.document import DocumentReader
from sources.books.markup import parse
from sources.books.sheets import sheets
from sources.books.source import Books
from tests.conftest import ROOT
from tests.sources.books.conftest import MakeBook, picture

EXAMPLE = ROOT / "sources/books/examples/measuring.epub"
TEXT = (ROOT / "tests/texts/en.txt").read_text("utf-8")
INK = 40  # difference from the paper


def pages_of(path: object, **settings: object) -> list[Sample | ItemError]:
    found: list[Sample | ItemError] = []
    with Books(samples="pages", **settings).open(path) as items:  # type: ignore[arg-type]
        for item in range(len(items)):
            try:
                found.append(items[item])
            except ItemError as error:
                found.append(error)
    return found


def test_the_example_book_on_pages() -> None:
    plain, markdown = pages_of(EXAMPLE), pages_of(EXAMPLE, text="markdown")
    assert [page.provenance.locator for page in plain] == [f"page={k + 1}" for k in range(len(plain))]  # type: ignore[union-attr]
    written = "\n".join(page.plain_text() for page in markdown if isinstance(page, Sample))
    assert "# 1 Length" in written
    assert "| vernier calliper | 0.1 mm |" in written
    assert "```python\nfrom math import pi" in written
    assert re.search(r"^\$\$T = 2\\pi\\sqrt", written, re.MULTILINE)
    assert "[1] Seven is not a length; seven centimetres is one." in written
    for page in plain:
        assert isinstance(page, Sample)
        words = Counter("".join("".join(page.words.texts).split()))  # formulas come after the words of their flow
        words.subtract(Counter("".join(page.plain_text().split())))
        assert not {sign for sign, count in words.items() if count and sign not in "-"}
        assert "laid_out" in page.flags
        assert max(page.image_sizes()[0]) == 1024


def test_boxes_hold_the_ink_of_their_words() -> None:
    for page in pages_of(EXAMPLE):
        assert isinstance(page, Sample)
        pixels = np.asarray(Image.open(io.BytesIO(page.images[0].data)).convert("RGB")).astype(int)
        ink = np.abs(pixels - pixels[0, 0]).max(axis=2) > INK
        boxes = page.words.boxes.astype(int)
        assert np.mean([ink[y0:y1, x0:x1].any() for x0, y0, x1, y1 in boxes]) > 0.99
        for x0, y0, x1, y1 in boxes:
            ink[y0:y1, x0:x1] = False
        if "two_columns" not in page.flags and "Fig" not in page.plain_text():
            assert ink.mean() < 0.01  # nothing is written outside the boxes; rules and quotations have lines


def test_every_word_of_a_book_is_on_one_page(book: MakeBook) -> None:
    paragraphs = [part for part in TEXT.split("\n") if part.strip()][:60]
    code = "\n".join(f"line_{k} = {k}" for k in range(70))
    rows = "".join(f"<tr><td>row{k}</td><td>{k * k}</td></tr>" for k in range(60))
    path = book(
        "<h1>First</h1>" + "".join(f"<p>{part}</p>" for part in paragraphs[:30]),
        f"<h1>Second</h1><p>{' '.join(paragraphs[30:])}</p><pre>{code}</pre><table>{rows}</table>",
    )
    pages = pages_of(path, text="markdown")
    assert all(isinstance(page, Sample) for page in pages), pages
    assert len(pages) > 6
    text = " ".join(page.plain_text() for page in pages if isinstance(page, Sample))
    found = re.findall(r"\w{4,}", text.replace("\\", ""))
    wanted = re.findall(r"\w{4,}", " ".join(paragraphs))
    assert [word for word in found if word in set(wanted)] == wanted
    assert re.findall(r"line_\d+", text.replace("\\", "")) == [f"line_{k}" for k in range(70)]
    assert re.findall(r"row\d+", text) == [f"row{k}" for k in range(60)]


def test_dollars_and_backticks_of_the_text_are_no_formulas_and_code(book: MakeBook) -> None:
    body = "<p>It costs $5 or $6, `quoted`, and <code>x = 1</code> has <math><mi>x</mi></math>.</p>"
    (plain,) = pages_of(book(body))
    assert isinstance(plain, Sample)
    assert plain.plain_text().startswith("It costs $5 or $6, `quoted`, and x = 1 has $x$.")
    (markdown,) = pages_of(book(body), text="markdown")
    assert isinstance(markdown, Sample)
    assert markdown.plain_text().startswith("It costs $5 or $6, \\`quoted\\`, and `x = 1` has $x$.")


def test_languages_and_scripts(book: MakeBook) -> None:
    chinese = "<p>" + "测量就是把一个东西和另一个大家都有的东西相比较。" * 12 + "</p>"
    (page,) = pages_of(book(chinese))
    assert isinstance(page, Sample)
    assert page.plain_text().startswith("测量就是把一个东西")
    for few in ("数を測る", "길이를 잰다", "量一量"):
        (page,) = pages_of(book(f"<p>{'A ruler is in inches, and so is the rule. ' * 12}{few}</p>"))
        assert isinstance(page, Sample), page
        assert few in page.plain_text()


def test_a_page_that_cannot_be_drawn_costs_only_itself(book: MakeBook) -> None:
    formula = '<math alttext="\\begin{foo}x"></math>'
    chapters = ["<h1>a</h1><p>" + "good words here. " * 60 + "</p>"] * 2
    pages = pages_of(book(chapters[0], f"<h1>b</h1><p>{formula}</p><p>{'more words. ' * 130}</p>", chapters[1]))
    causes = [page.cause if isinstance(page, ItemError) else "" for page in pages]
    assert causes.count("formula") == 1
    assert causes[0] == causes[-1] == ""
    (error,) = pages_of(book("<p>a \U0001f9ff sign that few fonts have</p>"))
    assert isinstance(error, ItemError)
    assert error.cause == "missing_glyph"
    (error,) = pages_of(book("<p>ქართული ტექსტი აქ არის</p>"))
    assert isinstance(error, ItemError)
    assert error.cause == "unsupported_script"


def test_pages_do_not_depend_on_each_other() -> None:
    source = Books(samples="pages")
    with source.open(EXAMPLE) as items:
        order = list(range(len(items)))
        random.Random(1).shuffle(order)
        again = {item: items[item].images[0].data for item in order}
    assert [again[k] for k in sorted(again)] == [page.images[0].data for page in pages_of(EXAMPLE)]  # type: ignore[union-attr]


def test_figures_are_drawn_and_are_no_text(book: MakeBook) -> None:
    body = '<figure><img src="a.png"/><figcaption>Figure 1. A square.</figcaption></figure><p>' + "Words below. " * 18
    (page,) = pages_of(book(f"{body}</p>", files={"a.png": picture(300, 200)}))
    assert isinstance(page, Sample)
    assert "Figure 1. A square.\nWords below. Words" in page.plain_text()
    assert (page.text or "").count("<image>") == 1


def test_sheets_keep_headings_with_what_follows() -> None:
    blocks = [Block("text", text="word " * 60) for _ in range(4)]
    blocks.insert(3, Block("heading", text="Head", level=2))
    found = sheets(blocks, lines=17)
    assert [block.text for sheet in found for block in sheet.blocks] == [block.text for block in blocks]
    assert all(sheet.blocks[-1].kind != "heading" for sheet in found)


def test_other_samples_have_no_marks() -> None:
    root, _ = parse(b"<p>a <code>b</code> <math><mi>x</mi></math></p>")
    (block,) = DocumentReader("a").read(root)
    assert block.text == "a `b` $x$"


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"side_px": 256}, "at least 512"), ({"text": "html"}, "plain or markdown"), ({"samples": "page"}, "sections")],
)
def test_settings_of_pages_are_checked(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Books(**{"samples": "pages", **settings})  # type: ignore[arg-type]


def test_a_number_stays_with_its_sentence() -> None:
    text = f"12. {'the lender is not liable for water ' * 14}at all. " + "测量就是比较。" * 80
    (block,) = (Block("text", text),)
    pieces = [block.text for sheet in sheets([block], 22) for block in sheet.blocks]
    assert len(pieces) > 2
    assert pieces[0].startswith("12. the lender")
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert "。 " not in "".join(pieces)


def test_pages_with_little_text_are_filled_by_larger_letters(book: MakeBook) -> None:
    chapters = [f"<h1>Chapter</h1>{'<p>Words of a chapter of a book that ends soon.</p>' * 9}" for _ in range(8)]
    pages = [page for page in pages_of(book(*chapters)) if isinstance(page, Sample)]
    ends = [page.words.boxes[:-3, 3].max() for page in pages if page.words is not None]
    assert float(np.median(ends)) > 0.4 * 1024


def test_a_page_that_is_mostly_pictures_is_none(book: MakeBook) -> None:
    figure = '<figure><img src="a.png"/><figcaption>Figure 1: A window.</figcaption></figure>'
    (error,) = pages_of(book(f"<h1>Groups</h1>{figure}", files={"a.png": picture(300, 200)}))
    assert isinstance(error, ItemError)
    assert error.cause == "mostly_pictures"
