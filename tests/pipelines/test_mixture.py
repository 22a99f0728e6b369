"""Mixtures: components have their shares of the tokens, whatever the order and the number of workers."""

import json
import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers

from pipelines.commands.refit import main as refit
from pipelines.mixture.cuts import NUM_BINS, bin_of, cut, key_of, wanted_tokens
from pipelines.mixture.tokens import ESTIMATE, IMAGE_TOKENS, count_tokens, tokenizer_digest
from pipelines.overrides import apply_setting
from pipelines.recipe import UsageError
from pipelines.recipe_file import build_recipe
from pipelines.report.presentation.mixture import mixture_limit
from pipelines.run import main as run
from pipelines.stages.plan_shards import SumUp
from pipelines.storage import Storage
from pipelines.tables.manifest import read_manifest
from pipelines.units import TableRow
from sources.base.sample import EncodedImage, Message, Provenance, Sample
from tests.corpus import digests

WORDS = ("harbour", "tide", "rope", "lamp", "gull", "stone", "bridge", "river", "boat", "market", "ledger", "paper")


def sample(text: str | None, **options: object) -> Sample:
    return Sample(id="a", source="text", provenance=Provenance(locator="", digest=""), text=text, **options)  # type: ignore[arg-type]


def test_components_end_nearest_to_their_shares() -> None:
    ids = [f"{k:032x}" for k in range(3000)]
    sizes = {i: 20 + k % 90 for k, i in enumerate(ids)}
    tally: Counter[str] = Counter()
    for k, i in enumerate(ids):
        tally[key_of("text" if k % 3 else "pages", i)] += sizes[i]
    cuts = cut(tally, {"text": 0.8, "pages": 0.2}, None)
    kept = Counter[str]()
    for k, i in enumerate(ids):
        component = "text" if k % 3 else "pages"
        kept[component] += sizes[i] * (bin_of(i) < cuts[component])
    assert cuts["text"] == NUM_BINS  # the scarcest component keeps all of its samples
    assert kept["text"] / kept.total() == pytest.approx(0.8, abs=0.001)


def test_tokens_bound_the_whole_and_an_empty_component_bounds_nothing() -> None:
    assert wanted_tokens({"a": 600, "b": 100}, {"a": 0.5, "b": 0.5}, None) == 200
    assert wanted_tokens({"a": 600, "b": 100}, {"a": 0.5, "b": 0.5}, 100) == 100
    assert wanted_tokens({"a": 600}, {"a": 0.5, "b": 0.5}, None) == 1200
    assert cut({"a#3": 10, "a#5": 10, "a#9": 10}, {"a": 1.0}, 20) == {"a": 9}
    assert cut({"a#3": 10, "a#5": 10, "a#9": 10}, {"a": 1.0}, 24) == {"a": 9}
    assert cut({"a#3": 10, "a#5": 10, "a#9": 10}, {"a": 1.0}, 26) == {"a": NUM_BINS}
    assert cut({}, {"a": 1.0}, None) == {}


def test_tokens_are_those_of_the_tokenizer_and_of_images(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    image = EncodedImage(data=b"", extension="png", width=4000, height=10)
    turns = [Message(role="user", content="<image>a"), Message(role="assistant", content="b b")]
    samples = [sample("a b a"), sample("<image>\n\na <image>", images=[image, image]), sample(None, messages=turns)]
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        assert count_tokens(samples, str(place)) == [3, 1 + 2 * IMAGE_TOKENS, 3]
    assert len(tokenizer_digest(str(tmp_path))) == 64
    assert count_tokens([sample("a" * 400), sample("数" * 100)], "") == [100, 70]
    assert tokenizer_digest("") == ESTIMATE


def test_a_tokenizer_that_cannot_be_used_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    for wrong, words in ((tmp_path / "none", "is not a file"), (tmp_path, "cannot be read")):
        recipe = tmp_path / "recipe.yaml"
        content = {"sources": [{"type": "text"}], "mixture": {"shares": {"text": 1}, "tokenizer": str(wrong)}}
        recipe.write_text(yaml.safe_dump(content))
        assert run(["--recipe", str(recipe), "--output", str(tmp_path / "out")]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mixture", "filters", "words"),
    [
        ({"shares": {"text": 0.5, "pairs": 0.4}}, [], "must sum to 1, got 0.9"),
        ({"shares": {"text": 1}}, [], "no share for pairs"),
        ({"shares": {"text": 0.5, "pair": 0.5}}, [], "no source is of the component 'pair'; did you mean 'pairs'"),
        ({"shares": {"text": 1, "pairs": 0}}, [], "above 0"),
        ({"shares": {"text": 0.5, "pairs": 0.5}, "tokens": 0}, [], "tokens must be positive"),
        ({}, [], "must sum to 1"),
        (None, [{"type": "min_ink", "components": "page"}], "filters[0] (min_ink): no source is of the component"),
    ],
)
def test_a_wrong_mixture_says_what_to_change(mixture: object, filters: list[object], words: str) -> None:
    with pytest.raises(UsageError) as error:
        build_recipe({"sources": [{"type": "text"}, {"type": "pairs"}], "filters": filters, "mixture": mixture})
    assert words in str(error.value)


def test_a_component_names_one_of_several_sources_of_a_type() -> None:
    content = {"sources": [{"type": "books", "component": "a"}, {"type": "books", "component": "b"}, {"type": "pdfs"}]}
    apply_setting(content, "b.side_px=512")
    assert content["sources"][1]["side_px"] == 512
    assert "side_px" not in content["sources"][0]
    with pytest.raises(UsageError, match="any of several sources"):
        apply_setting(content, "books.side_px=512")
    both = {"sources": [{"type": "text"}, {"type": "pairs"}], "mixture": {"shares": {"text": 0.5, "pairs": 0.5}}}
    apply_setting(both, "mixture.tokens=1000")
    assert build_recipe(both).mixture.tokens == 1000  # type: ignore[union-attr]


def text_of(rng: random.Random, number: int) -> str:
    return f"{number} " + " ".join(rng.choices(WORDS, k=rng.randrange(30, 80))) + "."


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("mixed"), random.Random(3)
    texts = [json.dumps({"text": text_of(rng, k)}) for k in range(400)]
    (folder / "texts.jsonl").write_text("\n".join(texts))
    turns = [
        [{"role": "user", "content": f"What is {k}?"}, {"role": "assistant", "content": text_of(rng, k)}]
        for k in range(200)
    ]
    (folder / "chats.jsonl").write_text("\n".join(json.dumps({"messages": each}) for each in turns))
    content = {
        "name": "mixed",
        "sources": [
            {"type": "text", "component": "plain", "input": [str(folder / "texts.jsonl")]},
            {"type": "text", "component": "chats", "input": [str(folder / "chats.jsonl")]},
        ],
        "filters": [{"type": "text_length", "min_chars": 220, "components": ["plain"]}],
        "mixture": {"shares": {"plain": 0.25, "chats": 0.75}},
        "output": {"validation": 0},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.slow
def test_a_run_reaches_its_shares_and_a_refit_reaches_others(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["--recipe", str(recipe), "--output", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "plain 25.0" in printed
    assert "The scarcest component is chats: its " in printed
    mixture = read_manifest(Storage(str(out)))["mixture"]
    components = mixture["components"]
    assert components["chats"]["samples"] == 200  # the scarcest: all of it is kept
    assert components["plain"]["tokens"] / mixture["tokens"] == pytest.approx(0.25, abs=0.005)
    ledger = pq.read_table(out / "ledger").to_pylist()
    reasons = Counter(row["reason"] for row in ledger)
    assert reasons["over_share"] > 100
    assert reasons["short_text"] > 20  # of texts; chats are as short, and are not judged
    kept = sum(row["num_tokens"] for row in ledger if row["verdict"] == "kept")
    assert kept == mixture["tokens"]
    assert {row["id"] for row in ledger if row["verdict"] == "kept"} == set(
        pq.read_table(out / "data")["id"].to_pylist()
    )
    card = (out / "README.md").read_text("utf-8")
    assert "| `plain` | text |" in card
    assert "estimated, not counted" in card
    assert "The scarcest component is chats" in card
    assert 'id="mixture"' in (out / "report/index.html").read_text("utf-8")

    alone = tmp_path / "alone"
    assert run(["--recipe", str(recipe), "--output", str(alone), "--workers", "1"]) == 0
    assert digests(alone) == digests(out)

    changed = ["--set", "mixture.shares={plain: 0.5, chats: 0.5}", "--set", "mixture.tokens=6000"]
    capsys.readouterr()
    assert refit([str(out), *changed]) == 0
    assert "scarcest" not in capsys.readouterr().out
    assert run(["--recipe", str(recipe), "--output", str(alone), *changed]) == 0
    assert digests(alone) == digests(out)
    mixture = read_manifest(Storage(str(out)))["mixture"]
    assert mixture["tokens"] == pytest.approx(6000, abs=60)
    assert mixture["components"]["chats"]["tokens"] == pytest.approx(3000, abs=30)


def test_what_bounds_a_mixture_is_said() -> None:
    def limit(wanted: int, **found: int) -> str:
        shares = {"text": 0.75, "pages": 0.25}
        components = {name: {"share": shares[name], "found": count} for name, count in found.items()}
        return mixture_limit({"mixture": {"wanted_tokens": wanted, "components": components}})

    assert limit(400, text=900, pages=100).startswith("The scarcest component is pages: its 100 tokens are used")
    assert limit(400, text=900, pages=101) == ""
    assert limit(1000, text=900, pages=100) == "Too little was found: pages has 100 of 250 tokens."
    assert limit(4000, text=900, pages=100).endswith("pages has 100 of 1,000 tokens; text has 900 of 3,000 tokens.")
    assert limit(400, text=300, pages=0).startswith("The scarcest component is text")
    assert limit(0, text=0, pages=0) == ""


def test_conversations_without_images_have_a_place_in_a_shard() -> None:
    combine = SumUp(shard_mb=1)
    whole = combine.add_input(combine.create_accumulator(), TableRow("train", 7, 0, None))
    assert combine.extract_output(whole).plan.shard_of("train", 7) == "train-00000"
