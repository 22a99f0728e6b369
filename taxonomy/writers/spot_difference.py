"""Spotting differences: the page is shown twice, with one word painted over in the second picture."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from sources.base.ground_truth import GroundTruth
from sources.base.sample import Words
from sources.images.boxes import scaled
from taxonomy.writers.page import bare, unique_words
from taxonomy.writers.pictures import paint_over
from taxonomy.writers.writer import Conversation, QuestionKind, Writer

ANSWERS = {
    "en": "The second picture lacks the word “{word}” at {box}.",
    "zh": "第二张图缺少“{word}”，位置是 {box}。",
}


class SpotDifference(Writer):
    """Asks for the difference; the answer is the missing word and its box, in thousandths of the image's sides."""

    name = "spot_difference"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "spot_difference": QuestionKind("multi_image/comparison/spotting_differences")
    }
    needs = ("words",)
    written_share = 0.5

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        candidates = unique_words(page)
        for word in rng.sample(candidates, min(3, len(candidates))):
            image = page.sample.images[0]
            edited = paint_over(image, page.boxes[word])
            if edited is None:
                continue
            kept = np.arange(len(page.words)) != word
            texts = [*page.words, *(w for w, is_kept in zip(page.words, kept, strict=True) if is_kept)]
            return Conversation(
                kind="spot_difference",
                answer=ANSWERS[page.language].format(
                    word=bare(page.words[word]), box=scaled(page.boxes[word], image.width, image.height)
                ),
                language=page.language,
                images=[image, edited],
                words=Words(
                    texts=texts,
                    boxes=np.concatenate([page.boxes, page.boxes[kept]]),
                    images=np.repeat(np.array([0, 1], np.int32), [len(kept), kept.sum()]),
                ),
            )
        return None
