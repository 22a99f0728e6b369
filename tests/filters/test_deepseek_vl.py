"""The DeepSeek-VL filter with a tiny model: which questions are asked, what their scores are, and what is refused."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from deepseek_vl import checkpoint
from deepseek_vl.scoring import Item, Likelihood, Question, Scorer
from filters.deepseek_vl import filter as filter_module
from filters.deepseek_vl import local_model
from filters.deepseek_vl.axes import BUNDLED, load_axes
from filters.deepseek_vl.filter import DeepseekVl
from filters.deepseek_vl.questions import Answers, Ask, Asked, Fault, is_answer, language_of, questions_about
from filters.deepseek_vl.use_cases import ABOUT_REQUEST
from filters.filter import FilterUnavailable, Scores
from pipelines.overrides import apply_setting
from pipelines.recipe import UsageError, scores_key
from pipelines.recipe_file import build_recipe
from sources.base.sample import Sample
from taxonomy.loader import BUNDLED as BUNDLED_TAXONOMY
from taxonomy.loader import load as load_taxonomy
from tests.deepseek_vl import tiny
from tests.filters.judging import CONFIG, sample, write_model

AXES = """\
axes:
  agreement:
    question: {en: "{text} Is it written here?", zh: "{text}图中写了什么？"}
    threshold: 0.5
  size:
    question: {en: "How large is it?", zh: "多大？"}
    choices: [{value: 0, en: "1 2", zh: "一"}, {value: 0.25, en: "1 3", zh: "二"}, {value: 1, en: "5", zh: "三"}]
    sources: [charts]
  needed:
    question: {en: "{question} Is it {answer}?", zh: "{question}是{answer}吗？"}
    kinds: [conversation]
    compare_without_images: true
"""
LIKELIHOODS = """\
axes:
  caption: {score: likelihood}
  gain: {score: likelihood, compare_without_images: true}
  reading: {score: likelihood, question: {en: "Read it.", zh: "读一读。"}}
  shown: {question: {en: "Is it here?", zh: "在吗？"}, sources: [charts]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def axes(tmp_path: Path) -> Path:
    path = tmp_path / "axes.yaml"
    path.write_text(AXES, "utf-8")
    return path


def judging(folder: Path, axes: Path | None = None, **settings: object) -> DeepseekVl:
    made = DeepseekVl(model=str(folder), device="cpu", threads=1, axes=str(axes) if axes else None, **settings)
    made.check()
    pinned = made.pinned()
    assert isinstance(pinned, DeepseekVl)
    return pinned


def values(f: DeepseekVl, *samples: Sample) -> list[dict[str, float | None]]:
    return [dict(scores.values) for scores in f.scores(samples)]


def test_a_score_is_the_expected_value_of_the_answer(folder: Path, axes: Path) -> None:
    page, chart = sample(1, "Sales of the year."), sample(2, None, "What?", "Yes.", "And?", "No.", source="charts")
    none = dataclasses.replace(page, images=())
    found = values(judging(folder, axes), page, chart, none)
    scorer = Scorer(tiny.model(CONFIG), tiny.processor(CONFIG))

    def asked(images: Sequence[bytes], text: str, choices: Sequence[str], worth: Sequence[float]) -> float:
        (logs,) = scorer.score_rows([scorer.prepare(Item(tuple(images), (Question(text, tuple(choices)),)))])[0]
        return float(np.exp(logs) @ worth)

    of_page, of_chart = page.images[0].data, chart.images[0].data
    agreement = asked([of_page], "Sales of the year. Is it written here?", ("Yes", "No"), (1, 0))
    assert found[0] == {"agreement": pytest.approx(agreement, abs=1e-4), "size": None, "needed": None}
    size = asked([of_chart], "How large is it?", ("1 2", "1 3", "5"), (0, 0.25, 1))
    turns = [
        asked([of_chart], text, ("Yes", "No"), (1, 0)) - asked([], text, ("Yes", "No"), (1, 0))
        for text in ("What? Is it Yes.?", "And? Is it No.?")
    ]
    assert found[1]["size"] == pytest.approx(size, abs=1e-4)
    assert found[1]["needed"] == pytest.approx(np.mean(turns), abs=1e-4)
    assert 0.001 < abs(np.mean(turns)) < 1
    assert found[2] == dict.fromkeys(("agreement", "size", "needed"))


def test_the_language_of_the_text_decides_which_question_is_asked() -> None:
    assert [
        language_of(text) for text in ("", "12", "Only words", "图表的标题", "The 温度 of the CPU is high now")
    ] == [
        "en",
        "en",
        "en",
        "zh",
        "en",
    ]
    asked = {q.axis: q for q in questions_about(sample(1, "图表的标题{text}"), load_axes(BUNDLED), 4)}
    assert set(asked) == {"readability", "agreement", "visual_gain", "agreement_asked", "information", "safety"}
    assert asked["agreement_asked"].asked.choices == ("是", "否")
    assert "\n图表的标\n" in (asked["agreement_asked"].asked.text or "")  # cut; what it says is not filled in again
    assert asked["agreement"].asked == Asked(None, answer="图表的标")


def test_a_new_axis_or_another_model_is_a_new_key_and_a_threshold_is_none(
    folder: Path, axes: Path, tmp_path: Path
) -> None:
    def keys(f: DeepseekVl) -> dict[str, str]:
        return {group[0]: scores_key([f.only(group)]) for group in f.score_groups()}

    before = keys(judging(folder, axes))
    assert before == keys(judging(folder, axes, min_scores={"size": 0.9}, batch=2, skip_rejected=True, sample=0.5))
    axes.write_text(AXES.replace("threshold: 0.5", "threshold: 0.1").replace("How large", "How big"), "utf-8")
    after = keys(judging(folder, axes))
    assert {name for name in before if before[name] != after[name]} == {"size"}
    other = keys(judging(write_model(tmp_path / "other", seed=2), axes))
    assert not set(other.values()) & set(after.values())
    assert set(keys(judging(folder, axes, max_chars=99)).values()).isdisjoint(after.values())


def test_some_axes_alone_have_the_same_scores(folder: Path, axes: Path) -> None:
    f, samples = judging(folder, axes), [sample(n, f"Text {n}.") for n in range(3)]
    alone = f.only(["agreement"])
    assert alone.score_names == ("agreement",)
    assert [s.values["agreement"] for s in alone.scores(samples)] == [v["agreement"] for v in values(f, *samples)]


def test_thresholds_come_from_the_axes_or_the_recipe(folder: Path, axes: Path) -> None:
    f = judging(folder, axes, min_scores={"size": 0.2})
    low = {"agreement": 0.4, "size": 0.1, "needed": -1.0}
    assert f.rejects(Scores(values=low)) == "agreement"
    assert f.rejects(Scores(values=low | {"agreement": None})) == "size"
    assert judging(folder, axes, min_scores={"agreement": None}).rejects(Scores(values=low)) is None
    assert set(f.reasons) == set(f.score_names)
    entry = {"model": "gone", "min_scores": {"size": 0.2}, "pinned_as": f.pinned_as, "endpoint": []}
    described = DeepseekVl.described(entry)
    assert {(t.score, t.setting, bound) for t, bound in described.thresholds} == {
        ("agreement", "min_scores.agreement", 0.5),
        ("size", "min_scores.size", 0.2),
    }
    content = {"sources": [{"type": "pdfs"}]}
    for setting in ("deepseek_vl.model=m", "deepseek_vl.min_scores.agreement=0.7", "deepseek_vl.min_scores.safety=0.1"):
        apply_setting(content, setting)
    (built,) = build_recipe(content).filters
    assert isinstance(built, DeepseekVl)
    assert built.min_scores == {"agreement": 0.7, "safety": 0.1}


def test_a_text_that_is_too_long_is_cut_and_a_bad_image_costs_its_sample(folder: Path, axes: Path) -> None:
    f = judging(folder, axes, max_chars=6000)
    long, right = sample(3, "long text " * 900), sample(4, "Text.")
    short = dataclasses.replace(long, text="<image>\n" + long.plain_text()[:1500])
    image = dataclasses.replace(right.images[0], data=right.images[0].data[:60])
    broken = dataclasses.replace(right, images=[image])
    found = f.scores([long, broken, right, short])
    assert [scores.fault for scores in found] == [None, "unreadable_image", None, None]
    assert found[0].values["agreement"] == pytest.approx(found[3].values["agreement"], abs=1e-4)
    assert found[2].values["agreement"] is not None
    image_alone = sample(5, "")  # an axis about a text has no meaning without one
    assert values(f, image_alone)[0]["agreement"] is None


def test_memory_that_is_short_makes_batches_smaller(folder: Path, axes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    f, samples = judging(folder, axes), [sample(n, f"Text {n}.") for n in range(4)]
    expected = values(f, *samples)
    launch = Scorer.launch
    greedy = samples[2].images[0].data

    def short(self: Scorer, batch: object, limit_flop: float = math.inf) -> object:
        canvases = getattr(batch, "canvases")  # noqa: B009  # the batch's type does not matter here
        if len(canvases) > 1 or np.array_equal(
            canvases[0], self.prepare(Item((greedy,), (Question("?", ("a", "b")),))).canvases[0]
        ):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return launch(self, batch, limit_flop)  # type: ignore[arg-type]

    monkeypatch.setattr(Scorer, "launch", short)
    found = f.scores(samples)
    assert [scores.fault for scores in found] == [None, None, "out_of_memory", None]
    for k in (0, 1, 3):
        assert found[k].values == pytest.approx(expected[k], abs=1e-4)


def test_a_model_that_says_nan_is_counted_or_refused(
    folder: Path, axes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tiny.model(CONFIG)
    with torch.no_grad():
        broken.language.norm.weight.fill_(math.nan)
    checkpoint.save(broken, tmp_path / "broken")
    tiny.tokenizer().save(str(tmp_path / "broken" / "tokenizer.json"))
    f = judging(tmp_path / "broken", axes)
    with pytest.raises(FilterUnavailable, match="no finite logits"):
        f.load()
    assert [scores.fault for scores in f.scores([sample(1, "a")])] == ["not_finite"]


def test_what_cannot_be_used_is_refused_before_any_work(folder: Path, axes: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a folder nor a hub id"):
        judging(tmp_path / "missing")
    foreign = write_model(tmp_path / "foreign")
    (foreign / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match="model_type is 'llama'"):
        judging(foreign)
    mismatched = write_model(tmp_path / "mismatched")
    config = (mismatched / "config.json").read_text().replace('"num_hidden_layers": 3', '"num_hidden_layers": 4')
    (mismatched / "config.json").write_text(config)
    with pytest.raises(ValueError, match="is missing"):
        judging(mismatched)
    with pytest.raises(ValueError, match="needs `model`"):
        DeepseekVl().check()
    with pytest.raises(ValueError, match="contradict"):
        DeepseekVl(model="a", endpoint=("http://127.0.0.1:1",))
    changed = judging(folder, axes)
    assert changed.pinned_as is not None
    with pytest.raises(FilterUnavailable, match="not the one that the run began with"):
        dataclasses.replace(changed, pinned_as={**changed.pinned_as, "digest": "0"}).load()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("sources: [charts]", "sources: [graphs]", 8, "size: there is no source 'graphs'"),
        ("kinds: [conversation]", "kinds: [pages]", 11, "needed: kinds must be some of text, conversation"),
        ("kinds: [conversation]", "kinds: [text]", 10, "kinds must be \\[conversation\\]"),
        ("{text} Is", "{page} Is", 3, "placeholder {page}"),
        ("value: 0.25", "value: 2", 7, "between 0 and 1"),
        ('en: "1 3"', 'en: " 1  2"', 7, "different texts in en"),
        ("threshold", "treshold", 4, "treshold"),
        ("threshold: 0.5", "score: likelihood", 3, "agreement: question cannot have placeholders"),
        ("sources: [charts]", "score: likelihood", 7, "size: choices are not for"),
        ("sources: [charts]", "score: guess", 8, "size.score"),
        ('question: {en: "How large is it?", zh: "多大？"}', "kinds: [text]", 5, "size: question is missing"),
        ("  size:", "  Size:", 5, "cannot be an axis"),
        ("  size:", "  use_case:", 5, "cannot be an axis"),
    ],
)
def test_mistakes_in_the_questions_are_named_with_their_line(
    axes: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in AXES
    axes.write_text(AXES.replace(old, new, 1), "utf-8")
    entry = {"type": "deepseek_vl", "model": "m", "axes": str(axes)}
    with pytest.raises(UsageError, match=message) as caught:
        build_recipe({"sources": [{"type": "pdfs"}], "filters": [entry]})
    assert f"{axes}:{line}:" in str(caught.value)


def test_choices_with_the_same_tokens_are_named(folder: Path, axes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model.ChoiceTrie, "of", classmethod(lambda cls, tokens, eos: _collide(tokens)))
    with pytest.raises(ValueError, match=r"axes.yaml: size: .* same tokens"):
        judging(folder, axes)


def _collide(tokens: Sequence[Sequence[int]]) -> None:
    if len(tokens) == 3:
        raise ValueError("two choices of a question have the same tokens")


def test_scores_of_another_filter_cannot_be_called_the_same(axes: Path) -> None:
    axes.write_text(AXES.replace("  size:", "  ink:"), "utf-8")
    filters = [{"type": "min_ink"}, {"type": "deepseek_vl", "model": "m", "axes": str(axes)}]
    with pytest.raises(UsageError, match="min_ink and deepseek_vl both have a score 'ink'"):
        build_recipe({"sources": [{"type": "pdfs"}], "filters": filters})


def test_a_share_is_chosen_by_id_and_what_is_rejected_costs_nothing() -> None:
    f = DeepseekVl(sample=0.25, skip_rejected=True)
    chosen = {k for k in range(4000) if f.skips(f"{k:032x}", False) is None}
    assert 900 < len(chosen) < 1100
    more = dataclasses.replace(f, sample=0.5)
    assert chosen < {k for k in range(4000) if more.skips(f"{k:032x}", False) is None}
    assert {f.skips(f"{k:032x}", True) for k in chosen} == {filter_module.REJECTED}
    assert f.skips(f"{min(set(range(4000)) - chosen):032x}", False) == filter_module.NOT_SAMPLED


def test_answers_are_checked() -> None:
    ask = Ask((), (Asked("?", ("a", "b")), Asked("!", ("c", "d"))))
    half = math.log(0.5)
    good: Answers = [[half, half], [math.log(0.1), math.log(0.9)]]
    assert is_answer(ask, good)
    for bad in ([good[0]], [[half], good[1]], [[math.nan, half], good[1]], [[half, -5.0], good[1]], None, ["ab", "cd"]):
        assert not is_answer(ask, bad)
    given = Ask((), (Asked(None, answer="x"),))
    assert is_answer(given, [[-2.0, -0.5, 0.0]])
    for bad in ([[]], [[math.nan]], [[-math.inf]], [[0.5]], [["a"]], [[-1.0], [-1.0]]):
        assert not is_answer(given, bad)
    assert Fault("x", "y") != good


def test_a_likelihood_is_that_of_what_the_sample_says(folder: Path, axes: Path) -> None:
    axes.write_text(LIKELIHOODS, "utf-8")
    page, chat = sample(1, "Sales of the year."), sample(2, None, "What?", "Yes.", "And?", "None.", source="charts")
    found = values(judging(folder, axes), page, chat, sample(3, ""))
    scorer = Scorer(tiny.model(CONFIG), tiny.processor(CONFIG))

    def mean(images: Sequence[bytes], question: str | None, text: str) -> float:
        (logs,) = scorer.score_rows([scorer.prepare(Item(tuple(images), (Likelihood(question, text),)))])[0]
        return float(logs.mean())

    of_page, of_chat, text = page.images[0].data, chat.images[0].data, "Sales of the year."
    caption, turns = mean([of_page], None, text), (("What?", "Yes."), ("And?", "None."))
    assert found[0] == {
        "caption": pytest.approx(caption, abs=1e-4),
        "gain": pytest.approx(caption - mean([], None, text), abs=2e-4),
        "reading": pytest.approx(mean([of_page], "Read it.", text), abs=1e-4),
        "shown": None,
    }
    answers = np.mean([mean([of_chat], *turn) for turn in turns])
    without = np.mean([mean([], *turn) for turn in turns])
    assert found[1]["caption"] == found[1]["reading"] == pytest.approx(answers, abs=1e-4)
    assert found[1]["gain"] == pytest.approx(answers - without, abs=2e-4)
    assert 0 < (found[1]["shown"] or 0) < 1
    assert abs(answers - without) > 1e-3
    assert set(found[2].values()) == {None}


def test_other_machines_are_estimated(folder: Path) -> None:
    lines = judging(folder, sample=0.5, prices={"l4": 3600.0}).costs(1.0, 10**12)
    assert [line.partition(":")[0] for line in lines] == ["l4", "a100", "h100"]
    flop = local_model.flop_per_sample(str(folder), 0)
    assert flop > 2e6
    with pytest.raises(ValueError, match="prices"):
        DeepseekVl(prices={"abacus": 1.0})


def test_the_use_case_is_chosen_level_by_level(folder: Path, tmp_path: Path) -> None:
    taxonomy = load_taxonomy(BUNDLED_TAXONOMY)
    with pytest.raises(ValueError, match="needs the recipe's section `taxonomy`"):
        DeepseekVl(model=str(folder), use_cases=True).pinned()
    f = DeepseekVl(model=str(folder), device="cpu", threads=1, use_cases=True).pinned(BUNDLED_TAXONOMY)
    assert isinstance(f, DeepseekVl)
    assert f.score_names[-1] == "use_case"
    chosen = f.only(["use_case"])
    assert chosen.score_names == ("use_case",)
    page, talk = sample(1, "Sales."), sample(2, None, "Which bar is the largest?", "The first.")
    first, second, nothing = chosen.scores([page, talk, dataclasses.replace(page, images=())])
    assert nothing.use_case is None
    assert nothing.values == {"use_case": None}
    assert {first.use_case, second.use_case} <= set(taxonomy.leaves)
    # Every level by itself gives the same path and confidence.
    scorer = Scorer(tiny.model(CONFIG), tiny.processor(CONFIG))
    nodes, path, confidence = taxonomy.file.nodes, "", 1.0
    while nodes:
        names = [node.name.en for node in nodes.values()]
        text = ABOUT_REQUEST["en"].replace("{text}", "Which bar is the largest?")
        (logs,) = scorer.score_rows([scorer.prepare(Item((talk.images[0].data,), (Question(text, tuple(names)),)))])[0]
        best = int(np.argmax(logs))
        slug = list(nodes)[best]
        path, confidence = f"{path}/{slug}".strip("/"), confidence * float(np.exp(logs[best]))
        nodes = getattr(nodes[slug], "nodes", {})
    assert second.use_case == path
    assert second.values["use_case"] == pytest.approx(confidence, abs=1e-4)
    assert scores_key([chosen]) != scores_key([f.only(["agreement"])])
