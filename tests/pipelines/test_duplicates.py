"""Near duplicates: pairs are found, texts veto, groups do not chain, and the command keeps its promises."""

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.duplicates.bit_sampling import WINDOW, Tables, candidates, distances, side_by_side, to_words
from pipelines.duplicates.contamination import SCHEMA as RUN_SCHEMA
from pipelines.duplicates.contamination import (
    Quote,
    RunIndex,
    counted_runs,
    exceptions_in,
    hits_in,
    quotes_in,
    run_rows,
)
from pipelines.duplicates.fingerprint import FINGERPRINT, fingerprints, from_arrow, to_arrow
from pipelines.duplicates.groups import keep, nearest_kept
from pipelines.duplicates.index import AGAINST, EVALUATION, NEW, Index, Selection, rows_of, write_index
from pipelines.duplicates.search import NEAR_DUPLICATE, SAME_TEXT, SIMILAR_TEXT, TableSlice, find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.duplicates.text import similarity, text_fingerprint, tokens_of
from pipelines.job import Job
from pipelines.overrides import apply_setting
from pipelines.recipe import UsageError
from pipelines.recipe_file import build_recipe
from pipelines.stages import deduplicate, quotes
from pipelines.stages.deduplicate import IndexFile, edges_of, tasks_of
from pipelines.stages.quotes import CountRuns, RunCounts, WriteCommonRuns, hits_path
from pipelines.stages.references import prepare
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table, table_bytes, write_table
from pipelines.tables.verdicts import JudgedUnit
from pipelines.units import Slice, Unit, UnitFiles
from pipelines.workers.evaluation_items import sample_of
from tests.conftest import ROOT, Command
from tests.corpus import digests, prose

pytestmark = pytest.mark.slow

DEFAULT = Dedupe()
ESSAY = [f"word{number * number % 1009}" for number in range(400)]


def page(text: str, *, bar: float = 0.5, figures: int = 6, side: int = 500) -> bytes:
    """A drawn page: a title, lines that depend on the text's length alone, and a bar."""
    with pymupdf.open() as document:
        drawn = document.new_page(width=420, height=594)
        drawn.insert_textbox((40, 40, 380, 560), text, fontsize=9)
        for number in range(figures):
            drawn.draw_rect((60 + 45 * number, 420, 90 + 45 * number, 420 + 100 * bar), fill=(0.2, 0.2, 0.5))
        return bytes(drawn.get_pixmap(dpi=round(72 * side / 594), alpha=False).tobytes("png"))


def records_of(samples: Sequence[tuple[bytes | None, str]]) -> np.ndarray:
    return fingerprints([sample_of(data, text) for data, text in samples])


def rows_in(folder: Path, records: np.ndarray, settings: Dedupe = DEFAULT, kinds: Sequence[int] = ()) -> Index:
    ids = [f"{number:032x}" for number in range(len(records))]
    rows = rows_of(records, ids, np.arange(len(records)), settings)
    rows["kind"] = kinds if len(kinds) else NEW
    write_index(Storage(str(folder)), "rows", rows)
    return Index(Storage(str(folder)), ["rows"], settings)


def pairs_of(edges: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(edges["winner"].tolist(), edges["loser"].tolist(), strict=True))


def hashes_near(num: int, *, seed: int = 0) -> np.ndarray:
    """Random hashes, every second one up to 32 bits from the one before."""
    chance = np.random.default_rng(seed)
    bits = chance.integers(0, 2, (num, 256), np.uint8)
    for k in range(1, num, 2):
        bits[k] = bits[k - 1]
        bits[k, chance.permutation(256)[: chance.integers(0, 33)]] ^= 1
    return np.packbits(bits, axis=1)


def test_nearly_all_pairs_within_the_radius_are_found() -> None:
    hashes = hashes_near(20_000)
    words = to_words(hashes)
    tables = Tables.plan(len(hashes), 256, 32)
    found: set[tuple[int, int]] = set()
    for table in range(tables.num_tables):
        for a, b in candidates(words, tables, table):
            near = distances(hashes, a, b) <= 32
            found |= set(zip(a[near].tolist(), b[near].tolist(), strict=True))
    wanted = {(k - 1, k) for k in range(1, len(hashes), 2)}
    assert found <= wanted
    assert len(found) >= 0.99 * len(wanted)


def test_distances_are_those_of_counted_bits() -> None:
    hashes = np.random.default_rng(1).integers(0, 256, (50, 32), np.uint8)
    a, b = np.arange(49), np.arange(1, 50)
    expected = np.unpackbits(hashes[a] ^ hashes[b], axis=1).sum(axis=1)
    assert (distances(hashes, a, b) == expected).all()


@given(st.lists(st.integers(1, 80), max_size=8), st.randoms(use_true_random=False))
def test_buckets_are_compared_whole_or_in_line_with_their_size(sizes: list[int], chance) -> None:
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    order = list(range(len(bucket)))
    chance.shuffle(order)
    pairs = [(a, b) for x, y in side_by_side(bucket, np.array(order, np.uint32)) for a, b in zip(x, y, strict=True)]
    assert all(a < b for a, b in pairs)
    assert len(pairs) <= WINDOW * len(bucket)
    start = 0
    for size in sizes:
        members = order[start : start + size]
        start += size
        if size <= WINDOW + 1:
            assert {(a, b) for a in members for b in members if a < b} <= set(pairs)
        assert {(min(members), member) for member in members if member != min(members)} <= set(pairs)


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=60))
def test_stars_keep_what_no_kept_one_stands_for_and_nothing_else(pairs: list[tuple[int, int]]) -> None:
    ends = np.array([(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    kept = keep(ends[:, 0], ends[:, 1], 20)
    expected: list[bool] = []
    for node in range(20):  # one after the other, the best first
        expected.append(not any(expected[winner] for winner, loser in ends.tolist() if loser == node))
    assert kept.tolist() == expected


def test_groups_do_not_chain() -> None:
    assert keep(np.array([0, 1]), np.array([1, 2]), 3).tolist() == [True, False, True]


def test_copies_are_found_and_the_best_is_kept(tmp_path: Path) -> None:
    text = " ".join(ESSAY)
    small, large = page(text, side=400), page(text, side=800)
    image = Image.open(io.BytesIO(large)).convert("RGB")
    buffer = io.BytesIO()
    image.crop((17, 24, image.width - 17, image.height - 24)).save(buffer, "JPEG", quality=40)
    other = page(" ".join(reversed(ESSAY)), figures=2, bar=1.0)
    records = records_of([(small, text), (large, text), (buffer.getvalue(), text), (other, " ".join(reversed(ESSAY)))])
    rows = rows_in(tmp_path, records)
    chosen = nearest_kept(find_edges(rows, Dedupe()), rows)
    assert pairs_of(chosen) == {(1, 0), (1, 2)}
    assert (chosen["reason"] == NEAR_DUPLICATE).all()


def test_the_same_form_filled_in_differently_is_kept_twice(tmp_path: Path) -> None:
    first = "Application form. Name: Ada. City: London. Year: 1843. " + " ".join(ESSAY[:30])
    second = "Application form. Name: Alan. City: Wilmslow. Year: 1950. " + " ".join(ESSAY[200:230])
    records = records_of([(page("same picture"), first), (page("same picture"), second), (page("same picture"), "")])
    edges = find_edges(rows_in(tmp_path, records), Dedupe())
    assert (0, 1) not in pairs_of(edges)
    assert {loser for _, loser in pairs_of(edges)} == {2}  # without a text the picture alone decides


def test_short_texts_are_equal_or_different(tmp_path: Path) -> None:
    texts = [f"Page {k} says nothing special, in a sentence that is long enough to be kept." for k in range(40)]
    records = records_of([(page("same picture"), text) for text in [*texts, texts[7].upper()]])
    assert pairs_of(find_edges(rows_in(tmp_path, records), Dedupe())) == {(7, 40)}


def test_plain_pictures_need_equal_texts_or_equal_bytes(tmp_path: Path) -> None:
    def blank(grey: int, mark: int = 0) -> bytes:
        image = Image.new("L", (300, 400), grey)
        image.paste(0, (140, 385, 140 + mark, 390))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    samples = [
        (blank(255), ""), (blank(255), ""), (blank(40), ""),  # paper twice, and a dark card: its hash is the same
        (blank(255, 8), "7"), (blank(255, 9), "7"), (blank(255, 8), "8"),
    ]  # fmt: skip
    edges = find_edges(rows_in(tmp_path, records_of(samples)), Dedupe())
    assert pairs_of(edges) == {(0, 1), (3, 4)}


def test_texts_without_pictures(tmp_path: Path) -> None:
    changed = [*ESSAY[:200], "something", "else", *ESSAY[202:]]
    texts = [" ".join(ESSAY), "  ".join(ESSAY).upper() + "!", " ".join(changed), " ".join(ESSAY[::-1]), "", ""]
    edges = find_edges(rows_in(tmp_path, records_of([(None, text) for text in texts])), Dedupe())
    found = {(min(a, b), max(a, b)): reason for a, b, reason in edges[["winner", "loser", "reason"]].tolist()}
    assert found[0, 1] == SAME_TEXT
    assert SIMILAR_TEXT in (found.get((0, 2)), found.get((1, 2)))
    assert not {number for pair in found for number in pair} & {3, 4, 5}


def test_references_come_first_and_evaluation_sets_before_all(tmp_path: Path) -> None:
    text = " ".join(ESSAY)
    records = records_of([(page(text, side=side), text) for side in (800, 600, 500)])
    rows = rows_in(tmp_path, records, kinds=[NEW, AGAINST, NEW])
    assert pairs_of(nearest_kept(find_edges(rows, Dedupe()), rows)) == {(1, 0), (1, 2)}
    rows = rows_in(tmp_path, records, kinds=[NEW, AGAINST, EVALUATION])
    edges = find_edges(rows, Dedupe())
    assert pairs_of(nearest_kept(edges, rows)) == {(2, 0)}
    assert pairs_of(nearest_kept(edges, rows, dedupe=False)) == {(2, 0)}


@pytest.mark.parametrize("best", [NEW, AGAINST, EVALUATION])
@pytest.mark.parametrize("rows_at_once", [2, 3, 4, 100])
def test_equal_samples_share_what_is_found_for_one(tmp_path: Path, best: int, rows_at_once: int) -> None:
    text = " ".join(ESSAY)
    small = page(text, side=600)
    records = records_of([(page(text, side=800), text), (small, text), (small, text), (small, text)])
    rows = rows_in(tmp_path, records, kinds=[best, NEW, NEW, NEW])
    (task,) = tasks_of([IndexFile("", 4, -1)], Dedupe())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deduplicate, "rows_per_task", lambda settings: rows_at_once)
        edges = np.concatenate(list(edges_of(rows, task, Dedupe())))
    assert pairs_of(nearest_kept(edges, rows)) == {(0, 1), (0, 2), (0, 3)}
    leaked = pairs_of(nearest_kept(edges, rows, dedupe=False))
    assert leaked == ({(0, 1), (0, 2), (0, 3)} if best == EVALUATION else set())


@pytest.mark.parametrize("kind", [AGAINST, EVALUATION])
def test_equal_references_are_not_set_aside(tmp_path: Path, kind: int) -> None:
    text = " ".join(ESSAY)
    records = records_of([(page(text), text)] * 3)
    rows = rows_in(tmp_path, records, kinds=[kind, kind, NEW])
    ((_, loser),) = pairs_of(nearest_kept(find_edges(rows, Dedupe()), rows))
    assert loser == 2


@pytest.mark.parametrize("kind", ["phash", "dhash"])
@pytest.mark.parametrize("bits", [64, 256])
def test_slices_and_blocks_find_what_the_whole_finds(
    tmp_path: Path, kind: Literal["phash", "dhash"], bits: Literal[64, 256]
) -> None:
    settings = Dedupe(hash=kind, bits=bits)
    records = np.zeros(400, FINGERPRINT)
    records["has_image"], records["detail"], records["flatness"] = 1, 20, 0.7
    near = hashes_near(400)[:, : bits // 8]
    records[settings.hash_name] = near
    records[f"{settings.hash_name}_inset"] = near[::-1]
    rows = rows_in(tmp_path, records, settings)
    whole = pairs_of(find_edges(rows, settings))
    assert len(whole) > 100
    slices = [find_edges(rows, settings, TableSlice(number, 3)) for number in range(3)]
    assert set().union(*map(pairs_of, slices)) == whole
    across = pairs_of(find_edges(rows, settings, border=150))
    assert across == {(a, b) for a, b in whole if (a < 150) != (b < 150)}


def large(folder: Path, settings: Dedupe) -> tuple[Index, set[tuple[int, int]]]:
    """An index of four files with thousands of pairs of pictures, of texts and of plain pages, and the pairs."""
    records = np.zeros(6_400, FINGERPRINT)
    records[settings.hash_name][:5_000] = hashes_near(5_000, seed=3)
    records[f"{settings.hash_name}_inset"][:5_000] = np.random.default_rng(4).integers(0, 256, (5_000, 32), np.uint8)
    records["has_image"][:5_200] = 1
    records["detail"][:5_000] = 9
    records["text"][5_000:5_200, 0] = np.repeat(np.arange(1, 101), 2)  # of plain pictures: equal texts
    records["num_tokens"][5_000:] = 50
    sketches = np.random.default_rng(5).integers(0, 256, (600, 128), np.uint8)
    records["sketch"][5_200:] = np.repeat(sketches, 2, axis=0)
    records["text"][5_200:, 1:3] = np.random.default_rng(6).integers(1, 256, (1_200, 2), np.uint8)
    ids = [f"{number:032x}" for number in range(len(records))]
    rows = rows_of(records, ids, np.arange(len(records)), settings)
    storage, paths = Storage(str(folder)), [f"{number}.rows" for number in range(4)]
    for path, piece in zip(paths, np.array_split(rows, 4), strict=True):
        write_index(storage, path, piece)
    wanted = {(k, k + 1) for k in range(0, len(records), 2)}
    return Index(storage, paths, settings, [len(piece) for piece in np.array_split(rows, 4)]), wanted


def searched(index: Index, settings: Dedupe) -> set[tuple[int, int]]:
    """All pairs of all tasks, the smaller place first."""
    files = [IndexFile("", len(index), -1)]
    edges = [found for task in tasks_of(files, settings) for found in edges_of(index, task, settings)]
    return {(min(pair), max(pair)) for pair in pairs_of(np.concatenate(edges))}


def test_partitions_find_what_one_task_finds(tmp_path: Path) -> None:
    settings = Dedupe(text_similarity=0.99, views=False)
    index, wanted = large(tmp_path, settings)
    whole = searched(index, settings)
    assert len(wanted - whole) <= 0.01 * len(wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deduplicate, "BYTES_PER_ROW", 2_000_000)  # 1,000 rows in a task
        assert len(list(tasks_of([IndexFile("", len(index), -1)], settings))) > 100
        parts = searched(index, settings)
    assert parts <= whole | wanted
    assert len(wanted - parts) <= 0.01 * len(wanted)


def test_a_crowded_partition_is_compared_by_blocks(tmp_path: Path) -> None:
    records = np.zeros(300, FINGERPRINT)
    records["has_image"] = 1
    records["detail"] = 9
    records["phash"] = 7  # all of them one picture
    settings = Dedupe(views=False)
    index, sizes = rows_in(tmp_path, records, settings), []

    def watched(rows: Selection, *arguments: Any, **options: Any) -> np.ndarray:
        sizes.append(len(rows.column("kind")))
        return find_edges(rows, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deduplicate, "BYTES_PER_ROW", 20_000_000)  # 100 rows in a task
        patch.setattr(deduplicate, "find_edges", watched)
        found = searched(index, settings)
    assert max(sizes) <= 100
    assert {(0, number) for number in range(1, 300)} <= found


@given(st.lists(st.binary(min_size=FINGERPRINT.itemsize, max_size=FINGERPRINT.itemsize), max_size=5), st.integers(0, 2))
def test_fingerprints_survive_their_column(records: list[bytes], start: int) -> None:
    column = to_arrow(np.frombuffer(b"".join(records), FINGERPRINT))
    found = from_arrow(pa.chunked_array([column.slice(start), column]), FINGERPRINT)
    assert found.tobytes() == b"".join(records[start:] + records)


def test_similarity_is_about_the_share_of_common_triples() -> None:
    for num_changed in (0, 40, 120):
        other = [f"new{k}" for k in range(num_changed)] + ESSAY[num_changed:]
        first, second = ({" ".join(w[k : k + 3]) for k in range(len(w) - 2)} for w in (ESSAY, other))
        a, b = text_fingerprint(" ".join(ESSAY)), text_fingerprint(" ".join(other))
        exact = len(first & second) / len(first | second)
        assert similarity(a["sketch"], b["sketch"])[0] == pytest.approx(exact, abs=0.12)


def test_texts_are_compared_with_all_sets_at_once(tmp_path: Path) -> None:
    passages = [" ".join(ESSAY[:40]), " ".join(ESSAY[30:80])]
    indexes = []
    for number, passage in enumerate([*passages, "too short"]):
        (tmp_path / str(number)).mkdir()
        indexes.append(index_of(tmp_path / str(number), [passage]))
    texts = [" ".join(ESSAY), "nothing of them", passages[1]]
    together = hits_in(texts, indexes)
    for number, index in enumerate(indexes):
        mine = together.filter(pa.compute.equal(together["reference"], number)).drop_columns(["reference"])
        assert mine.equals(hits_in(texts, [index]).drop_columns(["reference"]))
    assert [row for row in together["row"].to_pylist() if row == 1] == []
    assert set(together["reference"].to_pylist()) == {0, 1}
    assert len(hits_in(texts, [])) == 0


def test_pictures_without_texts_have_no_runs(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Image.linear_gradient("L").save(tmp_path / "pictures" / "a.png")
    content: dict[str, Any] = {"sources": [{"type": "pdfs"}]}
    apply_setting(content, f"decontaminate=['{tmp_path / 'pictures'}']")
    storage = Storage(str(tmp_path / "out"))
    _, (reference,) = prepare(build_recipe(content), storage, "run")
    assert (reference.num_items, reference.runs) == (1, "")


def test_tokens_are_words_and_single_characters_where_no_spaces_stand() -> None:
    assert tokens_of("Ｆｕｌｌ-width, CASE. 每一页abc都") == ["full", "width", "case", "每", "一", "页", "abc", "都"]


def index_of(folder: Path, texts: Sequence[str], exceptions: str = "") -> RunIndex:
    rows = [{**row, "item": item} for item, text in enumerate(texts) for row in run_rows([text])]
    table = pa.Table.from_pylist(rows, schema=RUN_SCHEMA.append(pa.field("item", pa.uint32())))
    write_table(counted_runs(table, exceptions_in(exceptions)), folder / "runs")
    return RunIndex(folder / "runs")


def quote_in(index: RunIndex, text: str, common: Sequence[int] = ()) -> Quote | None:
    found = quotes_in(hits_in([text], [index]), np.array(common, np.uint64), index)
    return found[0][1] if found else None


def test_a_share_of_the_text_is_contamination(tmp_path: Path) -> None:
    licence = " ".join(f"permission{k} is" for k in range(12))
    passage = " ".join(ESSAY[:60])
    index = index_of(tmp_path, [passage, f"{licence} {' '.join(ESSAY[100:160])}", "Too short to be a leak."])
    changed = " ".join("other" if k % 8 == 3 else word for k, word in enumerate(ESSAY[:60]))
    for quoted in (passage, changed, f"before {passage.upper()} after", "\n".join(ESSAY[:40])):
        found = quote_in(index, quoted)
        assert found is not None
        assert (found.item, found.share >= 0.4) == (0, True)
    quote = quote_in(index, changed)
    assert quote is not None
    assert quote.words.startswith(f"{ESSAY[4]} {ESSAY[5]}".casefold())
    assert "…" in quote.words
    assert "other" not in quote.words.split()
    runs = hits_in([passage], [index])["run"].to_numpy()
    assert quote_in(index, passage, runs[:50]) is None, "runs of the whole corpus count"
    assert quote_in(index, f"This page has a licence: {licence}.") is None
    assert quote_in(index, " ".join(ESSAY[:12])) is None
    assert quote_in(index, "Too short to be a leak.") is None
    every_other = " ".join("other" if k % 2 else word for k, word in enumerate(ESSAY[:60]))
    assert quote_in(index, every_other) is None
    assert quote_in(index_of(tmp_path, [passage], exceptions=passage), passage) is None


@pytest.mark.parametrize("at_once", [1, 1000])
def test_runs_that_many_documents_have_are_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(quotes, "MERGED_AT_ONCE", at_once)
    storage = Storage(str(tmp_path))
    for path, counts in {"a": {7: 8, 9: 5}, "b": {7: 4, 9: 4, 11: 10}, "c": {7: 1}}.items():
        table = pa.table({"run": pa.array(counts, pa.uint64()), "documents": pa.array(counts.values(), pa.uint64())})
        storage.write_bytes(path, table_bytes(table))
    step = WriteCommonRuns(Job(recipe="", output=str(tmp_path), run="run"))
    for num_documents, common in ((10, [7, 11]), (11_000, [7]), (20_000, [])):
        ranges = [RunCounts(num_documents, "b"), RunCounts(0, ""), RunCounts(5, "a"), RunCounts(7, "c")]
        (path,) = step.process(b"", ranges)
        assert read_table(storage, path)["run"].to_pylist() == common


def test_a_range_counts_a_document_once_for_all_of_its_pages(tmp_path: Path) -> None:
    recipe = build_recipe({"sources": [{"type": "pdfs"}]})
    job, storage = Job(recipe=json.dumps(recipe.to_json()), output=str(tmp_path), run="run"), Storage(str(tmp_path))
    first, second = ("a" * 64, "b" * 64)
    judged = []
    for slices, rows, runs in (
        ((Slice(first, 0, 2, "a.pdf", "", ()), Slice(second, 0, 1, "b.pdf", "", ())), [0, 1, 2, 2], [7, 7, 7, 9]),
        ((Slice(first, 2, 4, "a.pdf", "", ()),), [0, 1], [7, 8]),
    ):
        unit = Unit(0, slices)
        pages = [(number, page) for number, each in enumerate(slices) for page in range(each.first, each.last)]
        scored = {"slice": [number for number, _ in pages], "locator": [f"page={page + 1}" for _, page in pages]}
        scored |= {"id": [f"{page}" for _, page in pages], "flags": [[] for _ in pages]}
        storage.write_bytes(UnitFiles.of(recipe, unit).scores, table_bytes(pa.table(scored)))
        hits = pa.table({"row": pa.array(rows, pa.uint32()), "run": pa.array(runs, pa.uint64())})
        storage.write_bytes(hits_path("run", unit), table_bytes(hits))
        judged.append(JudgedUnit(unit, ((),) * len(pages), tuple(range(len(pages))), num_hits=len(hits)))
    ((num_documents, path),) = CountRuns(job).work((3, judged))
    assert num_documents == 2
    assert read_table(storage, path).to_pydict() == {"run": [7, 8, 9], "documents": [2, 1, 1]}


def test_what_many_texts_of_a_set_share_does_not_count(tmp_path: Path) -> None:
    template = "Look at the picture and answer the question with a single word or a short phrase"
    index = index_of(tmp_path, [f"{template}: {ESSAY[k]} {ESSAY[k + 1]}" for k in range(12)])
    assert quote_in(index, f"{template} about something else") is None


def test_quotes_in_chinese_are_found(tmp_path: Path) -> None:
    chinese = "每一页都只渲染一次文字与图像保持对应数据的质量决定了模型能学到什么因此"
    index = index_of(tmp_path, [chinese])
    assert quote_in(index, "，".join(chinese)) is not None
    assert quote_in(index, chinese[::-1]) is None


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"radius": 100}, "radius must be between 0 and 85"),
        ({"bits": 64, "radius": 22}, "between 0 and 21"),
        ({"text_similarity": 0}, "text_similarity"),
        ({"min_detail": 7}, "min_detail must be between 0 and 6"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Dedupe(**wrong)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of four pages, the same one with less margin, and another of three."""
    folder = tmp_path_factory.mktemp("library")
    for name, seeds in (("first", range(4)), ("other", range(10, 13))):
        with pymupdf.open() as document:
            for seed in seeds:
                document.new_page().insert_textbox(
                    (72, 72, 520, 780), "\n".join(prose(str(seed), 30 + seed % 7)), fontsize=10 + seed % 3
                )
            document.save(folder / f"{name}.pdf", no_new_id=True)
    with pymupdf.open(folder / "first.pdf") as document:
        for drawn in document:
            box = drawn.rect
            drawn.set_cropbox(pymupdf.Rect(box.x0 + 5, box.y0 + 7, box.x1 - 5, box.y1 - 7))
        document.save(folder / "cropped.pdf", no_new_id=True)
    return folder


@pytest.fixture(scope="module")
def out(library: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    result = command("--input", library, "--output", folder, "--set", "items_per_unit=2", "--workers", 2)
    assert result.returncode == 0, result.stderr
    return folder


def ledger_of(out: Path) -> list[dict]:
    return pq.read_table(out / "ledger").to_pylist()


def test_the_ledger_names_the_kept_sample_and_how_far_it_is(out: Path) -> None:
    rows = {row["id"]: row for row in ledger_of(out)}
    duplicates = [row for row in rows.values() if row["verdict"] == "duplicate"]
    assert len(duplicates) == 4
    for row in duplicates:
        kept = rows[row["duplicate_of"]]
        assert (row["reason"], kept["verdict"]) == ("near_duplicate", "kept")
        assert row["locator"] == kept["locator"]
        assert row["distance"] <= 48
        assert row["similarity"] >= 0.8
    counts = json.loads((out / "manifest.json").read_text())["samples"]
    assert (counts["kept"], counts["duplicates"]) == (7, {"near_duplicate": 4})
    assert pq.read_table(out / "data").num_rows == 7


def test_one_worker_gives_the_same_bytes(out: Path, library: Path, command: Command, tmp_path: Path) -> None:
    result = command("--input", library, "--output", tmp_path, "--set", "items_per_unit=2", "--workers", 1)
    assert result.returncode == 0, result.stderr
    assert digests(tmp_path) == digests(out)


def test_the_report_shows_groups_side_by_side(out: Path) -> None:
    html = (out / "report" / "index.html").read_text()
    assert html.count('class="cluster"') == 4
    section = html[html.index('id="duplicates"') : html.index('id="scores"')]
    assert section.count("<img") == 8


def test_changed_settings_make_no_part_and_no_score_again(library: Path, command: Command, tmp_path: Path) -> None:
    arguments = ["--input", library, "--output", tmp_path, "--set", "items_per_unit=2"]
    assert command(*arguments).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".staging/*/*/*/*.arrow")}
    result = command(*arguments, "--set", "dedupe.hash=dhash", "--set", "dedupe.radius=0")
    assert result.returncode == 0, result.stderr
    assert "0 parts made" in result.stdout
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob(".staging/*/*/*/*.arrow")} == before
    off = command(*arguments, "--set", "dedupe=null")
    assert off.returncode == 0, off.stderr
    assert "11 kept" in off.stdout


def test_a_corpus_grows_against_an_earlier_output(out: Path, library: Path, command: Command, tmp_path: Path) -> None:
    result = command("--input", library / "cropped.pdf", "--output", tmp_path, "--set", f"dedupe.against=[{out}]")
    assert result.returncode == 0, result.stderr
    rows = ledger_of(tmp_path)
    kept = {row["id"] for row in ledger_of(out) if row["verdict"] == "kept"}
    assert {row["verdict"] for row in rows} == {"duplicate"}
    assert {row["duplicate_of"] for row in rows} <= kept
    html = (tmp_path / "report" / "index.html").read_text()
    section = html[html.index('id="duplicates"') : html.index('id="scores"')]
    groups = section.split('class="cluster"')[1:]
    assert groups
    assert all(group.count("<img") == 2 and "kept in another output" in group for group in groups)
    assert str(out) in (tmp_path / "README.md").read_text()


def test_evaluation_sets_do_not_leak(library: Path, command: Command, tmp_path: Path) -> None:
    evaluation = tmp_path / "evaluation"
    (evaluation / "pictures").mkdir(parents=True)
    with pymupdf.open(library / "first.pdf") as document:
        document[1].get_pixmap(dpi=60).save(evaluation / "pictures" / "leak.png")
    with pymupdf.open(library / "other.pdf") as document:
        run = " ".join(document[2].get_text().split()[40:55])
    columns = {"question": ["A question that nobody asked before", f"What follows this: {run}?"]}
    pq.write_table(pa.table(columns), evaluation / "set.parquet")
    result = command("--input", library, "--output", tmp_path / "out", "--set", f"decontaminate=[{evaluation}]")
    assert result.returncode == 0, result.stderr
    found = {
        (Path(row["uri"]).name, row["locator"]): row["duplicate_of"]
        for row in ledger_of(tmp_path / "out")
        if row["reason"] == "contaminated"
    }
    picture = str(evaluation / "pictures" / "leak.png")
    assert found == {
        ("first.pdf", "page=2"): picture,
        ("cropped.pdf", "page=2"): picture,
        ("other.pdf", "page=3"): f"{evaluation / 'set.parquet'}#row=1",
    }
    words = [row["matched_words"] for row in ledger_of(tmp_path / "out") if row["matched_words"]]
    assert words == [run.casefold().replace(".", "")]
    counts = json.loads((tmp_path / "out" / "manifest.json").read_text())["samples"]
    assert counts["rejected"] == {"contaminated": 3}
    assert "leak.png" in (tmp_path / "out" / "README.md").read_text()


def test_wrong_references_are_named_before_the_work_starts(library: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "noise.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    (tmp_path / "empty").mkdir()
    pq.write_table(pa.table({"question": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    pq.write_table(pa.table({"number": [1]}), tmp_path / "numbers.parquet")
    old = {"inputs": {"matched": 0, "read": 0, "failed": 0}, "items": {"noun": "page", "found": 0, "failed": 0}}
    old |= {"samples": {"total": 0, "kept": 0, "rejected": {}, "duplicates": {}}, "splits": {}, "failures": {}}
    Storage(str(tmp_path / "old")).write_bytes("manifest.json", json.dumps({**old, "files": []}).encode())
    storage = Storage(str(tmp_path / "out"))
    for setting, place, expected in (
        ("decontaminate", "broken", "noise.png: the image cannot be decoded"),
        ("decontaminate", "empty", "empty: nothing to compare with"),
        ("decontaminate", "empty.parquet", "empty.parquet: it holds no rows"),
        ("decontaminate", "numbers.parquet", "numbers.parquet: it has neither a column"),
        ("dedupe.against", "nowhere", "nowhere: nothing to compare with"),
        ("dedupe.against", "old", "hashes of another kind"),
        ("dedupe.against", "out", "is the output of this run"),
    ):
        content = {"sources": [{"type": "pdfs"}]}
        apply_setting(content, f"{setting}=['{tmp_path / place}']")
        with pytest.raises(UsageError, match=expected) as raised:
            prepare(build_recipe(content), storage, "run")
        assert str(raised.value).startswith(setting)
    result = command(
        "--input", library, "--output", tmp_path / "out", "--set", f"decontaminate=[{tmp_path / 'broken'}]"
    )
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "noise.png" in result.stderr
    assert not storage.exists("manifest.json")


def test_the_command_prints_groups_and_changes_nothing(out: Path, library: Path, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-m", "pipelines.duplicates", *map(str, arguments)]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    before = digests(out)
    groups = [json.loads(line) for line in run(out, "--json").stdout.splitlines()]
    assert len(groups) == 4
    assert all(len(group["duplicates"]) == 1 for group in groups)
    assert digests(out) == before
    with pymupdf.open(library / "first.pdf") as document:
        for dpi in (60, 90):
            document[0].get_pixmap(dpi=dpi).save(tmp_path / f"{dpi}.png")
    printed = run(tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "2 samples: 1 duplicate in 1 group" in printed.stdout
    assert printed.stdout.startswith(str(tmp_path / "90.png"))
    assert run(tmp_path / "nowhere").returncode == 2
    assert run(tmp_path, "--radius", "200").returncode == 2
