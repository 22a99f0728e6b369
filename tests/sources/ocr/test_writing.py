"""Texts of the grammar: complete, in order, the same in both languages, and large enough; fields have types."""

import re
from random import Random

import pytest

from sources.ocr.fields import FIELD_TYPES, Fields
from sources.ocr.passages import PARAGRAPHS, BundledPassages, ContentSampler
from sources.ocr.style import sample_style
from sources.ocr.templates.exam import NUM_QUESTIONS, exam
from sources.ocr.templates.form import form
from sources.ocr.templates.tables import data_table
from sources.ocr.templates.vertical import chinese_number
from sources.ocr.vocabulary import fields, measure_ranges, words
from sources.ocr.writing.dictionary import entries, pinyin_of, wrong_readings
from sources.ocr.writing.grammar import LANGUAGES, Writer, parallel_sentences, schemes
from sources.ocr.writing.words_of_language import (
    chinese_words,
    english_entries,
    english_nouns,
    english_verbs,
    level_one,
    plural,
    with_article,
)
from sources.rng import generator

NUM_PASSAGES = 400


def _sampler(language: str, key: str) -> ContentSampler:
    return ContentSampler(BundledPassages(), language, generator(5, 0, key))


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_are_complete_and_hardly_repeat_a_sentence(language: str) -> None:
    sentences: list[str] = []
    for number in range(NUM_PASSAGES):
        passage = Writer(number, language).passage()
        assert passage.title
        assert 2 <= len(passage.paragraphs) <= PARAGRAPHS
        sentences += [sentence for paragraph in passage.paragraphs for sentence in paragraph]
    assert not [sentence for sentence in sentences if re.search(r"[{}|]|  |None", sentence)]
    assert all(sentence[-1] in ".”。?！!" for sentence in sentences)
    assert len(set(sentences)) > 0.95 * len(sentences)


def test_every_scheme_has_the_same_slots_in_both_languages() -> None:
    slots = re.compile(r"\{(?:[as]:)?([a-z_]+\d*)")
    for scheme in schemes():
        for english, chinese in (texts for paragraph in scheme.paragraphs for step in paragraph for texts in step):
            if english and chinese:
                assert set(slots.findall(english)) == set(slots.findall(chinese)), english


def test_parallel_sentences_have_the_same_numbers() -> None:
    for number in range(100):
        pairs = parallel_sentences(number)
        assert len(pairs) >= 4
        for english, chinese in pairs:
            assert re.search("[A-Za-z]", english)
            assert re.search("[\u4e00-\u9fff]", chinese)
            digits = [sorted(re.findall(r"\d+", text.replace(",", ""))) for text in (english, chinese)]
            assert digits[0] == digits[1], (english, chinese)


def test_paragraphs_of_a_passage_follow_its_title() -> None:
    sampler, passages = _sampler("en", "order"), BundledPassages()
    title = sampler.title(80)
    number = sampler._next
    assert title == passages.title("en", number)
    assert [sampler.paragraph(), sampler.paragraph()] == [passages.paragraph("en", number + k) for k in range(2)]
    writer = Writer(7, "en")
    number = 7 * PARAGRAPHS
    assert passages.title("en", number) == passages.title("en", number + 1) == writer.title()
    assert passages.paragraph("en", number) == " ".join(writer.paragraph(0))
    assert passages.paragraph("en", number + 1) == " ".join(writer.paragraph(1))


def test_the_pool_has_twenty_thousand_words_and_the_characters_of_level_one() -> None:
    types = {entry.word for entry in english_entries()} | {entry.base for entry in english_entries()}
    types |= {form for forms in english_verbs() for form in forms} | {
        form for forms in english_nouns() for form in forms
    }
    assert len(types) >= 20_000
    assert len(level_one()) == 3755
    random, nouns = Random(1), chinese_words()["n"]
    drawn = "".join(nouns.pick(random.getrandbits(40)) for _ in range(12_000))
    covered = set(drawn) | {character for entry in entries("zh", 3700, random) for character in entry.term}
    assert len(covered & set(level_one())) >= 3700


def test_derivations_and_forms() -> None:
    by_word = {entry.word: entry for entry in english_entries()}
    assert by_word["squareness"].meaning == "the quality or state of being square."
    assert by_word["uneasily"].meaning == "in an uneasy manner."
    assert "pretended" not in by_word
    assert [plural(noun) for noun in ("box", "city", "fisherman", "knife", "trout")] == [
        "boxes", "cities", "fishermen", "knives", "trout",
    ]  # fmt: skip
    assert [with_article(noun) for noun in ("owl", "university", "hour", "file")] == [
        "an owl", "a university", "an hour", "a file",
    ]  # fmt: skip
    assert pinyin_of("渡口") == "dùkǒu"
    wrong = wrong_readings("渡口", Random(1))
    assert len({pinyin_of("渡口"), *wrong}) == 4


def test_entries_of_a_page_are_neighbours_in_order() -> None:
    terms = [entry.term for entry in entries("en", 60, Random(3))]
    assert terms == sorted(set(terms))
    characters = [entry.term for entry in entries("zh", 40, Random(3))]
    assert "".join(characters) in "".join(level_one())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exam_asks_nothing_twice(language: str) -> None:
    for number in range(4):
        sampler = _sampler(language, f"exam {number}")
        page = exam(sampler, sample_style(sampler.random, language, 1024))
        asked = [block.text.partition(". ")[2] for block in page.flows[1].blocks if re.match(r"\d+\. ", block.text)]
        assert len(set(asked)) == len(asked) == NUM_QUESTIONS


def test_entries_of_forms_have_the_type_of_their_field() -> None:
    for language in LANGUAGES:
        made = Fields(language, generator(1, 0, language))
        types = dict(fields(language))
        assert set(types.values()) <= FIELD_TYPES.keys()
        for kind in types.values():
            entry = made.entry(kind)
            assert (kind == "empty") == (not entry)
            assert len(entry) < 70
        year = re.search(r"\d{4}", made.birthday())
        assert year is not None
        assert 1931 <= int(year[0]) <= 2008
        assert 1 <= int(made.count()) <= 9
        sampler = _sampler(language, "form")
        assert form(sampler, sample_style(sampler.random, language, 1024)).flows


def test_values_of_a_measure_are_within_its_range() -> None:
    ranges = dict(zip(words("measures", "en"), measure_ranges(), strict=True))
    for number in range(20):
        sampler = _sampler("en", f"table {number}")
        _, grid = data_table(sampler, sample_style(sampler.random, "en", 1024), max_columns=5)
        header, *rows = (line.split("\t") for line in grid.text.split("\n"))
        for row in rows:
            for name, value in zip(header[1:], row[1:], strict=True):
                low, high, _ = ranges[name]
                assert low <= float(value.replace(",", "")) <= high


def test_numbers_of_vertical_text_are_read_as_numbers() -> None:
    read = {
        "14": "十四",
        "10": "十",
        "20": "二十",
        "205": "二百〇五",
        "3040": "三千〇四十",
        "0.5": "〇点五",
        "12345": "一万二千三百四十五",
    }
    assert {digits: chinese_number(digits).replace("零", "〇") for digits in read} == read
