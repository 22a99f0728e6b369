"""The card: loads in `datasets`, is valid for the hub, adds up, and shows hostile names as text."""

import html.parser
import io
import json
import re
import shutil
from pathlib import Path

import pytest
import small_output
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipelines.recipe_file import build_recipe
from pipelines.report import card
from pipelines.report.presentation.card_columns import FIELDS
from pipelines.report.presentation.escaping import code, markdown, visible
from pipelines.report.presentation.front_matter import hub_license, size_category
from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError
from tests.card_snippets import run_snippets

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Tags(html.parser.HTMLParser):
    """Tags, link targets and text of an HTML fragment."""

    def __init__(self, fragment: str):
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.targets += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """(folder, manifest) of a small dataset with two train shards, and its card."""
    root = tmp_path_factory.mktemp("card") / "out"
    errors = [("papers/mixed.pdf", "unreadable_page")]
    manifest = small_output.build(root, small_output.example_pdfs(), license="CC-BY-4.0", page_errors=errors, shards=2)
    card.export(Storage(str(root)))
    return root, manifest


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    """The `datasets` library, offline and with a separate cache."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    library = pytest.importorskip("datasets")
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return library


def body_of(readme: str) -> str:
    return readme.split("\n---\n", 1)[1]


def cells(readme: str, heading: str) -> list[list[str]]:
    """Rows of the first table below a heading, header left out."""
    section = readme.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.M)[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_datasets_loads_the_folder_as_it_is(output, datasets):
    root, manifest = output
    loaded = datasets.load_dataset(str(root), verification_mode="all_checks")
    assert {name: len(rows) for name, rows in loaded.items()} == {
        name: split["samples"] for name, split in manifest["splits"].items()
    }
    sample = loaded["train"][0]
    assert sample["text"].startswith("<image>\n")
    assert max(sample["images"][0].size) == 512
    assert set(sample["scores"]) == set(manifest["scores"])
    assert len(sample["phash"]) == 32
    assert sample["words"][0].keys() == {"text", "x0", "y0", "x1", "y1", "image"}


def test_datasets_notices_a_wrong_count_in_the_front_matter(output, datasets, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    readme = (root / "README.md").read_text("utf-8")
    (root / "README.md").write_text(
        re.sub(r"num_examples: (\d+)", lambda m: f"num_examples: {int(m[1]) + 1}", readme, count=1), "utf-8"
    )
    with pytest.raises(Exception, match=r"(?i)split"):
        datasets.load_dataset(str(root), verification_mode="all_checks")


def test_datasets_streams_the_folder(output, datasets):
    root, manifest = output
    stream = datasets.load_dataset(str(root), split="train", streaming=True)
    assert sum(1 for _ in stream) == manifest["splits"]["train"]["samples"]


def test_front_matter_is_valid_for_the_hub(output):
    hub = pytest.importorskip("huggingface_hub")
    root, manifest = output
    data = hub.DatasetCard.load(root / "README.md").data
    assert isinstance(data, hub.DatasetCardData)
    assert data.license == "cc-by-4.0"
    assert data.language == ["en", "zh"]
    assert data.size_categories == ["n<1K"]
    assert data.task_categories == ["image-to-text"]  # every kept sample has a text, none has messages
    assert {"document", "ocr", "pdfs"} <= set(data.tags)
    splits = {split["name"]: split["num_examples"] for split in data.dataset_info["splits"]}
    assert splits == {name: split["samples"] for name, split in manifest["splits"].items()}
    patterns = [entry["path"] for entry in data.configs[0]["data_files"]]
    assert all(list(root.glob(pattern)) for pattern in patterns)
    written = yaml.safe_load(data.to_yaml())
    assert written["pretty_name"] == "pdf-pages"


def test_snippets_of_the_card_run(output, datasets):
    root, _ = output
    names = run_snippets(root, num_snippets=3)
    assert max(names["image"].size) == 512
    assert names["encoded"][0].startswith((b"\xff\xd8", b"\x89PNG"))
    assert names["upper"]


def test_account_in_the_card_adds_up(output):
    root, manifest = output
    readme = (root / "README.md").read_text("utf-8")
    rows = cells(readme, "## The account")
    assert [row[0] for row in rows] == ["inputs matched", "pages found", "samples", "kept"]
    for _, whole, parts in rows:
        assert int(whole.strip("*")) == sum(int(part.split()[0]) for part in parts.split("+"))
    reasons = {row[0].strip("`"): row for row in cells(readme, "### Set aside, by reason")}
    counted = manifest["samples"]["rejected"] | manifest["samples"]["duplicates"]
    assert {reason: int(row[2]) for reason, row in reasons.items() if row[2] != "0"} == counted
    assert reasons["blank_page"][1] == "There is next to nothing on its first image. `ink < 0.0005`"
    meanings = [row[1].partition(" `")[0] for row in reasons.values()]
    assert len(set(meanings)) == len(meanings), "two reasons are explained with the same words"
    assert reasons["no_text_layer"][4] == "2"  # one of them is blank first
    causes = {row[0].strip("`"): int(row[1]) + int(row[2]) for row in cells(readme, "### Failures, by cause")}
    assert causes == manifest["failures"]


def test_recipe_in_the_card_is_the_recipe_of_the_run(output):
    root, manifest = output
    text = re.search(r"```yaml\n(.*?)```", (root / "README.md").read_text("utf-8"), re.S)[1]
    assert build_recipe(yaml.safe_load(text)).to_json() == manifest["recipe"]


def test_every_column_is_explained(output):
    from sources.base.sample import dataset_schema

    root, manifest = output
    assert list(FIELDS) == dataset_schema(manifest["scores"], keeps_html=True).names
    rows = cells((root / "README.md").read_text("utf-8"), "## A sample")
    meanings = {name: meaning for name, meaning in FIELDS.items() if name != "html"}  # which no source keeps here
    assert [row[0].strip("`") for row in rows] == list(meanings)
    page = Tags(COMMONMARK.render(body_of((root / "README.md").read_text("utf-8"))))
    for meaning in meanings.values():
        assert meaning.replace("`", "") in page.text  # spaces around code too


def test_hostile_names_stay_text(output, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    manifest = json.loads((root / "manifest.json").read_text("utf-8"))
    manifest["recipe"]["name"] = f"x\n\n# y {small_output.HOSTILE_TEXT} [l](javascript:z)"
    manifest["recipe"]["sources"][0] |= {
        "license": "```\n<b>",
        "input": [small_output.HOSTILE_NAME, "a|b\\|c`"],
    }
    small_output.save_manifest(root, manifest)
    card.export(Storage(str(root)))
    readme = (root / "README.md").read_text("utf-8")
    page = Tags(COMMONMARK.render(body_of(readme)))
    assert not {"script", "b", "svg", "iframe"} & set(page.tags)
    assert page.targets == ["report/thumbnails.jpg", "https://docs.mlcommons.org/croissant/"]
    assert page.text.count("<script>alert('x')</script>") == 2  # as an input, and in the example
    assert page.tags.count("h1") == 1
    assert "\u202e" not in body_of(readme).split("```yaml")[0]
    assert yaml.safe_load(readme.split("---\n")[1])["pretty_name"] == visible(manifest["recipe"]["name"])
    assert all(len(row) == 3 for row in cells(readme, "## A sample"))


@given(st.text(max_size=60))
@example("1. x")
@example("- x")
@example("`a` | b\\")
@example("[a](b) ![c](d) <https://e.f> &lt; ~~g~~ $h$ *i* __j__")
@example("\u202eabc\u0000\ud800")
def test_markdown_shows_any_text_literally(text):
    cell = COMMONMARK.render(f"| a |\n| --- |\n| x {markdown(text)} |\n")
    shown = Tags(cell)
    assert set(shown.tags) == {"table", "thead", "tbody", "tr", "th", "td"}
    wanted = " ".join(f"a x {visible(text)}".split())
    assert " ".join(shown.text.split()) == wanted


@given(st.text(max_size=40).filter(lambda text: visible(text).strip()))
@example("``a`|`")
def test_code_shows_any_text_literally(text):
    shown = Tags(COMMONMARK.render(f"| a |\n| --- |\n| {code(text)} |\n"))
    assert shown.tags.count("code") == 1
    assert " ".join(shown.text.split()) == " ".join(f"a {visible(text)}".split())


def test_unknown_licence_is_said_clearly(tmp_path):
    small_output.build(tmp_path, {"a.pdf": small_output.make_pdf([f"<p>{small_output.ENGLISH}</p>"])})
    card.export(Storage(str(tmp_path)))
    readme = (tmp_path / "README.md").read_text("utf-8")
    assert yaml.safe_load(readme.split("---\n")[1])["license"] == "unknown"
    assert "**The licence is unknown.**" in readme
    assert "licence: unknown" in readme


@pytest.mark.parametrize(
    ("name", "tag"),
    [("CC-BY-4.0", "cc-by-4.0"), ("GPL-3.0-or-later", "gpl-3.0"), ("mit", "mit"), ("My own terms", "other")],
)
def test_licences_get_the_tag_of_the_hub(name, tag):
    assert hub_license(name) == tag


def test_size_categories():
    names = [size_category(10**k) for k in range(2, 13)]
    assert names[:4] == ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M"]
    assert names[-1] == "n>1T"
    assert size_category(999) == "n<1K"


@pytest.mark.parametrize("errors_file", [True, False])
def test_a_dataset_without_samples_has_a_card(tmp_path, errors_file):
    pdfs = {"blank.pdf": small_output.make_pdf(["", ""])}
    manifest = small_output.build(tmp_path, pdfs, errors_file=errors_file)
    assert manifest["samples"]["kept"] == 0
    written = card.export(Storage(str(tmp_path)))
    assert written == ["README.md", "croissant.json", "report/index.html"]
    readme = (tmp_path / "README.md").read_text("utf-8")
    matter = yaml.safe_load(readme.split("---\n")[1])
    assert "default" not in [config["config_name"] for config in matter["configs"]]
    assert "No sample was kept" in readme
    assert "None." in readme


def test_a_dataset_without_inputs_has_a_card(tmp_path):
    small_output.build(tmp_path, {"a.pdf": b"no PDF"})
    card.export(Storage(str(tmp_path)))
    assert "| pages found | **0** |" in (tmp_path / "README.md").read_text("utf-8")


def test_export_needs_no_data_and_gives_the_same_bytes_again(output, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    shutil.rmtree(root / "data")
    for path in ("README.md", "croissant.json", "report/index.html", "report/thumbnails.jpg"):
        (root / path).unlink()
    for path in card.export(Storage(str(root))):
        assert (root / path).read_bytes() == (output[0] / path).read_bytes(), path


def test_export_uses_only_the_storage_it_is_given(output):
    class Memory:
        def __init__(self, root: Path):
            self.files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

        def read_bytes(self, relative):
            if relative not in self.files:
                raise FileNotFoundError(relative)
            return self.files[relative]

        def exists(self, relative):
            return relative in self.files

        def open(self, relative):
            return io.BytesIO(self.files[relative])

        def write_bytes(self, relative, data):
            self.files[relative] = data

    memory = Memory(output[0])
    before = dict(memory.files)
    assert len(card.export(memory)) == 4
    assert memory.files == before


def change(manifest, path, by=1):
    *parents, last = path
    for key in parents:
        manifest = manifest[key]
    manifest[last] += by


@pytest.mark.parametrize(
    "paths",
    [
        [("inputs", "failed")],
        [("items", "found")],
        [("samples", "kept")],
        [("samples", "rejected", "blank_page")],
        [
            ("samples", "total"),
            ("items", "found"),
            ("samples", "rejected", "blank_page"),
        ],  # only the ledger knows
        [("failures", "damaged")],
        [("splits", "train", "samples")],
    ],
)
def test_counts_that_do_not_reconcile_are_refused(output, tmp_path, paths):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    (root / "README.md").unlink()
    manifest = json.loads((root / "manifest.json").read_text("utf-8"))
    for path in paths:
        change(manifest, path)
    small_output.save_manifest(root, manifest)
    with pytest.raises(AccountingError, match="does not reconcile"):
        card.export(Storage(str(root)))
    assert not (root / "README.md").exists()
    assert card.main([str(root)]) == 1


def test_command(output, tmp_path, capsys):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    assert card.main([str(root)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{root}/{path}" for path in ("README.md", "croissant.json", "report/index.html", "report/thumbnails.jpg")
    ]
    assert card.main([str(tmp_path / "nothing")]) == 2
    assert "expected the output folder of a finished run" in capsys.readouterr().err
    (root / "manifest.json").write_text("[]")
    assert card.main([str(root)]) == 1
