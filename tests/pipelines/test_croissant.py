"""Croissant: `mlcroissant` loads the description and reads records from the shards."""

import hashlib
import json
import logging
from collections import Counter

import pytest
import small_output

from pipelines.report import card
from pipelines.report.presentation import croissant
from pipelines.storage import Storage

mlcroissant = pytest.importorskip("mlcroissant")


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """(folder, manifest) with two train shards."""
    root = tmp_path_factory.mktemp("croissant") / "out"
    manifest = small_output.build(root, small_output.example_pdfs(), license="CC-BY-4.0", shards=2)
    card.export(Storage(str(root)))
    return root, manifest


def load(root, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=str(root / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    missing = {warning.split('"')[1].rpartition("/")[2] for warning in dataset.metadata.ctx.issues.warnings}
    return dataset, missing


def test_loads_without_errors(output, caplog):
    dataset, missing = load(output[0], caplog)
    assert missing == set()
    assert "not standard" not in caplog.text
    assert dataset.metadata.license == ["https://creativecommons.org/licenses/by/4.0/"]


def test_yields_every_kept_sample_from_the_shards(output, caplog):
    root, manifest = output
    dataset, _ = load(root, caplog)
    records = list(dataset.records(croissant.RECORDS))
    assert len(records) == manifest["samples"]["kept"]
    assert len({record["samples/id"] for record in records}) == len(records)
    for record in records:
        (image,) = record["samples/images"]
        assert max(image.size) == 512
        image.load()
        assert record["samples/text"].decode().startswith("<image>\n")
        assert record["samples/language"] in (b"en", b"zh")
        scores = record["samples/scores"]
        assert {name.rpartition("/")[2] for name in scores} == set(manifest["scores"])
        assert scores["samples/scores/num_chars"] >= 32
        box = record["samples/words"][0]
        assert box["samples/words/x0"] < box["samples/words/x1"]
    splits = Counter(record["samples/split"].decode() for record in records)
    assert splits == {name: split["samples"] for name, split in manifest["splits"].items()}
    uris = {record["samples/provenance"]["samples/provenance/uri"].decode() for record in records}
    assert small_output.HOSTILE_NAME in uris


def test_every_file_is_listed_with_its_digest(output):
    root, manifest = output
    content = json.loads((root / "croissant.json").read_bytes())
    objects = {entry["contentUrl"]: entry for entry in content["distribution"] if "contentUrl" in entry}
    assert objects.keys() == {entry["path"] for entry in manifest["files"]}
    for path, entry in objects.items():
        data = (root / path).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["contentSize"] == f"{len(data)} B"


def test_a_dataset_without_samples_loads(tmp_path, caplog):
    small_output.build(tmp_path, {"blank.pdf": small_output.make_pdf([""])})
    card.export(Storage(str(tmp_path)))
    dataset, missing = load(tmp_path, caplog)
    assert missing == {"license"}  # an unknown licence is not made up
    assert not dataset.metadata.record_sets


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("cc-by-nc-sa-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("Apache-2.0", "Apache-2.0"),
    ],
)
def test_addresses_of_licences(name, url):
    assert croissant.license_url(name) == url
