"""Figures of variety: what repeats is counted, and an output that outgrows its pool is named."""

from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.report.presentation.variety import Variety, read_variety, variety_rows, variety_warnings
from pipelines.storage import Storage

WORDS = [
    f"{first}{last}" for first in ("bar", "cor", "del", "fen", "gal", "hum") for last in ("ton", "mer", "ina", "ole")
]


def _text(random: Random, num_sentences: int = 5) -> str:
    return " ".join(" ".join(random.choices(WORDS, k=9)).capitalize() + "." for _ in range(num_sentences))


def test_words_sentences_and_contents_are_counted() -> None:
    variety = Variety()
    variety.add("<image>\n# A title of some length\n\nThe ferry leaves at nine. 渡船九点开，坐满就走。", "a")
    variety.add("The ferry leaves at nine. Nobody knows why.", "b")
    variety.add("The ferry leaves at nine. Nobody knows why.", "b")
    found = variety.figures()
    assert (found.num_samples, found.num_word_types) == (3, 13)
    assert found.num_character_types == 9
    assert found.repeated_sentences == 3 / 6
    assert found.repeated_contents == 1 / 3
    assert found.labels == {"a": 1, "b": 2}
    assert 0.9 < found.label_balance < 1


def test_a_text_with_a_word_replaced_nearly_repeats_another_one() -> None:
    random = Random(1)
    texts = [_text(random) for _ in range(40)]
    variety = Variety()
    for text in texts:
        variety.add(text)
    assert variety.figures().near_duplicates == 0
    for text in texts[:10]:
        variety.add(text.replace(text.split()[4], "changed", 1))
    assert variety.figures().near_duplicates == 10 / 50


def test_an_output_that_outgrows_its_pool_is_named(tmp_path: Path) -> None:
    random = Random(2)
    pool = [_text(random) for _ in range(20)]
    rows = [
        {"source": source, "text": text, "messages": None, "label": {"use_case": "x"}}
        for source, texts in (("ocr", random.choices(pool, k=90)), ("charts", [_text(random) for _ in range(90)]))
        for text in texts
    ]
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data/a.parquet")
    manifest = {
        "recipe": {"sources": [{"type": "ocr"}, {"type": "charts"}, {"type": "pdfs"}]},
        "splits": {"train": {}},
        "files": [{"table": "train", "path": "data/a.parquet"}],
    }
    found = read_variety(Storage(str(tmp_path)), manifest)
    assert {name: figures.num_samples for name, figures in found.items()} == {"ocr": 90, "charts": 90}
    assert [row["source"] for row in variety_rows(found)] == ["ocr", "charts"]
    assert all(sentence.startswith("ocr: The output outgrows its pool") for sentence in variety_warnings(found))
    assert len(variety_warnings(found)) == 3
