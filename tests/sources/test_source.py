"""The contract of a source: an open input is sized and indexed, and what cannot be read raises an error."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.base.sample import Provenance, Sample, sample_id
from sources.base.source import InputError, ItemError, Items, file_digest
from sources.ocr.source import Ocr
from sources.pdfs.source import Pdfs
from tests.corpus import write_pdf


def _numbered(num_items: int, asked: list[int]) -> Items:
    def read(item: int) -> Sample:
        asked.append(item)
        if item == 1:
            raise ItemError("odd_item", "item 1 gives no sample", "https://example.org/1")
        return Sample(id=str(item), source="test", provenance=Provenance(locator=f"item={item}", digest="00"))

    return Items(num_items, read)


def test_items_are_read_when_they_are_asked_for() -> None:
    asked: list[int] = []
    items = _numbered(5, asked)
    assert (len(items), asked) == (5, [])
    assert [items[k].id for k in (4, 0, 4)] == ["4", "0", "4"]
    assert asked == [4, 0, 4]


def test_an_item_without_a_sample_raises_and_leaves_the_others() -> None:
    items = _numbered(3, [])
    with pytest.raises(ItemError, match="gives no sample") as error:
        items[1]
    assert (error.value.cause, error.value.uri) == ("odd_item", "https://example.org/1")
    assert items[2].id == "2"


@pytest.mark.parametrize("item", [-1, 3])
def test_items_that_do_not_exist_are_not_read(item: int) -> None:
    asked: list[int] = []
    with pytest.raises(IndexError, match="of an input with 3 items"):
        _numbered(3, asked)[item]
    assert asked == []


def test_ids_come_from_the_digest_given_or_else_from_that_of_the_file(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", 2, "One")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Pdfs().digest_of(path) == sha256
    for digest, expected in ((None, sha256), ("ab" * 32, "ab" * 32)):
        with Pdfs().open(path, digest) as pages:
            assert pages[1].id == sample_id(expected, "page=2")
            assert pages[1].provenance.digest == expected


def test_a_synthetic_source_opens_without_a_file() -> None:
    source = Ocr(seed=5, num_samples=3, side_px=512)
    with source.open() as samples:
        assert len(samples) == 3
        assert samples[2].id == sample_id(source.digest_of(), "number=2")


@pytest.mark.parametrize("read", [file_digest, lambda path: Pdfs().open(path, "00").__enter__()])
def test_a_file_that_is_not_there_says_so(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(InputError, match="No such file") as error:
        read(tmp_path / "gone.pdf")
    assert error.value.cause == "not_found"


def test_an_item_gives_one_sample_or_several() -> None:
    items = _numbered(2, [])
    assert [sample.id for sample in items.samples(0)] == ["0"]
    with pytest.raises(ItemError, match="item 1"):
        items.samples(1)
    several = Items(1, lambda item: items[item], read_all=lambda item: [items[item]] * 3)
    assert (several[0].id, len(several.samples(0))) == ("0", 3)
    with pytest.raises(IndexError, match="item 1 of an input with 1"):
        several.samples(1)
