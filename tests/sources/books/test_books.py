"""Books: text and figures in reading order, captions with their figures, and what is left out."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.base.source import InputError, ItemError
from sources.books import samples as books
from sources.books.book import open_book
from sources.books.source import Books
from tests.sources.books.conftest import MakeBook, picture

EXAMPLES = Path(__file__).parents[3] / "sources/books/examples"


def samples(path: Path, **settings: object) -> list[Sample]:
    with Books(**settings).open(path) as items:  # type: ignore[arg-type]
        return list(items)


def text(path: Path, **settings: object) -> str:
    found = samples(path, **settings)
    assert len(found) == 1
    return found[0].text or ""


def test_the_example_book() -> None:
    length, time = samples(EXAMPLES / "measuring.epub")
    assert length.text is not None
    assert time.text is not None
    assert length.provenance.license == "cc0-1.0"
    assert length.flags == ["dropped_cover", "dropped_repeated"]
    assert [image.extension for image in length.images] == ["png", "png"]
    order = [
        "# 1 Length",
        "unit of the scale.[^1]",
        "## 1.1 The ruler",
        "<image>\n\nFigure 1.1: A pencil of 7.5 cm beside a ruler.",
        "- The eye is not above the mark, so that the reading is shifted:\n  1. to the left",
        "## 1.2 The vernier",
        "<image>\n\nFig. 1.2. The third mark",
        "Table 1. How finely three tools are read.\n\n| tool | smallest step |\n|---|---|\n| folding rule | 1 mm |",
        "[^1]: Seven is not a length; seven centimetres is one.",
    ]
    places = [length.text.index(piece) for piece in order]
    assert places == sorted(places)
    assert "\n2\n" not in length.text  # the number of a page
    assert "$$\nT = 2\\pi\\sqrt{\\frac{\\ell}{g}}\n$$" in time.text
    assert "where $\\ell$ is its length and $g \\approx 9.81\\,\\text{m}/\\text{s}^{2}$." in time.text
    assert "```python\nfrom math import pi\n\nfor seconds" in time.text
    assert "> To measure is" in time.text


def test_captions_of_the_example_book_with_their_mentions() -> None:
    ruler, vernier, pendulum = samples(EXAMPLES / "measuring.epub", samples="captions", mentions=1)
    assert ruler.text is not None
    assert ruler.text.startswith(
        "<image>\nFigure 1.1: A pencil of 7.5 cm beside a ruler.\n\nThe ruler in Figure 1.1 has"
    )
    assert vernier.text == "<image>\nFig. 1.2. The third mark of the upper scale meets a mark of the lower one: 1.3."
    assert pendulum.text is not None
    assert "Figure 2.1\nA pendulum and the angle by which it swings.\n\nA clock counts" in pendulum.text
    assert "[^" not in pendulum.text
    assert {ruler.use_case, vernier.use_case, pendulum.use_case} == {"recognition/global_description/other"}


def test_a_book_of_one_html_file() -> None:
    (found,) = samples(EXAMPLES / "测量.html")
    assert found.text is not None
    assert "温度计里的液体受热膨胀，液面随之上升。" in found.text  # the line's end is no space
    assert "<image>\n\n图 1 一支温度计" in found.text
    assert "$F = \\frac{9}{5}C + 32$" in found.text


def test_pictures_beside_an_html_file_are_part_of_the_book(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/a.png").write_bytes(picture())
    secret = tmp_path.parent / f"{tmp_path.name}-secret.png"
    secret.write_bytes(picture())
    path = tmp_path / "book.html"
    path.write_text(
        f'<p>One</p><img src="figures/a.png"><p>Two</p><img src="../{secret.name}"><img src="https://a.example/b.png">'
    )
    (found,) = samples(path)
    assert found.text == "One\n\n<image>\n\nTwo"
    assert found.flags == ["dropped_missing", "dropped_remote"]
    before = Books().digest_of(path)
    (tmp_path / "figures/a.png").write_bytes(picture(shade=90))
    assert Books().digest_of(path) != before


LINKS = [
    # The markup says it.
    ('<figure><img src="a.png"/><figcaption>Cap</figcaption></figure><p>Text</p>', ["Cap"]),
    ('<figure><figcaption>Cap</figcaption><img src="a.png"/></figure><p>Text</p>', ["Cap"]),
    ('<div class="image"><p><img src="a.png"/></p><p class="cap">Cap</p></div><p>Text</p>', ["Cap"]),
    ('<p class="fig"><img src="a.png"/></p><p class="fig-caption">Cap</p><p>Text</p>', ["Cap"]),
    ('<p><img src="a.png"/><br/><span class="caption">Cap</span></p><p>Text</p>', ["Cap"]),
    # The paragraph begins like a caption.
    ('<p>Text</p><img src="a.png"/><p>Figure 3.2: Cap</p><p>Text</p>', ["Figure 3.2: Cap"]),
    ('<p>Abb. 4 – Cap</p><img src="a.png"/><p>Text</p>', ["Abb. 4 – Cap"]),
    ('<img src="a.png"/><p>图 2 说明</p><p>正文</p>', ["图 2 说明"]),
    # It only tells of a figure.
    ('<img src="a.png"/><p>Figure 3 shows that the text goes on.</p>', [""]),
    ('<img src="a.png"/><p>Text</p>', [""]),
    # Each has its own, or they share one.
    (
        '<img src="a.png"/><p>Fig. 1. A</p><img src="b.png"/><p>Fig. 2. B</p><p>Text</p>',
        ["Fig. 1. A", "Fig. 2. B"],
    ),
    ('<p>Fig. 1. A</p><img src="a.png"/><p>Text</p><p>Fig. 2. B</p><img src="b.png"/>', ["Fig. 1. A", "Fig. 2. B"]),
    ('<img src="a.png"/><img src="b.png"/><p>Fig. 1. Both</p>', ["Fig. 1. Both", "Fig. 1. Both"]),
    (
        '<figure><figure><img src="a.png"/><figcaption>A</figcaption></figure>'
        '<figure><img src="b.png"/></figure><figcaption>Both</figcaption></figure>',
        ["A", "Both"],
    ),
]


@pytest.mark.parametrize(("body", "captions"), LINKS)
def test_captions_and_their_figures(body: str, captions: list[str], book: MakeBook) -> None:
    path = book(body, files={"a.png": picture(), "b.png": picture(shade=90)})
    found = samples(path, samples="captions")
    assert [(sample.text or "").removeprefix("<image>\n") for sample in found] == [text for text in captions if text]


PIECES = [
    ("<p>A <b>bold</b>\n  word,<br/>a line</p>", "A bold word,\na line"),
    ("<p>x<sup>2</sup>, H<sub>2</sub>O, 1<sup>st</sup>, a<sup>n+k</sup></p>", "x², H₂O, 1st, a^(n+k)"),
    ("<p>soft&#173;ly &nbsp;&mdash; &lt;image&gt;</p>", "softly — <image >"),
    ("<p>漢<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby></p>", "漢字"),
    ("<p>use <code>a|b</code></p>", "use `a|b`"),
    ("<ol start='3'><li>c</li><li><p>d</p><p>e</p></li></ol>", "3. c\n4. d\n   e"),
    ("<dl><dt>term</dt><dd>meaning</dd></dl>", "term\n: meaning"),
    ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n\n> b"),
    ("<h3>A <i>title</i><br/>of two lines</h3><p>x</p>", "### A title of two lines\n\nx"),
    (
        "<table><tr><th rowspan='2'>a</th><th>b|c</th></tr><tr><td>1<br/>2</td></tr></table>",
        "| a | b\\|c |\n|---|---|\n|  | 1<br>2 |",
    ),
    ("<table><tr><td><p>left</p></td></tr><tr><td>right</td></tr></table>", "left\n\nright"),
    ("<p>a</p><p hidden=''>b</p><p style='display: none'>c</p><script>d()</script><nav><p>e</p></nav>", "a"),
    ("<p>a<span class='pagenum'>17</span>b</p><span epub:type='pagebreak'>18</span>", "ab"),
    ("<p>a<math><mi>x</mi></math></p><math display='block'><mi>y</mi></math>", "a$x$\n\n$$\ny\n$$"),
    ("<p>a <img class='math' alt='\\alpha^2' src='a.png'/> b</p>", "a $\\alpha^2$ b"),
    ("<pre class='brush: python'>  a\n    b</pre>", "```python\n  a\n    b\n```"),
]


@pytest.mark.parametrize(("body", "expected"), PIECES)
def test_text(body: str, expected: str, book: MakeBook) -> None:
    assert text(book(body)) == expected


def test_footnotes_follow_the_section_that_refers_to_them(book: MakeBook) -> None:
    old = (
        "<p>One<sup><a id='r1' href='#f1'>1</a></sup> and two<a href='c1.xhtml#f2'><sup>2</sup></a>.</p>"
        "<p>The square of 3 is 9<a href='http://a.example'>x</a>.</p>"
        "<p id='f1'><a href='#r1'><sup>1</sup></a> First note.</p>"
    )
    assert text(book(old, "<p id='f2'>2. Second note.</p>")) == (
        "One[^1] and two[^2].\n\nThe square of 3 is 9x.\n\n[^1]: First note.\n[^2]: Second note."
    )


def test_pictures_that_are_no_figures_are_left_out(book: MakeBook) -> None:
    small, line, blank, logo = picture(20, 20), picture(600, 24), picture(shade=253), picture(shade=10)
    files = {"small.png": small, "line.png": line, "blank.png": blank, "logo.png": logo, "a.png": picture()}
    files |= {"broken.png": picture()[:60], "text.jpg": b"hello"}
    body = "".join(f"<p>{name} <img src='{name}'/> after</p>" for name in files)
    (found,) = samples(book(body, "<img src='logo.png'/><p>x</p><img src='logo.png'/>", files=files))
    assert len(found.images) == 1
    assert "small.png after\n\n" in (found.text or "")  # the paragraph is whole again
    assert "a.png\n\n<image>\n\nafter" in (found.text or "")
    reasons = ("blank", "icon", "ornament", "repeated", "unreadable")
    assert found.flags == [f"dropped_{reason}" for reason in reasons]


def test_pictures_are_scaled_turned_and_laid_on_white(book: MakeBook) -> None:
    clear = Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 50, 100))
    turned = Image.new("RGB", (1500, 900), "white")
    turned.paste("blue", (0, 0, 500, 900))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {}
    for name, image, options in (("a.png", clear, {}), ("b.jpg", turned, {"exif": exif})):
        buffer = io.BytesIO()
        image.save(buffer, **{"format": "PNG" if name == "a.png" else "JPEG", **options})
        files[name] = buffer.getvalue()
    (found,) = samples(book("<p>x</p><img src='a.png'/><img src='b.jpg'/>", files=files))
    first, second = (np.asarray(Image.open(io.BytesIO(image.data)).convert("RGB")) for image in found.images)
    assert first[50, 10].tolist() == [255, 0, 0]
    assert first[50, 200].tolist() == [255, 255, 255]
    assert second.shape == (1024, 614, 3)
    assert second[10, 300, 2] > 200
    assert second[10, 300, 0] < 60
    assert [image.extension for image in found.images] == ["png", "jpg"]


def test_a_drawing_shows_the_pictures_of_its_book_and_no_others(book: MakeBook, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture())

    def drawing(link: str) -> bytes:
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            'width="150pt" height="90pt"><path d="M0 0h4v4z"/>'
            f'<image xlink:href="{link}" width="200" height="120"/></svg>'
        ).encode()

    files = {"in.svg": drawing("a.png"), "out.svg": drawing(str(secret)), "a.png": picture()}
    path = book("<p>x</p><img src='in.svg'/><p>y</p><img src='out.svg'/>", files=files)
    (found,) = samples(path)
    inside, outside = (np.asarray(Image.open(io.BytesIO(image.data)).convert("L")) for image in found.images)
    assert inside.shape == outside.shape == (615, 1024)  # 150 by 90 pt
    assert inside[250, 400] < 100
    assert outside[250, 400] == 255


def test_sections_end_at_chapters_and_within_the_budget(book: MakeBook) -> None:
    paragraph = f"<p>{'Some words of a paragraph. ' * 20}</p>"
    figure = "<img src='a.png'/><p>Figure 1. A square</p>"
    one = f"<h1>One</h1>{paragraph * 3}<h2>Part</h2>{paragraph}{figure}{paragraph * 2}"
    path = book("<p>Title page</p>", one, f"<h1>Two</h1>{paragraph}", files={"a.png": picture()})
    whole = samples(path, max_tokens=4000)
    assert [(sample.text or "").count("Some words") for sample in whole] == [120, 20]
    parts = [sample.text or "" for sample in samples(path, max_tokens=700)]
    assert parts[0].startswith("Title page\n\n# One")
    assert any(part.startswith("## Part") for part in parts)
    assert all("<image>\n\nFigure 1." in part for part in parts if "<image>" in part or "Figure 1." in part)
    assert not any(part.endswith(("# One", "## Part")) for part in parts)
    long = f"<p>{'A sentence of six or seven words. ' * 200}</p>"
    assert len(samples(book(long), max_tokens=500)) == 4


ENCRYPTED = (
    "<e><EncryptedData><EncryptionMethod Algorithm='aes'/><CipherReference URI='OPS/c0.xhtml'/></EncryptedData></e>"
)
BAD = [
    ({"META-INF/encryption.xml": ENCRYPTED, "META-INF/rights.xml": "<r/>"}, "drm"),
    ({"OPS/book.opf": ""}, "damaged"),
    ({"OPS/book.opf": "<package><manifest/><spine/></package>"}, "no_text"),
]


@pytest.mark.parametrize(("files", "cause"), BAD)
def test_a_book_that_cannot_be_read_says_why(files: dict[str, str], cause: str, book: MakeBook) -> None:
    good = book("<p>text</p>")
    bad = good.with_name("bad.epub")
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w") as new:
        members = {info.filename: old.read(info) for info in old.filelist}
        for name, content in (members | {name: content.encode() for name, content in files.items()}).items():
            new.writestr(name, content)
    with pytest.raises(InputError) as error, Books().open(bad):
        pass
    assert error.value.cause == cause


def test_damaged_archives_and_other_files(book: MakeBook, tmp_path: Path) -> None:
    whole = book("<p>text</p>").read_bytes()
    for name, content, cause in (
        ("cut.epub", whole[: len(whole) // 2], "damaged"),
        ("empty.epub", b"", "empty_file"),
        ("nothing.html", b"<html><body/></html>", "no_text"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error, Books().open(tmp_path / name):
            pass
        assert error.value.cause == cause, name


def test_missing_and_broken_documents_cost_only_themselves(book: MakeBook) -> None:
    spine = "<itemref idref='c0'/><itemref idref='gone'/><itemref idref='c1'/>"
    path = book("<p>first &eacute;<i>un<b>closed</p>", "<p>second</p>", spine=spine)
    (found,) = samples(path)
    assert found.text == "first éunclosed\n\nsecond"
    assert found.flags == ["mended_markup", "missing_documents"]


def test_entities_of_a_dtd_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xhtml"
    entities = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10 if k else "x" * 10}">' for k in range(10))
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE html [{entities}]><html><body><p>a&a9;b</p></body></html>')
    assert text(path) == "ab"


def test_names_that_lead_out_of_the_archive_are_not_found(book: MakeBook) -> None:
    (found,) = samples(book("<p>x</p><img src='../../../../etc/hostname'/><img src='/etc/hostname'/>"))
    assert found.flags == ["dropped_missing"]


def test_the_units_of_a_book_share_one_reading(book: MakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {"a.png": picture(shade=10), "b.png": picture(shade=90)}
    path = book(
        "<h1>One</h1><p>First <img src='a.png'/></p>", "<h1>Two</h1><p>Second <img src='b.png'/></p>", files=shown
    )
    other = book("<h1>Three</h1><p>Third</p>", name="other.epub")
    apart = samples(path)
    assert len(apart) == 2
    opened = []
    monkeypatch.setattr(
        books, "open_book", lambda at, *rest, **options: opened.append(at) or open_book(at, *rest, **options)
    )
    samples(other)
    units: list[Sample] = []
    for item in (0, 1):
        with Books().open(path) as items:
            units.append(items[item])
    assert opened == [other, path]
    assert units == apart
    with Books().open(path) as items, Books(mentions=1).open(path) as others:
        assert (len(items), len(others)) == (2, 2)
        assert items[1] == apart[1]


def test_a_section_without_anything_is_an_error_of_its_own(book: MakeBook) -> None:
    with Books().open(book("<img src='a.png'/>", files={"a.png": picture(20, 20)})) as items:
        assert len(items) == 1
        with pytest.raises(ItemError) as error:
            items[0]
    assert error.value.cause == "no_content"


def test_a_file_that_unpacks_to_more_than_a_chapter_has_is_left_out(book: MakeBook) -> None:
    (found,) = samples(book("<p>x</p>", "<p>" + "a" * (33 << 20) + "</p>"))
    assert (found.text, found.flags) == ("x", ["unreadable_documents"])


SETTINGS = [
    ({"samples": "sheets"}, "samples must be sections, captions, pages"),
    ({"max_tokens": 10}, "max_tokens must be between"),
    ({"side_px": 4}, "side_px must be between"),
    ({"min_side_px": 2000}, "min_side_px must be between"),
    ({"mentions": 11}, "mentions must be between"),
]


@pytest.mark.parametrize(("settings", "message"), SETTINGS)
def test_settings_are_checked(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Books(**settings)  # type: ignore[arg-type]
