"""Lanes: streams that continue anywhere, keep the wanted shares, and leave nothing out."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deepseek_vl.train.dataset import Dataset
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.lanes import Component, EmptyMixtureError, Lane, PackedSequence
from deepseek_vl.train.mixture import Mixture
from deepseek_vl.train.settings import DataSettings, DataSource, OptimizationSettings
from tests.deepseek_vl.train.data_files import PROCESSOR, conversation_row, image_row, text_row, write


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    folder = tmp_path_factory.mktemp("lanes")
    write(folder / "text", [text_row(k, words=k % 40) for k in range(83)], shards=2)
    write(folder / "pages", [image_row(k, words=k % 30) for k in range(57)])
    return [Dataset(str(folder / name)) for name in ("text", "pages")]


def lane(datasets: list[Dataset], weights: tuple[float, ...] = (1.0, 1.0), **changes: Any) -> Lane:
    settings: dict[str, Any] = {
        "lane": 0,
        "num_lanes": 1,
        "max_tokens": 96,
        "max_images": 2,
        "packed": True,
        "rows_per_block": 20,
        "seed": "0",
        **changes,
    }
    components = [Component(d, w, k) for k, (d, w) in enumerate(zip(datasets, weights, strict=False))]
    encoder = ExampleEncoder(
        PROCESSOR, max_tokens=settings["max_tokens"], max_images=settings["max_images"], too_long="split"
    )
    return Lane(components, encoder, **settings)


def tokens(sequence: PackedSequence) -> list[list[int]]:
    return [example.tokens.tolist() for example in sequence.examples]


@pytest.mark.parametrize("packed", [True, False])
def test_a_stream_continues_from_any_point(datasets: list[Dataset], packed: bool) -> None:
    one = lane(datasets, packed=packed)
    states, sequences = [], []
    for _ in range(70):
        states.append(json.dumps(one.state()))
        sequences.append(tokens(one.next()))
    for start in (0, 1, 15, 16, 17, 33, 69):
        other = lane(datasets, packed=packed)
        other.restore(json.loads(states[start]))
        assert [tokens(other.next()) for _ in range(70 - start)] == sequences[start:]


def test_lanes_together_give_every_sample_once_an_epoch(datasets: list[Dataset]) -> None:
    seen: Counter[str] = Counter()
    for number in range(3):
        one = lane(datasets[1:], (1.0,), lane=number, num_lanes=3, packed=False)
        for _ in range(19):
            (example,) = one.next().examples
            seen[PROCESSOR.decode(example.tokens)] += 1
    assert len(seen) == 57
    assert set(seen.values()) == {1}


def test_tokens_follow_the_weights_over_a_thousand_sequences(datasets: list[Dataset]) -> None:
    one = lane(datasets, (3.0, 1.0), max_tokens=400, max_images=8)
    counts: Counter[int] = Counter()
    num_tokens = 0
    for _ in range(1000):
        sequence = one.next()
        num_tokens += sequence.num_tokens
        for example in sequence.examples:
            counts[example.dataset] += len(example)
    assert counts[0] / counts.total() == pytest.approx(0.75, abs=0.002)
    assert 1 - num_tokens / (1000 * 400) < 0.03
    assert min(one.epochs()) > 3


def test_a_mixture_without_samples_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", [text_row(0), text_row(1)])
    empty = lane([Dataset(str(folder), where="agreement > 5")], (1.0,))
    with pytest.raises(EmptyMixtureError, match="nothing to learn"):
        empty.next()
    with pytest.raises(EmptyMixtureError, match="fewer rows than there are lanes"):
        lane([Dataset(str(folder))], (1.0,), lane=5, num_lanes=8)


def test_a_conversation_that_is_too_long_is_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", [conversation_row(0), text_row(1)])
    one = lane([Dataset(str(folder))], (1.0,))
    one.next()
    assert one.skipped["too_long"] > 0


def test_processes_that_cannot_share_the_lanes_are_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", [text_row(k) for k in range(9)])
    mixture = Mixture(DataSettings(sources=(DataSource(path=str(folder)),), tokens=96, lanes=3), 0)
    with pytest.raises(ValueError, match=r"data\.lanes \(3\) must be a multiple of the 2 processes"):
        mixture.loader(PROCESSOR, OptimizationSettings(steps=1, sequences=3), 0, 2)
