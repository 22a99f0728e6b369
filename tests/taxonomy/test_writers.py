"""Instruction writers: every answer is checked independently, every question is one of the taxonomy's."""

import dataclasses
import random
from collections import Counter

import numpy as np
import pytest

from sources.base.ground_truth import GroundTruth, markdown_tables
from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Sample, Words
from taxonomy.answers import balances, choice_of
from taxonomy.instructions import Instructions
from taxonomy.loader import load
from taxonomy.schema import RECOMMENDED_QUESTIONS
from taxonomy.sentences import language_of_text, split_sentences
from taxonomy.settings import InstructionSettings
from taxonomy.tree import Taxonomy
from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import has_needs
from taxonomy.writers.page import Page
from taxonomy.writers.registry import QUESTION_TEMPLATES, WRITERS, served_leaves
from tests.taxonomy.checkers import CHECKERS, LATER, kind_of, pictures_differ_in, values_in
from tests.taxonomy.pages import document

TABLE = """| City | Founded | People |
| --- | ---: | ---: |
| Aldern | 1204 | 12,400 |
| Brone | 1377 | 9,800 |
| Cask | 1561 | 150,020 |"""


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load()


def samples_of(name: str) -> list[Sample]:
    """Return pages of a document, pictures that print a table, or charts whose data are not printed."""
    if name not in ("table", "chart"):
        return document(name)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.split("\n") if "---" not in line]
    shown = cells if name == "table" else [[row[0]] for row in cells]
    texts = [word for row in shown for cell in row for word in cell.split()]
    columns, rows = np.array([(x, y) for y, row in enumerate(shown) for x in range(len(row))]).T
    boxes = np.stack([columns * 90 + 10, rows * 40 + 10, columns * 90 + 80, rows * 40 + 30], axis=1).astype(np.float32)
    words = Words(texts=texts, boxes=boxes, images=np.zeros(len(texts), np.int32))
    text = TABLE if name == "table" else "\n".join("|".join(line.split("|")[:3]) + "|" for line in TABLE.split("\n"))
    return [
        dataclasses.replace(
            page, text=f"{IMAGE_PLACEHOLDER}\n{text}", words=words, source="charts" if name == "chart" else page.source
        )
        for page in document("en")
    ]


def shown(conversation: Sample, pages: list[Sample]) -> list[Sample]:
    """Return the pages of a conversation's images; an edited picture counts as the page it was made from."""
    by_image = {page.images[0].data: page for page in pages}
    locator = conversation.provenance.locator.split(";")[0]
    anchor = next(page for page in pages if page.provenance.locator == locator)
    return [by_image.get(image.data, anchor) for image in conversation.images]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_answers_follow_from_the_pages(name: str, taxonomy: Taxonomy) -> None:
    writer = WRITERS[name]
    kinds: Counter[str] = Counter()
    special = [need for need in ("table", "chart") if need in writer.needs]
    for language in special or ("en", "zh"):
        pages = samples_of(language)
        for round_number in range(6):  # other ids, other choices
            again = [dataclasses.replace(page, id=f"{round_number}{page.id[1:]}") for page in pages]
            for conversation in Instructions(taxonomy, InstructionSettings(writers=(name,))).write(again):
                if conversation is None:
                    continue
                kind = conversation.provenance.locator.partition(";ask=")[2]
                user, assistant, *later = conversation.messages or ()
                marks, _, question = user.content.rpartition(f"{IMAGE_PLACEHOLDER}\n")
                assert marks.count(IMAGE_PLACEHOLDER) + 1 == len(conversation.images)
                pictured = shown(conversation, again)
                CHECKERS[kind](pictured, values_in(question, kind), assistant.content)
                before = assistant.content
                for asked, answer in zip(later[::2], later[1::2], strict=True):
                    following = kind_of(asked.content)
                    LATER[following](pictured[0], before, values_in(asked.content, following), answer.content)
                    before = answer.content
                    kinds[following] += 1
                    leaf = taxonomy.asking[following]
                    assert leaf in (conversation.use_case, *conversation.secondary)
                assert conversation.use_case == taxonomy.asking[kind]
                assert conversation.labeller == f"writer:{name}"
                kinds[kind] += 1
    assert set(kinds) - set(LATER) == set(writer.question_templates) - {"lines", "lead_sentence"}, (
        "every kind of question is asked"
    )
    assert sum(kinds.values()) > 10


def test_lines_are_counted_where_each_is_a_row(taxonomy: Taxonomy) -> None:
    pages = []
    for k in range(8):
        page = document("en")[0]  # without its number, which is hardly a line
        words = Words(texts=page.words.texts[:-1], boxes=page.words.boxes[:-1], images=page.words.images[:-1])
        text = (page.text or "").removesuffix("\n\n1")
        pages.append(dataclasses.replace(page, id=f"{k:032x}", text=text, words=words))
    made = Instructions(taxonomy, InstructionSettings(writers=("counting",))).write(pages)
    counted = [c for c in made if c is not None and c.provenance.locator.endswith("ask=lines")]
    assert counted
    for conversation in counted:
        assert conversation.messages is not None
        CHECKERS["lines"](pages[:1], {}, conversation.messages[1].content)


def test_of_a_section_with_a_doubtful_paragraph_only_the_first_sentence_is_asked(taxonomy: Taxonomy) -> None:
    pages = [
        dataclasses.replace(page, text=(page.text or "").replace("2024", "2O24"))  # no longer what is printed
        for page in document("en")
    ]
    made = Instructions(taxonomy, InstructionSettings(writers=("extraction_summary",))).write(pages)
    conversation = made[1]
    assert conversation is not None
    assert conversation.messages is not None
    assert conversation.provenance.locator.endswith("ask=lead_sentence")
    question = conversation.messages[0].content.removeprefix(f"{IMAGE_PLACEHOLDER}\n")
    CHECKERS["lead_sentence"]([pages[1]], values_in(question, "lead_sentence"), conversation.messages[1].content)


def test_every_kind_of_question_is_checked() -> None:
    assert set(CHECKERS) | set(LATER) == set(QUESTION_TEMPLATES)


def test_words_and_boxes_fit_the_images(taxonomy: Taxonomy) -> None:
    pages = document("en")
    for name in WRITERS:
        for conversation in Instructions(taxonomy, InstructionSettings(writers=(name,))).write(pages):
            if conversation is None:
                continue
            words, sizes = conversation.words, np.array(conversation.image_sizes())
            assert len(words.texts) == len(words.boxes) == len(words.images)
            assert set(words.images.tolist()) <= set(range(len(sizes)))
            assert (words.boxes[:, 2:] <= sizes[words.images] + 1).all()
            assert (words.boxes[:, :2] >= 0).all()


def test_the_painted_word_is_the_only_difference(taxonomy: Taxonomy) -> None:
    found = Instructions(taxonomy, InstructionSettings(writers=("spot_difference",))).write(document("en"))
    for conversation in filter(None, found):
        assert conversation.messages is not None
        first = conversation.words.images == 0
        texts = np.array(conversation.words.texts)
        missing = Counter(texts[first].tolist()) - Counter(texts[~first].tolist())
        if not missing:
            assert conversation.messages[1].content.startswith("There is no difference")
            continue
        (word,) = missing
        (where,) = [k for k in np.flatnonzero(first) if texts[k] == word]
        painted = conversation.words.boxes[where]
        box = pictures_differ_in(conversation.images[0].data, conversation.images[1].data)
        assert (box[:2] >= painted[:2] - 2).all()
        assert (box[2:] <= painted[2:] + 2).all()


def test_the_printed_instruction_is_below_the_page(taxonomy: Taxonomy) -> None:
    pages = document("en")
    found = Instructions(taxonomy, InstructionSettings(writers=("printed_instruction",))).write(pages)
    num_printed = 0
    for page, conversation in zip(pages, found, strict=True):
        assert conversation is not None
        assert conversation.messages is not None
        added = conversation.words.boxes[len(page.words.texts) :]
        num_printed += "not followed" in conversation.messages[1].content
        if not len(added):  # the page as it is
            assert "not followed" not in conversation.messages[1].content
            continue
        assert (added[:, 1] >= page.image_sizes()[0][1]).all()
        assert conversation.image_sizes()[0][0] == page.image_sizes()[0][0]
        assert conversation.fingerprint != page.fingerprint
    assert num_printed == len(pages) / 2


def test_choices_depend_on_the_sample_alone(taxonomy: Taxonomy) -> None:
    pages = document("en")
    writing = Instructions(taxonomy, InstructionSettings())
    first = writing.write(pages)
    assert [c and c.messages for c in first] == [c and c.messages for c in writing.write(pages)]
    ids = [conversation.id for conversation in first if conversation]
    assert len(set(ids)) == len(ids) == len(pages)
    assert not set(ids) & {page.id for page in pages}


def test_writers_are_chosen_in_proportion_to_targets(taxonomy: Taxonomy) -> None:
    pages = [dataclasses.replace(document("en")[k % 8], id=f"{k:032x}") for k in range(400)]
    counting, position = "recognition/local_description/counting", "recognition/local_description/position"
    settings = InstructionSettings(writers=("counting", "text_location"))
    shares = {counting: 0.2, position: 0.6}
    counts = Counter(c.use_case for c in Instructions(taxonomy, settings, shares).write(pages) if c)
    assert counts[position] / counts[counting] == pytest.approx(3, rel=0.35)
    weighted = InstructionSettings(writers=("counting", "text_location"), weights={"counting": 0})
    assert {c.use_case for c in Instructions(taxonomy, weighted).write(pages) if c} == {position}


def test_conversations_are_kept_and_pages_without_text_are_not_used(taxonomy: Taxonomy) -> None:
    page = document("en")[0]
    finished = Instructions(taxonomy, InstructionSettings()).write([page])[0]
    assert finished is not None
    empty = dataclasses.replace(page, text=IMAGE_PLACEHOLDER, words=type(page.words)())
    textless = dataclasses.replace(page, images=())
    assert Instructions(taxonomy, InstructionSettings()).write([finished, empty, textless]) == [finished, None, None]


def test_some_leaves_have_no_writer(taxonomy: Taxonomy) -> None:
    served = served_leaves()
    assert set(served) <= set(taxonomy.leaves)
    for gap in ("recognition/global_description/mood", "commonsense_reasoning/humour", "evaluation/aesthetic"):
        assert gap not in served


def test_markdown_tables_are_parsed() -> None:
    table, other = markdown_tables(
        f"Before.\n\n{TABLE}\n\nafter | not a table\n\n| a | b |\n|---|---|\n| 1 \\| 2 | 3 |\n"
    )
    assert table.header == ("City", "Founded", "People")
    assert table.rows[2] == ("Cask", "1561", "150,020")
    assert other.rows == (("1 | 2", "3"),)
    assert GroundTruth.of(document("en")[0]).tables == ()


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (
            "See Section 1.4, e.g. for Linux or Windows. It works on both of them.",
            ["See Section 1.4, e.g. for Linux or Windows.", "It works on both of them."],
        ),
        ("怎样读一页？这一页一共有三行文字和一张图。", ["这一页一共有三行文字和一张图。"]),
        ("This is Release 12. The next one is better than it was before.", []),
        (
            "Die Messe ist vom 24. bis 30. Juni offen.",
            ["Die Messe ist vom 24. bis 30. Juni offen."],
        ),
        ("M. Dupont est venu avec les enfants de la ville.", []),
        ("The figure of p. 7 shows the harbour (without its end.", []),
        ("Prgm, 276, 286, 481 prime, 459 numbers, 8, 536.", []),
        ("no end of this sentence can be seen here", []),
    ],
)
def test_sentences_are_whole_only_where_both_ends_are_certain(text: str, whole: list[str]) -> None:
    found = split_sentences(text, language_of_text(text))
    assert [sentence.text for sentence in found if sentence.is_whole] == whole
    assert "".join("".join(sentence.text.split()) for sentence in found) == "".join(text.split())


@pytest.mark.parametrize("name", ["absent_text", "leading_question", "page_discrimination", "spot_difference"])
def test_answers_are_balanced(name: str, taxonomy: Taxonomy) -> None:
    pages = [dataclasses.replace(document("en")[k % 8], id=f"{k:032x}") for k in range(40)]
    made = Instructions(taxonomy, InstructionSettings(writers=(name,))).write(pages)
    given = Counter(choice_of(c.messages[1].content, name) for c in made if c is not None and c.messages)
    assert len(given) == 2
    assert abs(given.most_common()[0][1] - given.most_common()[1][1]) <= 1
    assert given.total() > 10


def test_one_sided_answers_are_found() -> None:
    (even,) = balances({("a", "yes or no: yes"): 45, ("a", "yes or no: no"): 55})
    (skewed,) = balances({("a", "yes or no: no"): 62})
    assert even.is_even
    assert not skewed.is_even
    assert skewed.counts == {"yes": 0, "no": 62}
    assert choice_of("No. The page says: “Yes.”") == "yes or no: no"
    assert choice_of("No. 5 Allied Road", "region_text") is None


def test_kinds_have_twelve_wordings_in_each_language(taxonomy: Taxonomy) -> None:
    for kind, leaf in taxonomy.asking.items():
        questions = taxonomy.leaves[leaf].question_templates[kind]
        assert len(set(questions.en)) >= RECOMMENDED_QUESTIONS, kind
        assert len(set(questions.zh)) >= RECOMMENDED_QUESTIONS, kind


def test_wrong_settings_are_rejected() -> None:
    with pytest.raises(ValueError, match="no writer is called 'count'"):
        InstructionSettings(writers=("count",))
    with pytest.raises(ValueError, match="must not be negative"):
        InstructionSettings(weights={"counting": -1})


def test_writers_have_no_state() -> None:
    pages = [Page.of(sample) for sample in document("en")]
    for writer in WRITERS.values():
        if has_needs(writer.needs, pages, 2):
            first = writer.write(pages, 2, random.Random(1), Choices())
            second = writer.write(pages, 2, random.Random(1), Choices())
            assert (first and first.turn) == (second and second.turn)
