"""Instruction samples made from pages: one question per page, from a writer chosen at random by target shares."""

import dataclasses
import hashlib
import math
import random
import string
from collections.abc import Mapping, Sequence

from sources.base.ground_truth import GroundTruth
from sources.base.marks import escaped, with_images
from sources.base.sample import Message, Sample, sample_id
from taxonomy.settings import InstructionSettings
from taxonomy.targets import leaf_shares
from taxonomy.tree import Taxonomy
from taxonomy.writers.pictures import fingerprint_of
from taxonomy.writers.registry import WRITERS
from taxonomy.writers.writer import Conversation, Writer

WRITTEN_BY = "writer:"  # prefix of the writer's name in a sample's `labeller`
NO_WRITER = "no_writer"  # reason code: no writer can ask anything about the sample
INSTRUCTIONS_VERSION = 1  # increase it when the same page would be given another conversation


class Instructions:
    """The writers of a recipe, with the questions of its taxonomy."""

    def __init__(self, taxonomy: Taxonomy, settings: InstructionSettings, shares: Mapping[str, float] | None = None):
        self._taxonomy = taxonomy
        targets = leaf_shares(taxonomy, shares or {})
        self._weights: dict[str, float] = {}
        for name in settings.writers or WRITERS:
            leaves = {taxonomy.resolve(kind.use_case) for kind in WRITERS[name].question_templates.values()}
            served = sorted(leaf for leaf in leaves if leaf is not None and taxonomy.leaves[leaf].question_templates)
            share = sum(targets[leaf] / self._num_writers(leaf, settings) for leaf in served)
            self._weights[name] = settings.weights.get(name, share / WRITERS[name].written_share)

    def writers(self) -> list[str]:
        """Names of the writers that are tried at all: those with a weight above 0."""
        return [name for name, weight in self._weights.items() if weight > 0]

    def _num_writers(self, leaf: str, settings: InstructionSettings) -> int:
        """Return the number of writers that share a leaf, and so its target."""
        served = [
            {self._taxonomy.resolve(kind.use_case) for kind in WRITERS[name].question_templates.values()}
            for name in settings.writers or WRITERS
        ]
        return sum(leaf in leaves for leaves in served)

    def write(self, samples: Sequence[Sample]) -> list[Sample | None]:
        """Return a conversation for every sample: the sample itself if it is one, None if no writer can ask anything.

        Args:
            samples: consecutive samples of one document, in order, with images.
        """
        pages = [GroundTruth.of(sample) for sample in samples]
        return [
            sample if sample.messages is not None else self._conversation(pages, k) for k, sample in enumerate(samples)
        ]

    def _conversation(self, pages: Sequence[GroundTruth], k: int) -> Sample | None:
        sample = pages[k].sample
        if not sample.images:
            return None
        for name in self._order(sample.id):
            writer = WRITERS[name]
            rng = random.Random(f"{sample.id}/{name}")
            conversation = writer.write(pages, k, rng)
            question = conversation and self._question(writer, conversation, rng)
            if conversation and question:
                return _as_sample(sample, name, self._use_case(writer, conversation), conversation, question)
        return None

    def _order(self, name: str) -> list[str]:
        """Return the writers in the order in which they are tried: a random order, weighted and keyed by `name`."""
        keys = {}
        for writer, weight in self._weights.items():
            if (
                weight > 0
            ):  # of exponential variates, the smallest is a writer's with probability weight / sum of weights
                digest = hashlib.sha256(f"{name}/{writer}/order".encode()).digest()
                uniform = (int.from_bytes(digest[:8], "big") + 1) / 2**64
                keys[writer] = -math.log(uniform) / weight
        return sorted(keys, key=lambda writer: (keys[writer], writer))

    def _use_case(self, writer: Writer, conversation: Conversation) -> str:
        use_case = self._taxonomy.resolve(writer.question_templates[conversation.kind].use_case)
        assert use_case is not None
        return use_case

    def _question(self, writer: Writer, conversation: Conversation, rng: random.Random) -> str | None:
        use_case = self._taxonomy.resolve(writer.question_templates[conversation.kind].use_case)
        templates = self._taxonomy.leaves[use_case].question_templates.get(conversation.kind) if use_case else None
        if templates is None:  # the taxonomy's author removed the questions
            return None
        return string.Formatter().vformat(
            rng.choice(getattr(templates, conversation.language)), (), conversation.values
        )


def _as_sample(sample: Sample, writer: str, use_case: str, conversation: Conversation, question: str) -> Sample:
    locator = f"{sample.provenance.locator};ask={conversation.kind}"
    first = conversation.images[0]
    return dataclasses.replace(
        sample,
        id=sample_id(sample.provenance.digest, locator),
        provenance=dataclasses.replace(sample.provenance, locator=locator),
        images=tuple(conversation.images),
        words=conversation.words,
        text=None,
        messages=(
            Message(role="user", content=with_images(question, len(conversation.images))),
            Message(role="assistant", content=escaped(conversation.answer)),
        ),
        fingerprint=sample.fingerprint if first is sample.images[0] else fingerprint_of(first),
        use_case=use_case,
        labeller=WRITTEN_BY + writer,
    )
