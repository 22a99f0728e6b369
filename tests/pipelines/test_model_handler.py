"""The model handler in Beam's `RunInference`, on the local runner with a tiny model."""

import io
import pickle
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.testing.util import assert_that
from PIL import Image

from deepseek_vl.scoring import Question, Scorer
from pipelines.model_handler import ImageScorer, ImageScores
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow

QUESTIONS = (Question("Is it red?", ("Yes", "No")), Question("How many?", ("1", "2", "3")))


def png(red: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 30), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("handler")
    tiny.write_checkpoint(made, tiny.SINGLE)
    return made


def test_every_key_gets_its_scores_or_its_error(folder: Path) -> None:
    elements = {f"image {n}": (png(n),) for n in range(0, 250, 25)} | {"broken": (png(9)[:40],), "empty": ()}
    elements["two"] = (png(1), png(200))
    handler = KeyedModelHandler(ImageScorer(str(folder), QUESTIONS, device="cpu", max_batch_size=4))
    scorer = Scorer(tiny.model(tiny.SINGLE), tiny.processor(tiny.SINGLE))
    expected = scorer.score([elements["image 25"][0]], ["Is it red?"], ("Yes", "No"))[0, 0]

    def check(results: list[tuple[str, ImageScores]]) -> None:
        found = dict(results)
        assert len(results) == len(found) == len(elements)
        failed = {key: scores.error for key, scores in found.items() if scores.error}
        assert failed.keys() == {"broken", "empty"}
        assert "the data is not an image" in str(failed["broken"])
        probabilities = found["image 25"].probabilities
        assert probabilities is not None
        assert [len(of_question) for of_question in probabilities] == [2, 3]
        np.testing.assert_allclose(probabilities[0], np.exp(expected), atol=1e-4)
        assert found["image 0"] != found["image 225"]

    with beam.Pipeline("FnApiRunner") as pipeline:
        results = pipeline | beam.Create(list(elements.items())) | RunInference(handler)
        assert_that(results, check)


def test_the_handler_travels_without_its_model(folder: Path) -> None:
    handler = ImageScorer(str(folder), QUESTIONS, quantize="int8")
    assert len(pickle.dumps(handler)) < 2000
    loaded = pickle.loads(pickle.dumps(handler)).load_model()
    [result] = handler.run_inference([(png(3),)], loaded)
    assert result.error is None
    assert handler.get_num_bytes([(b"12", b"3"), (b"4",)]) == 4
