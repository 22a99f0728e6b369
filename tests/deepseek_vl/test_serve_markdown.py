"""Markdown of answers as HTML: what it shows, and that nothing in a text becomes active."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_vl.serve.markdown import MATHML, to_html

TAGS = MATHML | set(
    re.findall(
        r"\w+",
        "a blockquote br code div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul",
    )
)
ATTRIBUTES = {"href", "rel", "target", "class", "start", "title"}


class Checker(HTMLParser):
    """Fails on elements, attributes and addresses that an answer may not have."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert tag in MATHML or name in ATTRIBUTES, (tag, name)
            assert not name.startswith("on")
            assert name != "style"
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE)


def checked(text: str) -> str:
    shown = to_html(text)
    Checker().feed(shown)
    return shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>"),
        ("costs $5 and $6", "<p>costs $5 and $6</p>"),
        (r"a \(x\) b \[y\] c", "inline"),
        ("\\[\nx\n+ y\n\\]\nafter", "<p>after</p>"),
        ("| a |\n|--:|\n| 1 |", '<td class="right">1</td>'),
        ("```python\nimport x\n```", '<span class="kn">import</span>'),
        ("```nonsense\nx<y\n```", "x&lt;y"),
        (r"$\frac{1}{2}$", "<mfrac>"),
        ("$\\begin{aligned}a &= b\\end{aligned}$", "<mtr>"),
        ("$$\na &= b \\\\\nc &= d\n$$", "<mtr>"),
        (r"$\nonsense{$", "<code>"),
        ("![chart](https://example.org/a.png)", '<a href="https://example.org/a.png"'),
    ],
)
def test_answers_are_rendered(text: str, shown: str) -> None:
    assert shown in checked(text)


def test_text_after_a_formula_stays() -> None:
    assert "later" in checked(r"\[ x \] later")
    assert "before" in checked("before\n\\[\nx\n\\] x")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) ![d](javascript:x)",
        "[a]: javascript:alert(1)\n\n[a]",
        "<javascript:alert(1)>",
        '[a](https://x/" onclick="alert(1))',
        '![" onerror="x](https://x/)',
        '```x"><script>\ny\n```',
        r"$\text{<img src=x onerror=alert(1)>}$ $\text{&lt;script&gt;}$",
        r"$\href{javascript:alert(1)}{x}$ \(\style{x:y}{z}\)",
        r"$\nonsense{<script>$",
        "$" + "{" * 3000 + "$",
    ],
)
def test_nothing_becomes_active(text: str) -> None:
    assert "<script" not in checked(text)


@pytest.mark.parametrize(
    "part", ["[", "*a ", "`", "$", "<", "![[", "\\[", "\\(", "$a", "a**b", "> - ", "|a", "\\begin{align}", "$\\frac"]
)
def test_hostile_texts_take_little_time(part: str) -> None:
    started = time.process_time()
    checked((part * 100_000)[:30_000])
    assert time.process_time() - started < 5


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab $\\()[]{}<>&\"'`*_|-\n#!:^/=1"))
def test_any_text_is_rendered_safely(text: str) -> None:
    checked(text)
