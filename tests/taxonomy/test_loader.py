"""The taxonomy file: the bundled one is complete, and every mistake is one sentence with its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.config_file import ConfigFileError, parse
from taxonomy.evaluation import read_labelled
from taxonomy.loader import BUNDLED, checked_bytes, from_checked_bytes, load, load_text, warnings
from taxonomy.schema import LANGUAGES, RECOMMENDED_PROMPTS, SCHEMA_PATH, json_schema
from taxonomy.tree import Taxonomy
from tests.taxonomy.small import yaml_text

HERE = Path("small.yaml")
GROUPS = [
    "recognition",
    "conversion",
    "analysis",
    "commonsense_reasoning",
    "logical_reasoning",
    "evaluation",
    "multi_image",
    "safety",
]


@pytest.fixture(scope="module")
def bundled() -> Taxonomy:
    return load()


def test_the_bundled_taxonomy_has_the_groups_of_the_paper(bundled: Taxonomy) -> None:
    assert list(bundled.file.nodes) == GROUPS
    assert len(bundled.leaves) == 89
    assert sum(bundled.shares[leaf] for leaf in bundled.leaves) == pytest.approx(1, abs=0.01)
    assert warnings(bundled) == []
    for leaf in bundled.leaves.values():
        assert all(len(getattr(leaf.prompts, language)) >= RECOMMENDED_PROMPTS for language in LANGUAGES)
        assert leaf.hard_negatives


def test_a_checked_taxonomy_is_read_back_as_it_was(bundled: Taxonomy) -> None:
    assert from_checked_bytes(checked_bytes(bundled)) == bundled


def test_held_out_prompts_cover_all_leaves_and_are_not_examples(bundled: Taxonomy) -> None:
    held_out = read_labelled(BUNDLED.parent / "held_out.jsonl", bundled)
    assert {example.use_case for example in held_out} == set(bundled.leaves)
    learnt = {p for leaf in bundled.leaves.values() for p in (*leaf.prompts.en, *leaf.prompts.zh)}
    learnt |= {negative.prompt for leaf in bundled.leaves.values() for negative in leaf.hard_negatives}
    same = [example.prompt for example in held_out if example.prompt in learnt]
    assert len(same) <= 0.01 * len(held_out), same


def test_the_schema_for_editors_is_up_to_date() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == json_schema(), "run `python -m taxonomy schema`"
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)

    def with_numbers(value: Any) -> Any:  # our parser keeps scalars as text; an editor reads `share: 0.3` as a number
        if isinstance(value, dict):
            return {k: float(v) if k == "share" else with_numbers(v) for k, v in value.items()}
        return value

    content = with_numbers(parse(BUNDLED.read_text("utf-8"), BUNDLED).plain())
    jsonschema.validate(content, schema)
    del content["nodes"]["safety"]["share"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def edited(old: str, new: str) -> str:
    text = yaml_text()
    assert old in text
    return text.replace(old, new, 1)


def line_of(text: str, piece: str, nth: int = 1) -> int:
    """Return the 1-based line of the nth occurrence of a piece."""
    lines = [k for k, line in enumerate(text.splitlines(), start=1) if piece in line]
    return lines[nth - 1]


MISTAKES: dict[str, tuple[Callable[[], str], str, str]] = {
    "an unknown key": (lambda: edited("    share: 0.5", "    shares: 0.5"), "shares: 0.5", "is no key of this place"),
    "a share that is no number": (lambda: edited("share: 0.5", "share: half"), "share: half", "expected a number"),
    "a share of zero": (lambda: edited("share: 0.5", "share: 0"), "share: 0\n", "above 0 and at most 1"),
    "shares that do not sum": (lambda: edited("share: 0.5", "share: 0.75"), "nodes:", "sum to 1.25; expected 1"),
    "a name in one language": (lambda: edited(", zh: reading}", "}"), "{en: Reading}", "zh: is missing"),
    "an id with a space": (lambda: edited("  looking:", "  look at:"), "look at:", "small letters, digits and _"),
    "a key twice": (lambda: edited("  looking:", "  reading:"), "  reading:\n", "a second time"),
    "a prompt twice": (
        lambda: edited('"please count every apple"', '"how many cats"'),
        "- \"how many cats\"",
        "is a prompt of this leaf already",
    ),
    "a hard negative of no leaf": (
        lambda: edited("belongs_to: reading/table", "belongs_to: reading/tabel"),
        "reading/tabel",
        "did you mean reading/table?",
    ),
    "a hard negative that belongs to its leaf": (
        lambda: edited("belongs_to: reading/table", "belongs_to: reading/print"),
        "not print at all",
        "belongs to another leaf",
    ),
    "an alias that is an id": (
        lambda: edited("        prompts:", "        aliases: [looking/style]\n        prompts:"),
        "aliases:",
        "is the id of a node that exists",
    ),
    "an alias twice": (
        lambda: edited("        prompts:", "        aliases: [old/print, old/print]\n        prompts:"),
        "aliases:",
        "is an alias of reading/print already",
    ),
    "a pattern that is none": (
        lambda: edited("        prompts:", "        patterns: {en: ['(']}\n        prompts:"),
        "patterns:",
        "is not a regular expression",
    ),
    "a pattern of another leaf's prompt": (
        lambda: edited("        prompts:", "        patterns: {en: [count]}\n        prompts:"),
        "patterns:",
        "a prompt of looking/counting",
    ),
    "questions of no writer": (
        lambda: edited(
            "        prompts:", "        question_templates: {transcriptoin: {en: [a], zh: [b]}}\n        prompts:"
        ),
        "question_templates:",
        "did you mean transcription?",
    ),
    "a tab": (lambda: edited("    share: 0.5", "\tshare: 0.5"), "\tshare", "indented with a tab"),
    "an alias of YAML": (lambda: edited("share: 0.5", "share: *half"), "*half", "*half is a YAML alias"),
    "an anchor": (lambda: edited("share: 0.5", "share: &half 0.5"), "&half", "&half is a YAML anchor"),
    "a custom tag": (
        lambda: edited("share: 0.5", "share: !!python/object/apply:os.system ['true']"),
        "python/object",
        "is a YAML tag",
    ),
    "brackets without end": (lambda: edited("share: 0.5", "share: [0.5"), "share: [0.5", "is not valid YAML"),
    "prompts that are no list": (lambda: edited("en:  # of print", "en: hello  # of print"), "en: hello", ""),
    "a second document": (lambda: yaml_text() + "---\nnodes: {}\n", "---", "a second document"),
    "a control character": (lambda: edited("share: 0.5", "share: \x07"), "\x07", "unknown to YAML"),
    "a key that is a list": (lambda: edited("  looking:", "  ? [a]\n  : b\n  looking:"), "? [a]", "must be a text"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_sentence_with_its_line(mistake: str) -> None:
    make, where, words = MISTAKES[mistake]
    text = make()
    with pytest.raises(ConfigFileError) as error:
        load_text(text, HERE)
    lines = str(error.value).splitlines()
    candidates = [k for k, line in enumerate((text + "\n").splitlines(), start=1) if where.rstrip("\n") in line]
    # libyaml notices unclosed brackets, and text in place of a list, on one of the next lines
    near = {k + d for k in candidates for d in (0, 1, 2)}
    assert any(int(line.split(":")[1]) in near and words in line for line in lines), lines
    assert len(lines) <= 3


def test_a_leaf_with_too_few_prompts_is_an_error() -> None:
    text = yaml_text()
    start = text.index('            - "read the text"')
    end = text.index("          zh:  # of print")
    with pytest.raises(ConfigFileError, match=r"prompts\.en: expected a list .* got nothing"):
        load_text(text[:start] + text[end:], HERE)
    with pytest.raises(ConfigFileError, match="at least 5 of them, got 1"):
        load_text(text[:start] + '            - "read the text"\n' + text[end:], HERE)


def test_hostile_files_are_rejected_with_a_short_message(tmp_path: Path) -> None:
    leaf = "  l{}: {{name: {{en: a, zh: b}}}}\n"
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))
    for text, words in {
        "nodes:\n" + "".join(leaf.format(k) for k in range(10_000)): "10,000 leaves; expected at most 2,000",
        bomb: "&a is a YAML anchor",
        "nodes: " + "[" * 100_000: "more than 24 values are nested",
        "nodes: " + "{a: " * 1_000: "more than 24 values are nested",
        "": "is empty",
        "- 1": "",
        "nodes: 3": "expected a mapping",
    }.items():
        with pytest.raises(ConfigFileError) as error:
            load_text(text, HERE)
        assert words in str(error.value)
        assert len(str(error.value)) < 600
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * 9_000_000)
    with pytest.raises(ConfigFileError, match="9,000,000 bytes long"):
        load(path)
    path.write_bytes(b"nodes:\n  \xff")
    with pytest.raises(ConfigFileError, match=r"large.yaml:2: is not UTF-8"):
        load(path)
    with pytest.raises(ConfigFileError, match="cannot be read"):
        load(tmp_path / "missing.yaml")


def test_scalars_stay_as_written() -> None:
    text = edited('"read the text"', "yes").replace('"transcribe the page"', "2024-01-01", 1)
    prompts = load_text(text, HERE).leaves["reading/print"].prompts.en
    assert {"yes", "2024-01-01"} <= set(prompts)


@given(st.text(max_size=400))
def test_any_text_is_rejected_with_a_line(text: str) -> None:
    with pytest.raises(ConfigFileError, match=r"^small\.yaml:\d+: "):
        load_text(text, HERE)
