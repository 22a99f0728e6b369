"""Editing, comparing and using a taxonomy: versions, shares, coverage and Label Studio."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.config_file import ConfigFileError
from taxonomy.commands import main
from taxonomy.coverage import coverage
from taxonomy.diff import compare, describe
from taxonomy.editing import add_examples
from taxonomy.examples import Example, language_of
from taxonomy.label_studio import ReviewItem, interface, read_annotations, tasks
from taxonomy.loader import load, load_text
from taxonomy.prompts import read_prompts
from taxonomy.targets import leaf_shares
from taxonomy.tree import ancestor
from tests.taxonomy.small import load_small, write_small, yaml_text

HERE = Path("small.yaml")


# ── edits ──


def test_added_prompts_are_the_only_change(tmp_path: Path) -> None:
    path = write_small(tmp_path)
    before = path.read_text("utf-8")
    examples = [
        Example('how many "dogs": 3 # no?', "looking/counting", "en"),
        Example("几条狗？", "looking/counting", "zh"),
        Example("HOW MANY CATS", "looking/counting", "en"),  # there already
    ]
    assert add_examples(path, examples) == examples[:2]
    after = path.read_text("utf-8")
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.strip()[:3] for line in added] == ['- "', '- "']
    assert [line for line in after.splitlines() if line not in added] == before.splitlines()
    assert load(path).leaves["looking/counting"].prompts.en[-1] == 'how many "dogs": 3 # no?'
    assert after.count("# of counting") == 2
    assert add_examples(path, examples) == []


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=60), min_size=1, max_size=4, unique=True
    )
)
def test_any_prompt_can_be_added(tmp_path_factory: pytest.TempPathFactory, prompts: list[str]) -> None:
    path = write_small(tmp_path_factory.mktemp("edit"))
    examples = [Example(f"{prompt} 7x", "reading/table", language_of(prompt)) for prompt in prompts]
    added = add_examples(path, examples)
    leaf = load(path).leaves["reading/table"].prompts
    assert {" ".join(e.prompt.split()) for e in added} <= {*leaf.en, *leaf.zh}


def test_prompts_in_brackets_are_not_edited(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    text = yaml_text()
    start, end = text.index("          en:  # of print"), text.index("          zh:  # of print")
    path.write_text(text[:start] + "          en: [a1, b1, c1, d1, e1]\n" + text[end:], "utf-8")
    with pytest.raises(ConfigFileError, match="prompts in brackets"):
        add_examples(path, [Example("x y z", "reading/print", "en")])


# ── versions ──


def test_versions_are_compared() -> None:
    old = load_text(yaml_text(), HERE)
    text = yaml_text().replace("      print:", "      transcription:\n        aliases: [reading/print]", 1)
    text = text.replace("belongs_to: reading/print", "belongs_to: reading/transcription")
    renamed = compare(old, load_text(text, HERE))
    assert renamed.renamed == [("reading/print", "reading/transcription")]
    assert (renamed.added, renamed.removed, renamed.moved) == ([], [], [])
    assert renamed.labels["reading/print"] == "reading/transcription"
    without = compare(old, load_text(text.replace("        aliases: [reading/print]\n", ""), HERE))
    assert (without.added, without.removed) == (["reading/transcription"], ["reading/print"])
    assert "become unlabelled" in describe(without)
    group = text.replace("        aliases: [reading/print]\n", "")
    group = group.replace("  looking:", "  seeing:\n    aliases: [looking]")
    group = group.replace("belongs_to: looking/", "belongs_to: seeing/")
    moved = compare(old, load_text(group, HERE))
    assert ("looking/style", "seeing/style") in moved.moved
    assert compare(old, old).is_empty
    reworded = compare(old, load_text(yaml_text().replace("read the text", "read this text", 1), HERE))
    assert reworded.reworded == ["reading/print"]


def test_merged_leaves_take_all_labels_over() -> None:
    old = load_text(yaml_text(), HERE)
    text = yaml_text()
    start, end = text.index("      style:"), len(text)
    text = text[:start] + "\n"
    text = text.replace("      counting:", "      counting:\n        aliases: [looking/style]")
    text = text.replace("belongs_to: looking/style", "belongs_to: reading/print")
    text = text.replace("    share: 0.5\n    nodes:\n      counting", "    share: 0.5\n    nodes:\n      counting")
    head, tail = text.split("      counting:")
    merged = compare(old, load_text(head + "      counting:" + tail.replace("share: 0.5", "share: 1", 1), HERE))
    assert merged.merged == [("looking/counting", ["looking/counting", "looking/style"])]
    assert end


# ── shares and coverage ──


def test_overridden_shares_keep_the_rest_in_proportion() -> None:
    taxonomy = load_text(yaml_text(), HERE)
    shares = leaf_shares(taxonomy, {"reading": 0.8, "reading/print": 0.6})
    assert shares == pytest.approx(
        {"reading/print": 0.6, "reading/table": 0.2, "looking/counting": 0.1, "looking/style": 0.1}
    )
    assert leaf_shares(taxonomy, {}) == pytest.approx(dict.fromkeys(taxonomy.leaves, 0.25))


@given(st.dictionaries(st.sampled_from(["reading", "looking", "reading/print", "looking/style"]), st.floats(0, 0.25)))
def test_shares_sum_to_one(wanted: dict[str, float]) -> None:
    taxonomy = load_text(yaml_text(), HERE)
    shares = leaf_shares(taxonomy, wanted)
    assert all(share >= 0 for share in shares.values())
    everything = {"reading", "looking"} <= set(wanted)
    total = sum(shares.values())
    if not everything:
        inner = [n for n in wanted if "/" in n and ancestor(n, 1) in wanted]
        if not inner:
            assert total == pytest.approx(1)


def test_coverage_lists_the_largest_gap_first() -> None:
    targets = {"a/x": 0.5, "a/y": 0.3, "b": 0.2}
    found = coverage({"a/x": 10, "b": 30, "unlabelled": 99}, targets, {"a/y": ["counting"]})
    rows = [(leaf.use_case, leaf.count, leaf.missing) for leaf in found]
    assert rows == [("a/y", 0, 12), ("a/x", 10, 10), ("b", 30, 0)]
    assert found[0].writers == ("counting",)
    assert coverage({}, targets, {}, wanted=10)[0].missing == 5


# ── Label Studio ──


def review_item(k: int, margin: float, use_case: str = "reading/print") -> ReviewItem:
    return ReviewItem(f"{k:032x}", f"prompt {k}", "answer", use_case, 0.9, "fasttext", "looking/style", margin)


def test_tasks_are_sorted_by_margin() -> None:
    items = [review_item(1, 0.5), review_item(2, -0.4), review_item(3, 0.1, "unlabelled"), review_item(4, 0.9)]
    made = tasks(items, limit=3)
    assert [task["data"]["prompt"] for task in made] == ["prompt 2", "prompt 3", "prompt 1"]
    assert made[0]["predictions"][0]["result"][0]["value"] == {"taxonomy": [["reading", "print"]]}
    assert made[1]["predictions"] == []


def test_the_interface_offers_every_leaf(tmp_path: Path) -> None:
    taxonomy = load_small(tmp_path)
    root = ElementTree.fromstring(interface(taxonomy))
    found: list[str] = []

    def walk(element: ElementTree.Element, prefix: list[str]) -> None:
        for choice in element.findall("Choice"):
            path = [*prefix, choice.attrib["value"]]
            walk(choice, path)
            if not choice.findall("Choice"):
                found.append("/".join(path))

    tree = root.find("Taxonomy")
    assert tree is not None
    walk(tree, [])
    assert found == list(taxonomy.leaves)


def annotated(task: dict[str, Any], *use_cases: str) -> dict[str, Any]:
    annotations = [
        {
            "id": k,
            "updated_at": f"2026-01-0{k + 1}T00:00:00Z",
            "was_cancelled": False,
            "result": [
                {
                    "from_name": "use_case",
                    "to_name": "prompt",
                    "type": "taxonomy",
                    "value": {"taxonomy": [use_case.split("/")]},
                }
            ],
        }
        for k, use_case in enumerate(use_cases)
    ]
    return {"id": 1, "data": task["data"], "annotations": annotations}


def test_choices_come_back_as_corrections_and_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_small(tmp_path)
    made = tasks([review_item(1, 0.1), review_item(2, 0.2), review_item(3, 0.3)])
    cancelled = annotated(made[2], "reading/table")
    cancelled["annotations"][0]["was_cancelled"] = True
    export = tmp_path / "export.json"
    export.write_text(json.dumps([annotated(made[0], "reading/print", "looking/style"), annotated(made[1]), cancelled]))
    corrections = tmp_path / "corrections.jsonl"
    arguments = ["import", str(export), "--taxonomy", str(path), "--corrections", str(corrections), "--add-examples"]
    assert main(arguments) == 0
    assert [json.loads(line) for line in corrections.read_text().splitlines()] == [
        {"id": f"{1:032x}", "use_case": "looking/style"}
    ]
    assert "prompt 1" in load(path).leaves["looking/style"].prompts.en
    said = capsys.readouterr().out
    assert "1 annotations, 1 new" in said
    assert "1 tasks have no choice, and 1 were skipped" in said
    assert main(arguments) == 0
    assert "0 new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON file"),
        ("{}", "expected a list of tasks"),
        ('[{"annotations": [{"result": [{}]}]}]', "does not look like one that we exported"),
        (json.dumps([annotated({"data": {"id": "1", "prompt": "p"}}, "reading/prin")]), "did you mean reading/print"),
    ],
)
def test_other_files_are_rejected(tmp_path: Path, content: str, message: str) -> None:
    export = tmp_path / "export.json"
    export.write_text(content)
    with pytest.raises(ConfigFileError, match=message):
        read_annotations(export, load_small(tmp_path))


def test_every_form_of_export_keeps_all_choices(tmp_path: Path) -> None:
    taxonomy = load_small(tmp_path)
    several = annotated({"data": {"id": "a", "prompt": "p"}}, "reading/print")
    paths = several["annotations"][0]["result"][0]["value"]
    paths["taxonomy"] = [["reading"], ["reading", "print"], ["looking", "style"]]
    smallest: list[dict[str, Any]] = [
        {"id": "b", "prompt": "q", "annotation_id": 1, "updated_at": "1", "use_case": [["reading", "table"]]},
        {
            "id": "b",
            "prompt": "q",
            "annotation_id": 2,
            "updated_at": "2",
            "use_case": {"taxonomy": [["looking", "style"]]},
        },
        {"id": "c", "prompt": "r", "annotation_id": 3, "updated_at": "1"},
    ]
    export = tmp_path / "export.json"
    export.write_text(json.dumps([several, *smallest]))
    found = read_annotations(export, taxonomy)
    assert [(c.sample_id, c.use_case, c.secondary) for c in found.corrections] == [
        ("a", "reading/print", ("looking/style",)),
        ("b", "looking/style", ()),
    ]
    assert found.num_skipped == 1


def test_a_leaf_can_be_split() -> None:
    """The former leaf becomes a branch; one of its leaves takes its labels over, the other some of its prompts."""
    old = load_text(yaml_text(), HERE)
    lines = yaml_text().split("\n")
    start = next(k for k, line in enumerate(lines) if line.startswith("      print:"))
    end = next(k for k in range(start + 1, len(lines)) if lines[k].startswith("      table:"))
    below = ["    " + line for line in lines[start + 1 : end]]
    names = [line for line in lines[start + 1 : end] if line.strip().startswith(("name:", "definition:", "share:"))]
    half = [line.replace("share: 0.5", "share: 1") for line in below]
    branch = ["      print:", *names, "        nodes:", "          page:", *half]
    branch.insert(branch.index("          page:") + 1, "            aliases: [reading/print]")
    text = "\n".join([*lines[:start], *branch, *lines[end:]])
    text = text.replace("belongs_to: reading/print}", "belongs_to: reading/print/page}")
    new = load_text(text, HERE)
    assert new.resolve("reading/print") == "reading/print/page"
    assert compare(old, new).moved == [("reading/print", "reading/print/page")]
    without = load_text(text.replace("            aliases: [reading/print]\n", ""), HERE)
    assert compare(old, without).forgotten == [("reading/print", ["reading/print/page"])]


def test_a_rename_without_an_alias_is_seen() -> None:
    old = load_text(yaml_text(), HERE)
    text = yaml_text().replace("      print:", "      transcription:", 1)
    text = text.replace("belongs_to: reading/print", "belongs_to: reading/transcription")
    found = compare(old, load_text(text, HERE))
    assert found.forgotten == [("reading/print", ["reading/transcription"])]
    assert "write `aliases: [reading/print]` under reading/transcription" in describe(found)


# ── commands ──


@pytest.mark.parametrize("word", ["outt", "./nowhere", "gs://bucket/v1", "papers/out"])
def test_a_folder_is_no_prompt(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["label", word]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{word} looks like a path" in said.err
    assert len(said.err.splitlines()) == 1


def test_prompts_are_read_from_files(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text('\ufeffhow many cats\n\n{"prompt": "有几只猫"}\n', "utf-8")
    assert read_prompts(path) == ["how many cats", "有几只猫"]
    path.write_text('{"promt": "x"}\n')
    with pytest.raises(ConfigFileError, match="expected a prompt"):
        read_prompts(path)
    path.write_text("\n")
    with pytest.raises(ConfigFileError, match="holds no prompt"):
        read_prompts(path)
    with pytest.raises(ConfigFileError, match="cannot be read"):
        read_prompts(tmp_path / "missing.txt")


def test_commands_print_their_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_small(tmp_path)
    assert main(["validate", str(path)]) == 0
    assert "4 leaves, 240 prompts, all well" in capsys.readouterr().out
    assert main(["show", str(path)]) == 0
    assert "counting" in capsys.readouterr().out
    other = tmp_path / "other.yaml"
    other.write_text(yaml_text().replace("share: 0.5", "share: 0.7", 1), "utf-8")
    assert main(["validate", str(other)]) == 1
    assert f"{other}:2: the shares below the groups sum to 1.2; expected 1" in capsys.readouterr().err
    assert main(["diff", str(path), str(path)]) == 0
    assert "labels stay" in capsys.readouterr().out
    assert main(["interface", "--taxonomy", str(path)]) == 0
    assert capsys.readouterr().out.startswith("<View>")
    with pytest.raises(SystemExit) as stop:
        main(["frobnicate"])
    assert stop.value.code == 2
