"""Rules for texts: the scores of known texts, cases at the thresholds, and texts that the rules do not judge."""

import random

import pytest

from filters.filter import Filter
from filters.gopher_quality import GopherQuality
from filters.gopher_repetition import GopherRepetition, repeated_ngram_share, top_ngram_share
from filters.line_quality import LineQuality
from filters.personal_data import MaxPersonalData
from filters.written_text import words_of
from sources.base.sample import EncodedImage, Message, Provenance, Sample
from tests.conftest import ROOT

ENGLISH = (ROOT / "tests/texts/en.txt").read_text("utf-8")
CHINESE = (ROOT / "tests/texts/zh.txt").read_text("utf-8")
RULES: tuple[Filter, ...] = (GopherQuality(), GopherRepetition(), LineQuality())
WORDS = " ".join(f"the word{k} of" for k in range(20))


def sample(text: str | None, **options: object) -> Sample:
    options = {"source": "text", "provenance": Provenance(locator="", digest=""), "text": text, **options}
    return Sample(id="a", **options)  # type: ignore[arg-type]


def reason(rule: Filter, text: str) -> str | None:
    (scores,) = rule.scores([sample(text)])
    assert set(scores.values) == set(rule.score_names)
    return rule.rejects(scores)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_running_text_is_kept(rule: Filter, text: str) -> None:
    assert reason(rule, text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" ".join(WORDS.split()[:50]), None),
        (" ".join(WORDS.split()[:49]), "few_words"),
        ("the of " + "a b " * 40, "short_words"),
        ("the of " + "https://example.org/a/b " * 60, "long_words"),
        (WORDS + " ..." * 6 + " end.", None),
        (WORDS + " ..." * 7 + " end.", "symbols"),
        (WORDS + " ..." * 5 + " #" * 5 + " end.", None),  # hashes or ellipses, not their sum
        ("\n".join(f"- harbour number {k} of the town" for k in range(10)), "bullets"),
        ("\n".join(f"{WORDS[k : k + 60]}" + "…" * (k < 240) for k in range(0, 600, 60)), "cut_lines"),
        (WORDS + " 1234 5678" * 8, "few_letters"),
        ("this is for another harbour " * 15, "no_stop_words"),
        ("esto no tiene palabras inglesas " * 20, None),
    ],
)
def test_gopher_quality(text: str, expected: str | None) -> None:
    assert reason(GopherQuality(), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n".join(["first line", "a", "b", "c", "d", "e", "f", "g", "h", "i"]), None),
        ("\n".join(["x y z"] * 4 + [f"a longer line with number {k}" for k in range(5)]), "repeated_lines"),
        ("\n".join(["short"] * 2 + ["a long line that is in it twice " * 2] * 2 + list("abcdef")), "repeated_lines"),
        ("\n\n".join(["one\ntwo"] * 3 + [f"{k:02}" * 9 for k in range(20)]), None),
        ("spam and eggs " * 20, "repeated_words"),
        (" ".join(map(str, range(200))), None),
    ],
)
def test_gopher_repetition(text: str, expected: str | None) -> None:
    assert reason(GopherRepetition(max_paragraphs=1, max_paragraph_chars=1), text) == expected


def test_repeated_paragraphs() -> None:
    text = "\n\n".join([f"head {k}\ntail {k}" for k in (1, 1, 2, 2, 3)])
    assert reason(GopherRepetition(max_lines=1, max_line_chars=1, max_ngrams=9), text) == "repeated_paragraphs"


def test_shares_of_runs_of_words() -> None:
    words = ["a", "bb", "a", "bb", "ccc"]
    assert top_ngram_share(words, 2) == pytest.approx(2 * 3 / 9)
    assert repeated_ngram_share(words, 2) == pytest.approx(3 / 9)
    assert top_ngram_share(["a"], 2) == repeated_ngram_share(["a"], 2) == 0


def test_longer_runs_repeat_no_more_often_than_short_ones() -> None:
    rng = random.Random(1)
    for _ in range(50):
        words = rng.choices(["a", "b", "c", "dd"], k=rng.randrange(1, 60))
        repeated = [repeated_ngram_share(words, n) > 0 for n in range(2, 11)]
        assert repeated == sorted(repeated, reverse=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n".join(["A sentence that is long enough to be one."] * 3 + ["Home"] * 6), None),
        ("\n".join(["A sentence that is long enough to be one."] * 3 + ["Home"] * 7), "short_lines"),
        ("\n".join(["A line without an end that is long enough"] * 9 + ["End."]), "unended_lines"),
        ("\n".join(["The following lines are long enough to be kept:"] * 9 + ["End."]), "unended_lines"),
        ("\n".join(["A line that is cut before it comes to its ..."] * 9 + ["End."]), "unended_lines"),
        (
            "\n".join(["We use cookies to make this page better."] * 3 + ["A sentence that is long enough."] * 11),
            "boilerplate",
        ),
        ("\n".join(["We use cookies to make this page better."] * 2 + ["A sentence that is long enough."] * 8), None),
        ("这是一个完整的句子，它的长度足够，可以被看作一行正文，而不是菜单。\n" * 3, None),
    ],
)
def test_line_quality(text: str, expected: str | None) -> None:
    assert reason(LineQuality(), text) == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_only_texts_without_images_are_judged(rule: Filter) -> None:
    image = EncodedImage(data=b"", extension="png", width=1, height=1)
    others = [sample("a", images=[image]), sample(None, messages=[Message(role="user", content="a")]), sample(" ")]
    for scores in rule.scores(others):
        assert set(scores.values.values()) == {None}
        assert rule.rejects(scores) is None


def test_characters_of_scripts_without_spaces_are_half_a_word() -> None:
    assert words_of("数据的质量 and 更多") == (["数据", "的质", "量", "and", "更多"], True)
    assert words_of("data 数") == (["data", "数"], False)


@pytest.mark.parametrize(
    ("places", "expected"), [({}, None), ({"email": 6, "phone": 4}, None), ({"email": 11}, "personal_data")]
)
def test_personal_data(places: dict[str, int], expected: str | None) -> None:
    measures = {f"personal_data_{kind}": float(count) for kind, count in places.items()}
    (scores,) = MaxPersonalData().scores([sample("a", measures=measures)])
    assert MaxPersonalData().rejects(scores) == expected
    assert scores.values["personal_data"] == (sum(places.values()) if places else None)


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (GopherQuality, {"min_words": 9, "max_words": 8}),
        (GopherQuality, {"min_word_length": 9, "max_word_length": 8}),
        (GopherQuality, {"max_symbol_share": 2}),
        (GopherRepetition, {"max_lines": -1}),
        (GopherRepetition, {"max_ngrams": 0}),
        (LineQuality, {"min_ended_share": 2}),
        (MaxPersonalData, {"places": -1}),
    ],
)
def test_wrong_settings_are_refused(cls: type[Filter], settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        cls(**settings)
