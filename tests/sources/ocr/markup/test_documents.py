"""Markdown files as laid-out documents, and documents that go on from page to page."""

from collections import Counter
from pathlib import Path

import pytest

from sources.base.sample import Sample
from sources.ocr.markup.markdown_blocks import markdown_blocks, usable_blocks
from sources.ocr.source import Ocr

README = """---
title: front matter
---
# The *Widget* service

It reads `config.toml` and **writes** a line; see [the manual][m]. It costs $5 or $x^2$.

2. Unpack it:
   - with `tar`
3. Start it

> Quoted *words*.

| Option | Default |
|:--|--:|
| `port` | 8080 |

```python
def f(x):
    return x
```

<p align="center">left out</p>

[m]: http://example.org
"""
PARAGRAPH = (
    "\n\nParagraph {n} says that the *quick* fox jumps over the lazy dog near the river before noon on a dry day."
)


def _document(tmp_path: Path, text: str, **settings: object) -> list[Sample]:
    """Return the samples that are made of a Markdown file."""
    path, gathered, merged = tmp_path / "a.md", tmp_path / "g.arrow", tmp_path / "m.arrow"
    path.write_text(text)
    source = Ocr(input=(str(path),), kinds={"document": 1}, languages=("en",), strength=0, side_px=768, **settings)  # type: ignore[arg-type]
    source.gather(path, path.name, gathered, lambda: None)
    assert source.merge([gathered], merged)["markdown.en"] > 5
    with source.open(merged) as items:
        return [items[number] for number in range(source.num_samples)]


def test_a_markdown_file_is_laid_out_with_its_structure(tmp_path: Path) -> None:
    found = _document(tmp_path, README, tasks={"markdown": 1}, num_samples=1, pages=1, seed=3)
    assert found[0].messages is not None
    text = found[0].messages[1].content
    assert "It reads `config.toml` and **writes** a line; see the manual. It costs $5 or $x^2$." in text
    assert "2. Unpack it:\n   - with `tar`\n3. Start it" in text
    assert "| Option | Default |\n| --- | ---: |\n| port | 8080 |" in text
    assert "```python\ndef f(x):\n    return x\n```" in text
    assert "left out" not in text
    assert "front matter" not in text


def test_blocks_that_cannot_be_printed_are_counted() -> None:
    dropped: Counter[str] = Counter()
    text = (
        f"Fine text.\n\n{'x' * 60}\n\n|a|b|\n|-|-|\n|{'y' * 40}|{'z' * 40}|\n\nAn egg \U00013000.\n\n<div>html</div>\n"
    )
    assert list(usable_blocks(text, "en", dropped)) == ["<p>Fine text.</p>\n"]
    assert dropped == {"markdown_long_word": 1, "markdown_wide_table": 1, "markdown_no_font": 1}


def test_html_of_the_author_does_not_come_through() -> None:
    (html,) = markdown_blocks("Some <script>bad()</script> text<br>here & <there")
    assert html == "<p>Some bad() text<br />\nhere &amp; &lt;there</p>\n"


def test_a_markdown_document_goes_on_from_page_to_page(tmp_path: Path) -> None:
    rows = "".join(f"\n| row{n} | {n} |" for n in range(60))
    text = README + f"\n\n| Name | Value |\n|---|--:|{rows}" + "".join(PARAGRAPH.format(n=n) for n in range(80))
    found = _document(tmp_path, text, tasks={"text": 1}, num_samples=3, pages=3)
    assert [sample.provenance.locator for sample in found] == [f"number={k}&document=0&page={k + 1}" for k in range(3)]
    shown = "\n".join("".join(sample.words.texts) for sample in found)
    places = [shown.find(f"row{n}{n}") for n in range(60)]
    assert -1 not in places  # no row is lost where a page ends in the table
    assert places == sorted(places)
    assert shown.count("NameValue") >= 2  # its header is printed again
    numbers = [n for n in range(80) if f"Paragraph{n}says" in shown]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("kind", ["article", "report"])
def test_pages_of_a_document_belong_together(kind: str) -> None:
    source = Ocr(
        kinds={kind: 1}, pages=2, num_samples=4, languages=("en",), tasks={"text": 1}, strength=0, side_px=768, seed=1
    )
    digest = source.digest
    second, first = source.make(1, digest), source.make(0, digest)
    locators = [sample.provenance.locator for sample in (first, second)]
    assert locators == ["number=0&document=0&page=1", "number=1&document=0&page=2"]
    assert len({source.document(digest, 0, locator) for locator in locators}) == 1
    assert source.document(digest, 2, source.locator(2)) != source.document(digest, 0, locators[0])
    assert first.flags[:2] == second.flags[:2]
    numbers = [[word for word in sample.words.texts[-3:] if word.isdigit()] for sample in (first, second)]
    if all(numbers):
        assert int(numbers[1][-1]) == int(numbers[0][-1]) + 1


def test_kinds_that_stand_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="receipt pages stand alone; with pages, kinds has only article, book"):
        Ocr(kinds={"receipt": 1}, pages=2)
    with pytest.raises(ValueError, match="pages must be between 1 and 50"):
        Ocr(pages=0)
    with pytest.raises(ValueError, match="the kind document needs Markdown files"):
        Ocr(kinds={"document": 1})
