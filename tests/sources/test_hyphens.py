"""Words broken at the ends of lines: broken words are joined, hyphens of compounds stay, all else is untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.text.hyphens import HYPHENS, join_broken_words, language_near
from sources.text.paragraph import ParagraphJoiner
from sources.text.word_list import LANGUAGES, frequencies, language_of

ENGLISH = "The text is in the language of the people and it has words for that"
GERMAN = "Der Text ist in der Sprache und das ist nicht für die mit dem"
FRENCH = "Le texte est dans la langue et les mots que vous avez pour une"
PORTUGUESE = "O texto é da língua e as palavras não são para uma que os"
POLISH = "To jest tekst i nie ma w nim słowa że jak na się do"
DUTCH = "De tekst is in het een van en niet aan met voor dat"
SPANISH = "El texto es de la lengua y los que en un una con para"
SWEDISH = "Det är en text och att den som på för med till inte"


def joined(first: str, second: str, context: str = ENGLISH) -> str:
    """Return the text of two lines, after a line of context."""
    lines = [context.split(), first.split(), second.split()]
    join_broken_words(lines, [1])
    return "\n".join(" ".join(line) for line in lines[1:])


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("com-", "pletely new", "completely\nnew"),
        ("a vil-", "lage,", "a village,\n"),
        ("(ap-", "peared) in", "(appeared)\nin"),
        ("INTERNA-", "TIONAL LAW", "INTERNATIONAL\nLAW"),
        ("the long-", "term plan", "the long-term\nplan"),
        ("price-", "determining factors", "price-determining\nfactors"),
        ("a self-", "contained unit", "a self-contained\nunit"),
        ("twenty-", "five", "twenty-five\n"),
        ("state-of-the-", "art machines", "state-of-the-art\nmachines"),
        ("state-", "of-the-art machines", "state-of-the-art\nmachines"),
        ("well-estab-", "lished", "well-established\n"),
        ("met X-", "ray doctors", "met X-ray\ndoctors"),
        ("some 3d-", "raytracing", "some 3d-raytracing\n"),
        ("an e-", "mail", "an e-mail\n"),
        ("of n-", "tridecanal", "of n-tridecanal\n"),
        ("a DNA-", "binding protein", "a DNA-binding\nprotein"),
        ("Anglo-", "Saxon origin", "Anglo-Saxon\norigin"),
        ("McDonald-", "Douglas", "McDonald-Douglas\n"),
        ("CD-", "ROM drives", "CD-ROM\ndrives"),
        ("well\u2010", "known", "well\u2010known\n"),
        ("com\u2010", "pletely", "completely\n"),
        ("com\u2011", "puting", "com\u2011puting\n"),
        ("soft\u00ad", "ware", "software\n"),
        ("https://soft\u00ad", "ware.org", "https://software.org\n"),
        ("a thous-", "and words", "a thousand\nwords"),
    ],
)
def test_english_words(first: str, second: str, text: str) -> None:
    assert joined(first, second) == text


@pytest.mark.parametrize(
    ("context", "first", "second", "text"),
    [
        (GERMAN, "Verfassungs-", "beschwerde und", "Verfassungsbeschwerde\nund"),
        (GERMAN, "Haupt-", "bahnhof", "Hauptbahnhof\n"),
        (GERMAN, "Haupt-", "Bahnhof", "Haupt-Bahnhof\n"),
        (GERMAN, "USB-", "Festplatte", "USB-Festplatte\n"),
        (GERMAN, "die UTF-8-", "Locales sind", "die UTF-8-Locales\nsind"),
        (GERMAN, 'die "/etc/hosts"-', "Datei", 'die "/etc/hosts"-Datei\n'),
        (GERMAN, "von 1990-", "2000", "von 1990-\n2000"),
        (ENGLISH, "from 3-", "Then it", "from 3-\nThen it"),
        (GERMAN, "die Vor-", "und Nachteile", "die Vor-\nund Nachteile"),
        (FRENCH, "peut-", "être", "peut-être\n"),
        (FRENCH, "est-", "ce que", "est-ce\nque"),
        (FRENCH, "a-t-", "il dit", "a-t-il\ndit"),
        (FRENCH, "l'en-", "tête du", "l'en-tête\ndu"),
        (FRENCH, "par-", "ler de", "parler\nde"),
        (FRENCH, "Jean-", "Paul", "Jean-Paul\n"),
        (PORTUGUESE, "tornou-", "se um", "tornou-se\num"),
        (PORTUGUESE, "a fra-", "se", "a frase\n"),
        (PORTUGUESE, "tornou-", "-se um", "tornou-se\num"),
        (POLISH, "polsko-", "-niemiecki", "polsko-niemiecki\n"),
        (POLISH, "biało-", "czerwony", "biało-czerwony\n"),
        (POLISH, "opro-", "gramowanie", "oprogramowanie\n"),
        (DUTCH, "in-", "en uitvoer", "in-\nen uitvoer"),
        (DUTCH, "zo-", "als", "zoals\n"),
        (SPANISH, "el tex-", "to", "el texto\n"),
        (SPANISH, "franco-", "alemán", "franco-alemán\n"),
        (SWEDISH, "Linux-", "kärnan", "Linux-kärnan\n"),
        (SWEDISH, "myck-", "et", "mycket\n"),
    ],
)
def test_other_languages(context: str, first: str, second: str, text: str) -> None:
    assert joined(first, second, context) == text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("www.example.org/long-", "path-name"),
        ("https://example.org/soft-", "ware"),
        ("/usr/share/doc-", "base"),
        ("jane.doe-", "smith@example.org"),
        ("the file-", "name.txt"),
        ("my_long-", "name"),
        ("--in-", "put"),
        ("option -", "v"),
        ("minus -", "5"),
        ("1990-", "1995"),
        ("in 1990-", "and later"),
        ("COVID-", "19"),
        ("page 12-", "34"),
        ("pre-", "and post-processing"),
        ("up-", "or downwards"),
        ("sowie vracht-", "en verzendkosten"),
        ("Cross--", "sectional"),
        ("x=soft-", "ware"),
        ("一-", "二"),
        ("a-", "(b)"),
        ("and compre-", "The next column"),
        ("and was dis-", "B"),
    ],
)
def test_everything_else_stays_as_it_is(first: str, second: str) -> None:
    assert joined(first, second) == f"{first}\n{second}"


def test_the_page_decides_before_the_word_list() -> None:
    assert joined("a data-", "base", "The databases of the page") == "a database\n"
    assert joined("a data-", "base", "The data-bases of the page") == "a data-base\n"
    assert joined("long-", "term", "The Longterm of the page") == "longterm\n"
    assert joined("Trace-", "Monkey", "TraceMonkey is the name") == "TraceMonkey\n"
    assert joined("Haupt-", "Bahnhof", "Der Hauptbahnhof ist das") == "Haupt-Bahnhof\n"


def test_a_word_broken_twice_is_joined_on_its_first_line() -> None:
    lines = [["un-"], ["be-"], ["lievable", "things"]]
    join_broken_words(lines, [0, 1])
    assert lines == [["unbelievable"], [], ["things"]]


def test_halves_of_broken_words_are_no_evidence() -> None:
    lines = [ENGLISH.split(), ["com-"], ["pletely", "com-"], ["pletely", "com-pletely"]]
    join_broken_words(lines, [1, 2])
    assert lines[1:] == [["com-pletely"], ["com-pletely"], ["com-pletely"]]


def test_the_language_is_that_of_the_lines_nearby() -> None:
    page = [ENGLISH.split()] * 20 + [GERMAN.split()] * 12 + [["12", "34"]] * 20
    assert [language_near(page, k) for k in (0, 30, 50)] == ["en", "de", "en"]
    assert language_near([["12"]], 0) == "en"


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_has_its_words(name: str) -> None:
    language = LANGUAGES[name]
    assert language_of(language.function_words) == name
    if name in ("en", "de", "pl", "ru"):  # a list takes up to 0.3 s
        known = frequencies(name)
        assert all(known[word] > 5 for word in language.function_words)
        assert known["qqxyzzq"] == 0


words = st.lists(st.text("abcXY1-./@'\u00ad\u2010éⓐªǅ字", min_size=1, max_size=6), min_size=1, max_size=4)


@given(st.lists(words, min_size=2, max_size=6))
def test_only_hyphens_at_the_ends_of_lines_are_lost(lines: list[list[str]]) -> None:
    broken = [k for k, line in enumerate(lines[:-1]) if line[-1].endswith(HYPHENS)]
    before = "".join(word for line in lines for word in line)
    joined_lines = [list(line) for line in lines]
    join_broken_words(joined_lines, broken)
    after = "".join(word for line in joined_lines for word in line)
    lost = len(before) - len(after)
    assert 0 <= lost <= len(broken)
    assert [c for c in after if c not in HYPHENS] == [c for c in before if c not in HYPHENS]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("from https://example.org/", "bin/. There is", "from https://example.org/bin/. There is"),
        ("see https://example.org/a-", "b.html for", "see https://example.org/a-b.html for"),
        ("see https://example.org/", "for more", "see https://example.org/ for more"),
        ("see https://example.org/.", "e.g. it", "see https://example.org/. e.g. it"),
        ("either and/", "or.both", "either and/ or.both"),
    ],
)
def test_addresses_are_joined_where_the_next_line_goes_on_with_one(first: str, second: str, text: str) -> None:
    lines = [first.split(), second.split()]
    assert ParagraphJoiner(lines)(lines) == text
