"""Labels: the priority of their origins, confidence, calibration, and reproducible training."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.base.sample import Message, Provenance, Sample
from sources.config_file import ConfigFileError
from taxonomy.corrections import read_corrections, write_corrections
from taxonomy.evaluation import evaluate, half_of, read_labelled
from taxonomy.examples import Example, examples_of, variants
from taxonomy.fasttext import cache as model_cache
from taxonomy.fasttext.calibration import best_temperature, expected_calibration_error, train_calibrated
from taxonomy.fasttext.forms import forms_of
from taxonomy.fasttext.model import DESCRIPTION, Classifier, PromptModel, softmax, train
from taxonomy.fasttext.tokenizer import line_of
from taxonomy.labeller import Labeller, Query
from taxonomy.labellers import LABELLERS
from taxonomy.labelling import SampleLabeller
from taxonomy.loader import BUNDLED, load, load_text
from taxonomy.prompts import clauses, user_turns
from taxonomy.settings import LabelSettings
from taxonomy.targets import leaf_shares
from taxonomy.tree import UNLABELLED, Taxonomy
from tests.taxonomy.small import load_small, yaml_text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give these tests a separate, empty cache."""
    before = os.environ.get("VELLUM_CACHE")
    os.environ["VELLUM_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("VELLUM_CACHE")
    if before is not None:
        os.environ["VELLUM_CACHE"] = before


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    return load_small(tmp_path_factory.mktemp("taxonomy"))


@pytest.fixture(scope="module")
def labeller(small: Taxonomy, _cache: None) -> SampleLabeller:
    return SampleLabeller(small)


def sample(*turns: str, sample_id: str = "1" * 32, **fields: Any) -> Sample:
    messages = [Message(role="user" if k % 2 == 0 else "assistant", content=turn) for k, turn in enumerate(turns)]
    return Sample(
        id=sample_id,
        source="pdfs",
        provenance=Provenance(locator="page=1", digest="00"),
        messages=messages or None,
        **fields,
    )


def test_prompts_like_the_examples_get_their_leaf(labeller: SampleLabeller) -> None:
    prompts = ["plese read the txt", "有多少个轮子啊", "can you sum the column", "这是什么画风呢"]
    labels = labeller.label_prompts(prompts)
    found = [label.use_case for label in labels]
    assert found == ["reading/print", "looking/counting", "reading/table", "looking/style"]
    assert all(0.4 <= label.confidence <= 1 and label.labeller == "fasttext" for label in labels)


def test_a_label_with_low_confidence_is_unlabelled(small: Taxonomy) -> None:
    strict = SampleLabeller(small, LabelSettings(threshold=1.0))
    label = strict.label_prompts(["qwerty asdf zxcv"])[0]
    assert label.use_case == UNLABELLED
    assert label.confidence < 0.4  # no example has these words


def test_a_conversation_can_have_several_use_cases(labeller: SampleLabeller) -> None:
    first = labeller.label_samples([sample("<image>\ncount the chairs", "4", "which painting style is it?", "oil")])[0]
    assert (first.use_case, first.secondary) == ("looking/counting", ("looking/style",))
    both = labeller.label_prompts(["please transcribe the page. how many cats are there?"])[0]
    assert {both.use_case, *both.secondary} >= {"reading/print", "looking/counting"}


def test_the_surest_clause_decides(labeller: SampleLabeller) -> None:
    context = "We move house in spring and my brother wants everything written down before that. "
    label = labeller.label_prompts([f"{context * 3}how many cats"])[0]
    assert label.use_case == "looking/counting"
    several = labeller.label_prompts(["count the chairs. which painting style is it? sum the column."])[0]
    assert {several.use_case, *several.secondary} >= {"looking/counting", "looking/style", "reading/table"}


def test_corrections_come_first_then_construction_then_patterns() -> None:
    text = yaml_text().replace("        prompts:", "        patterns: {en: [^verbatim]}\n        prompts:", 1)
    taxonomy = load_text(text, Path("small.yaml"))
    labeller = SampleLabeller(taxonomy, corrections={"2" * 32: "looking/style"})
    labels = labeller.label_samples(
        [
            sample("how many cats", sample_id="2" * 32, use_case="reading/table"),
            sample("how many cats", use_case="reading/table"),
            sample("how many cats", use_case="reading/table", labeller="writer:table_questions"),
            sample("verbatim: how many cats"),
            sample("how many cats", use_case="no/such/leaf"),
            sample(),
        ]
    )
    assert [(label.use_case, label.labeller) for label in labels] == [
        ("looking/style", "human"),
        ("reading/table", "source:pdfs"),
        ("reading/table", "writer:table_questions"),
        ("reading/print", "pattern"),
        ("looking/counting", "fasttext"),
        (UNLABELLED, "none"),
    ]


def test_former_ids_are_resolved() -> None:
    text = yaml_text().replace("        prompts:", "        aliases: [ocr/old]\n        prompts:", 1)
    labeller = SampleLabeller(load_text(text, Path("small.yaml")), LabelSettings(labeller=None))
    assert labeller.label_samples([sample(use_case="ocr/old")])[0].use_case == "reading/print"


def test_labels_do_not_depend_on_their_neighbours(labeller: SampleLabeller) -> None:
    prompts = [example.prompt for example in examples_of(labeller.taxonomy)][:40]
    together = labeller.label_prompts(prompts)
    assert together == [labeller.label_prompts([prompt])[0] for prompt in prompts]
    assert together[::-1] == labeller.label_prompts(prompts[::-1])


def test_training_gives_the_same_model_after_other_trainings(small: Taxonomy) -> None:
    examples, leaves = examples_of(small), list(small.leaves)
    prompts = [example.prompt for example in examples]
    classifiers = (Classifier(level=9, epoch=4), Classifier(level=1, epoch=4, weight=0.5, seed=2))
    first = train(examples, leaves, classifiers).log_probabilities(prompts)
    train(examples[::2], leaves, (Classifier(level=9, dim=40, epoch=2),))  # leaves a model's values in freed memory
    assert np.array_equal(first, train(examples, leaves, classifiers).log_probabilities(prompts))


def test_a_model_is_cached_and_a_damaged_one_retrained(small: Taxonomy, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []

    def counted(*arguments: Any) -> PromptModel:
        trained.append(1)
        return train_calibrated(*arguments)

    monkeypatch.setattr(model_cache, "train_calibrated", counted)
    folder = model_cache.cache_folder() / "taxonomy" / model_cache.model_key(small)
    prompts = ["count every apple"]
    first = model_cache.model_of(small).probabilities(prompts)
    (folder / "classifier-0.bin").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="damaged"):
        PromptModel.load(folder)
    trained.clear()
    assert np.array_equal(model_cache.model_of(small).probabilities(prompts), first)
    assert np.array_equal(model_cache.model_of(small).probabilities(prompts), first)
    assert len(trained) == 1
    (folder / DESCRIPTION).write_text("{}")
    with pytest.raises(ValueError, match="no description"):
        PromptModel.load(folder)


def test_another_file_has_another_model_key(small: Taxonomy) -> None:
    other = load_text(yaml_text() + "# a comment\n", Path("small.yaml"))
    assert model_cache.model_key(other) != model_cache.model_key(small)


def test_corrections_are_read_back_and_checked(small: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    corrections = {"b": "looking/style", "a": "reading/print"}
    write_corrections(path, corrections)
    assert read_corrections(path, small) == corrections
    path.write_text('{"id": "a", "use_case": "looking/styl"}\nnothing\n')
    with pytest.raises(ConfigFileError) as error:
        read_corrections(path, small)
    first, second = str(error.value).splitlines()
    assert first.endswith(":1: looking/styl is no leaf; did you mean looking/style?")
    assert ":2: expected" in second


def test_evaluation_counts_levels_and_languages(labeller: SampleLabeller) -> None:
    examples = [
        Example("count the chairs", "looking/counting", "en"),
        Example("数一数椅子", "looking/style", "zh"),  # wrong on purpose: the right group
        Example("sum the column", "looking/style", "en"),  # and here another group
        Example("抄下这些字", "reading/print", "zh"),
    ]
    found = evaluate(labeller, examples)
    assert (found.accuracy["all", "group"], found.accuracy["all", "leaf"]) == (0.75, 0.5)
    assert (found.accuracy["zh", "group"], found.accuracy["en", "leaf"]) == (1, 0.5)
    assert found.confusion["looking", "reading"] == 1
    assert len(found.mistakes) == 2


def test_halves_are_disjoint_and_complete() -> None:
    examples = [Example(f"prompt {k}", "a", "en") for k in range(500)]
    development, test = half_of(examples, "development"), half_of(examples, "test")
    assert not set(development) & set(test)
    assert len(development) + len(test) == 500
    assert 200 < len(test) < 300


def test_mistakes_in_labelled_prompts_are_reported_with_lines(small: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "a", "use_case": "reading/print"}\n[]\n{"prompt": "b", "use_case": "reading/prnt"}\n')
    with pytest.raises(ConfigFileError) as error:
        read_labelled(path, small)
    assert ":2: expected" in str(error.value)
    assert ":3: reading/prnt is no leaf; did you mean reading/print?" in str(error.value)


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("What is this?", []),
        ("Read the text. Then count the people.", ["Read the text", "Then count the people"]),
        ("读出上面的文字，然后数一数有几个人", ["读出上面的文字", "数一数有几个人"]),
        ("1) transcribe the page 2) sum the column", ["transcribe the page", "sum the column"]),
        ("version 1.4 of the page", []),
    ],
)
def test_clauses(prompt: str, pieces: list[str]) -> None:
    assert clauses(prompt) == pieces


@pytest.mark.parametrize(
    ("prompt", "form"),
    [
        ("The bridge is closed on Sundays, isn't it?", "<said>"),
        ("that is the mayor, right?", "<said>"),
        ("Don't you think the soup looks cold?", "<said>"),
        ("他已经结婚了，对吧？", "<said>"),
        ("Since the shop is bankrupt, who bought it?", "<presumed>"),
        ("既然门锁着，他怎么进去的", "<presumed>"),
        ("If the door were open, who would come in?", "<supposed>"),
        ("Had she waited, would she have seen it?", "<supposed>"),
        ("Would the wall stand without the beam?", "<supposed>"),
        ("要是没有风，船会去哪", "<supposed>"),
        ("Is the left one larger?", ""),
        ("Please check if the text has typos", ""),
        ("Who isn't wearing a hat?", ""),
        ("Turn right at the church: what do you see?", ""),
        ("图里一共有若干只猫？", ""),
    ],
)
def test_forms_tell_what_a_question_takes_for_granted(prompt: str, form: str) -> None:
    assert forms_of(prompt.casefold()) == ([form] if form else [])
    assert line_of(prompt).split()[-1].startswith("<") == bool(form)


def test_user_turns_have_no_image_placeholders() -> None:
    assert user_turns(sample("<image>\n<image> What?", "That.", "<image>", "Hm.").messages or ()) == ["What?"]


@given(st.text(max_size=2000))
def test_any_prompt_is_one_line(prompt: str) -> None:
    line = line_of(prompt)
    assert "\n" not in line
    assert "__label__" not in line
    assert len(line) < 4000


@given(st.text(min_size=1, max_size=80), st.sampled_from(["en", "zh"]))
def test_variants_are_the_same_every_time(prompt: str, language: str) -> None:
    example = Example(prompt, "a", language)
    assert list(variants(example)) == list(variants(example))
    assert next(variants(example)) == prompt


def test_the_best_temperature_calibrates_confidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 5))
    chances = softmax(logits)
    targets = np.array([rng.choice(5, p=row) for row in chances])
    assert best_temperature(logits * 3, targets) == pytest.approx(3, rel=0.15)
    best = chances.max(axis=1)
    is_right = chances.argmax(axis=1) == targets
    assert expected_calibration_error(best, is_right) < 0.03
    assert expected_calibration_error(np.ones(4000), is_right) == pytest.approx(1 - is_right.mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labeller": "magic"}, "labeller must be one of fasttext"),
        ({"threshold": 2}, "between 0 and 1"),
        ({"samples": 0}, "positive"),
        ({"shares": {"a": 0.7, "b": 0.6}}, "sum to at most 1"),
        ({"targets": {"a": 0}}, "target of a must be positive"),
        ({"targets": {"a": 5}, "samples": 7}, "expected no shares and no samples"),
        ({"shares": {"a": -0.1}}, "between 0 and 1"),
    ],
)
def test_wrong_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelSettings(**settings)


def test_targets_are_numbers_of_samples(small: Taxonomy) -> None:
    settings = LabelSettings(targets={"reading/print": 30, "looking": 10})
    assert settings.samples == 40
    assert leaf_shares(small, settings.shares) == pytest.approx(
        {"reading/print": 0.75, "reading/table": 0, "looking/counting": 0.125, "looking/style": 0.125}
    )
    assert LabelSettings(**dataclasses.asdict(settings)) == settings


def test_another_labeller_can_be_registered(small: Taxonomy, monkeypatch: pytest.MonkeyPatch) -> None:
    class Longest(Labeller):
        name = "longest"

        @classmethod
        def prepare(cls, taxonomy: Taxonomy, folder: Path) -> None:
            raise AssertionError("not needed without a folder")

        def __init__(self, taxonomy: Taxonomy, folder: Path | None = None):
            assert folder is None
            self.num_leaves = len(taxonomy.leaves)

        def probabilities(self, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
            return np.eye(self.num_leaves)[[len(query.prompt) % self.num_leaves for query in queries]]

    monkeypatch.setitem(LABELLERS, "longest", Longest)
    labeller = SampleLabeller(small, LabelSettings(labeller="longest"))
    assert labeller.label_prompts(["abcdef"])[0].use_case == list(small.leaves)[2]
    assert labeller.probabilities([Query("abc")]).shape == (1, 4)


def test_held_out_prompts_are_labelled_as_well_as_promised(full: bool) -> None:
    if not full:
        pytest.skip("trains the bundled labeller: half a minute")
    taxonomy = load()
    held_out = read_labelled(BUNDLED.parent / "held_out.jsonl", taxonomy)
    found = evaluate(SampleLabeller(taxonomy), half_of(held_out, "development"))
    for language in ("en", "zh"):
        assert found.accuracy[language, "group"] >= 0.85
        assert found.accuracy[language, "category"] >= 0.70
    assert found.calibration_error < 0.1


def test_dataclasses_replace_keeps_the_use_case() -> None:
    assert dataclasses.replace(sample(use_case="a/b"), labeller="writer:x").use_case == "a/b"
