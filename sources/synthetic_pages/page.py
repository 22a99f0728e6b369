"""Assemble a page: the components of its kind in a layout, with style sheets and markup in one document."""

import random as random_module
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sources.charts.fonts import check_glyphs
from sources.ocr.passages import BundledPassages, Passages
from sources.synthetic_pages.components.catalogue import COMPONENTS
from sources.synthetic_pages.components.context import ComponentContext
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.texts import Texts
from sources.synthetic_pages.theme import Theme, sample_theme
from sources.synthetic_pages.vocabulary import LANGUAGES, Words, load_vocabulary

TEMPLATES = Path(__file__).with_name("templates")
OMISSION_RATE = 0.25  # probability that an optional component is left out
INDENT = "  "
DRAWN_SHARE = 0.75  # of pages whose pictures are drawings; other pages have coloured areas


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as code.

    Args:
        kind: one of KINDS.
        components: names of its components, top to bottom.
    """

    kind: str
    language: str
    theme: Theme
    title: str
    description: str
    components: tuple[str, ...]
    html: str


def make_page(
    kind: str,
    language: str,
    vocabulary: Path,
    random: random_module.Random,
    density: float,
    passages: Passages | None = None,
) -> Page:
    """Make a page of a kind.

    Args:
        density: 0 to 1, fraction of the usual number of entries.
        passages: the texts of the page, by default those of the grammar.
    Raises:
        FontError: no installed font supports the language, or one of the texts.
    """
    theme = sample_theme(random, language)
    words = Words(load_vocabulary(vocabulary), language, random)
    texts = Texts(passages or BundledPassages(), language, random)
    site = words.choose("sites") if random.random() < 0.2 else texts.site()
    place = LANGUAGES.index(language)
    title, description, heading = (
        pair[place].format(site=site) for pair in (KINDS[kind].title, KINDS[kind].description, KINDS[kind].heading)
    )
    context = ComponentContext(
        random, words, texts, theme, site, heading, density, is_drawn=random.random() < DRAWN_SHARE
    )

    def choose_components(names: tuple[str, ...]) -> list[str]:
        kept = [name for name in names if not name.endswith("?") or random.random() > OMISSION_RATE + (1 - density)]
        return [name.rstrip("?") for name in kept]

    main, side = choose_components(KINDS[kind].main), choose_components(KINDS[kind].side)
    below = ["footer"] if random.random() < 0.6 * density else []
    # The name of the site, which titles contain, must be in the header or the footer.
    shares = {"notice": 0.15, "header": 0.8 if below else 1.0}
    above = [name for name, share in shares.items() if random.random() < share and name not in main]
    styles: dict[str, str] = {}

    def add_component(name: str) -> str:
        component = COMPONENTS[name]
        style, markup = _render_component(component.template, theme, component.make_content(context))
        styles.setdefault(component.template, style)
        return markup

    parts = {
        name: [add_component(each) for each in names]
        for name, names in (("above", above), ("main", main), ("side", side), ("below", below))
    }
    is_left = random.random() < 0.7
    body = _body(parts, is_left)
    columns = f"{random.choice((180, 200, 220))}px minmax(0, 1fr)"
    if not is_left:
        columns = " ".join(reversed(columns.split(" ", 1)))
    base = (
        _environment()
        .get_template("base.css")
        .render(
            t=theme, body=body, columns=columns, gap=random.choice((2, 3)) * theme.unit, is_full=random.random() < 0.6
        )
    )
    css = "\n".join(line for style in (base, *styles.values()) for line in style.splitlines() if line.strip())
    html = (
        _environment()
        .get_template("document.html")
        .render(lang={"en": "en", "zh": "zh-CN"}[language], title=title, css=Markup(css), body=Markup(body))
    )
    for face in theme.faces:
        check_glyphs([body], face)
    return Page(
        kind=kind,
        language=language,
        theme=theme,
        title=title,
        description=description,
        components=tuple(above + main + side + below),
        html=html + "\n",
    )


def _body(parts: dict[str, list[str]], is_left: bool) -> str:
    """Return the markup of the body: a main part in one or two columns, between header and footer."""
    if parts["side"]:
        aside = ['<aside class="stack">', *map(_indent, parts["side"]), "</aside>"]
        stack = ['<div class="stack">', *map(_indent, parts["main"]), "</div>"]
        inner = "\n".join(
            ['<div class="columns">', *map(_indent, aside + stack if is_left else stack + aside), "</div>"]
        )
    else:
        inner = "\n".join(parts["main"])
    return "\n".join([*parts["above"], "<main>", _indent(inner), "</main>", *parts["below"]])


def _indent(text: str) -> str:
    return "\n".join(INDENT + line for line in text.split("\n"))


def _render_component(template: str, theme: Theme, content: Any) -> tuple[str, str]:
    """Return style sheet and markup of a component."""
    text = _environment().get_template(f"{template}.html").render(t=theme, c=content)
    style, _, markup = text.partition("</style>")
    return style.strip().removeprefix("<style>").strip(), "\n".join(line for line in markup.split("\n") if line.strip())


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
