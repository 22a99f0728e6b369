"""Instruction writers: every answer is checked independently, every question is one of the taxonomy's."""

import dataclasses
import random
from collections import Counter

import numpy as np
import pytest

from sources.base.ground_truth import GroundTruth, markdown_tables
from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Sample
from taxonomy.instructions import Instructions, InstructionSettings
from taxonomy.loader import load
from taxonomy.tree import Taxonomy
from taxonomy.writers.page import SENTENCE
from taxonomy.writers.registry import QUESTION_TEMPLATES, WRITERS, served_leaves
from tests.taxonomy.checkers import CHECKERS, pictures_differ_in, values_in
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
    if name == "table":
        return [dataclasses.replace(page, text=f"{IMAGE_PLACEHOLDER}\n{TABLE}") for page in document("en")]
    return document(name)


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
    for language in ("table",) if "table" in writer.needs else ("en", "zh"):
        pages = samples_of(language)
        for round_number in range(6):  # other ids, other choices
            again = [dataclasses.replace(page, id=f"{round_number}{page.id[1:]}") for page in pages]
            for conversation in Instructions(taxonomy, InstructionSettings(writers=(name,))).write(again):
                if conversation is None:
                    continue
                kind = conversation.provenance.locator.partition(";ask=")[2]
                user, assistant = conversation.messages or ()
                marks, _, question = user.content.rpartition(f"{IMAGE_PLACEHOLDER}\n")
                assert marks.count(IMAGE_PLACEHOLDER) + 1 == len(conversation.images)
                CHECKERS[kind](shown(conversation, again), values_in(question, kind), assistant.content)
                assert conversation.use_case is not None
                assert taxonomy.leaves[conversation.use_case].question_templates[kind]
                assert conversation.labeller == f"writer:{name}"
                kinds[kind] += 1
    assert set(kinds) == set(writer.question_templates), "every kind of question is asked"
    assert sum(kinds.values()) > 10


def test_every_kind_of_question_is_checked() -> None:
    assert set(CHECKERS) == set(QUESTION_TEMPLATES)


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
        box = pictures_differ_in(conversation.images[0].data, conversation.images[1].data)
        first = conversation.words.images == 0
        texts = np.array(conversation.words.texts)
        missing = Counter(texts[first].tolist()) - Counter(texts[~first].tolist())
        (word,) = missing
        (where,) = [k for k in np.flatnonzero(first) if texts[k] == word]
        painted = conversation.words.boxes[where]
        assert (box[:2] >= painted[:2] - 2).all()
        assert (box[2:] <= painted[2:] + 2).all()


def test_the_printed_instruction_is_below_the_page(taxonomy: Taxonomy) -> None:
    pages = document("en")
    found = Instructions(taxonomy, InstructionSettings(writers=("printed_instruction",))).write(pages)
    for page, conversation in zip(pages, found, strict=True):
        assert conversation is not None
        added = conversation.words.boxes[len(page.words.texts) :]
        assert len(added)
        assert (added[:, 1] >= page.image_sizes()[0][1]).all()
        assert conversation.image_sizes()[0][0] == page.image_sizes()[0][0]
        assert conversation.fingerprint != page.fingerprint


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
    ("text", "sentences"),
    [
        ("See Section 1.4, e.g. for Linux. It works.", ["See Section 1.4, e.g. for Linux.", "It works."]),
        ("怎样读一页？很好。", ["怎样读一页？", "很好。"]),
        ("no end", []),
    ],
)
def test_sentences_end_as_expected(text: str, sentences: list[str]) -> None:
    assert SENTENCE.findall(text) == sentences


def test_wrong_settings_are_rejected() -> None:
    with pytest.raises(ValueError, match="no writer is called 'count'"):
        InstructionSettings(writers=("count",))
    with pytest.raises(ValueError, match="must not be negative"):
        InstructionSettings(weights={"counting": -1})


def test_writers_have_no_state() -> None:
    pages = [GroundTruth.of(sample) for sample in document("en")]
    for writer in WRITERS.values():
        first = writer.write(pages, 2, random.Random(1))
        second = writer.write(pages, 2, random.Random(1))
        assert (first and (first.kind, first.answer, first.values)) == (
            second and (second.kind, second.answer, second.values)
        )
