"""Instruction samples made from pages: a conversation per page, begun by a writer chosen at random by target shares."""

import dataclasses
import hashlib
import math
import random
import string
from collections.abc import Mapping, Sequence

from sources.base.marks import escaped, with_images
from sources.base.sample import Message, Sample, sample_id
from taxonomy.settings import InstructionSettings
from taxonomy.targets import leaf_shares
from taxonomy.tree import Taxonomy
from taxonomy.writers.choices import Choices
from taxonomy.writers.follow_ups import follow_ups
from taxonomy.writers.needs import has_needs
from taxonomy.writers.page import Page
from taxonomy.writers.pictures import fingerprint_of
from taxonomy.writers.registry import WRITERS
from taxonomy.writers.writer import Conversation, Turn

WRITTEN_BY = "writer:"  # prefix of the writer's name in a sample's `labeller`
NO_WRITER = "no_writer"  # reason code: no writer can ask anything about the sample
INSTRUCTIONS_VERSION = 2  # increase it when the same page would be given another conversation


class Instructions:
    """The writers of a recipe, with the questions of its taxonomy."""

    def __init__(self, taxonomy: Taxonomy, settings: InstructionSettings, shares: Mapping[str, float] | None = None):
        self._taxonomy = taxonomy
        self._max_turns = settings.max_turns
        targets = leaf_shares(taxonomy, shares or {})
        served = {name: self._leaves_of(name) for name in settings.writers or WRITERS}
        self._weights: dict[str, float] = {}
        for name, leaves in served.items():
            share = sum(targets[leaf] / sum(leaf in others for others in served.values()) for leaf in sorted(leaves))
            self._weights[name] = settings.weights.get(name, share / WRITERS[name].written_share)

    def writers(self) -> list[str]:
        """Names of the writers that are tried at all: those with a weight above 0."""
        return [name for name, weight in self._weights.items() if weight > 0]

    def _leaves_of(self, writer: str) -> set[str]:
        """Return the leaves that have questions of a writer."""
        leaves = (self._taxonomy.asking.get(kind) for kind in WRITERS[writer].question_templates)
        return {leaf for leaf in leaves if leaf is not None}

    def write(self, samples: Sequence[Sample]) -> list[Sample | None]:
        """Return a conversation for every sample: the sample itself if it is one, None if no writer can ask anything.

        Answers to questions with few possible answers are balanced over the samples.

        Args:
            samples: consecutive samples of one document or several, in order, with images.
        """
        pages = [Page.of(sample) for sample in samples]
        choices = Choices()
        return [
            sample if sample.messages is not None else self._conversation(pages, k, choices)
            for k, sample in enumerate(samples)
        ]

    def _conversation(self, pages: Sequence[Page], k: int, choices: Choices) -> Sample | None:
        sample = pages[k].sample
        if not sample.images:
            return None
        for name in self._order(sample.id):
            if not has_needs(WRITERS[name].needs, pages, k):
                continue
            rng = random.Random(f"{sample.id}/{name}")
            choices.forget()
            conversation = WRITERS[name].write(pages, k, rng, choices)
            if conversation is None or conversation.turn.kind not in self._taxonomy.asking:
                continue
            choices.keep()
            num = rng.randrange(self._max_turns)
            turns = [conversation.turn, *follow_ups(pages[k], conversation.turn, num, rng, self._taxonomy.asking)]
            return self._as_sample(sample, name, conversation, turns, rng)
        return None

    def _order(self, name: str) -> list[str]:
        """Return the writers in the order in which they are tried: a random order, weighted and keyed by `name`."""
        keys = {}
        for writer, weight in self._weights.items():
            if weight > 0:
                # Of exponential variates, the smallest is a writer's with probability weight / sum of weights.
                digest = hashlib.sha256(f"{name}/{writer}/order".encode()).digest()
                uniform = (int.from_bytes(digest[:8], "big") + 1) / 2**64
                keys[writer] = -math.log(uniform) / weight
        return sorted(keys, key=lambda writer: (keys[writer], writer))

    def _question(self, turn: Turn, language: str, rng: random.Random) -> str:
        templates = self._taxonomy.leaves[self._taxonomy.asking[turn.kind]].question_templates[turn.kind]
        return string.Formatter().vformat(rng.choice(getattr(templates, language)), (), turn.values)

    def _as_sample(
        self, sample: Sample, writer: str, conversation: Conversation, turns: Sequence[Turn], rng: random.Random
    ) -> Sample:
        locator = f"{sample.provenance.locator};ask={turns[0].kind}"
        first = conversation.images[0]
        leaves = list(dict.fromkeys(self._taxonomy.asking[turn.kind] for turn in turns))
        messages = []
        for k, turn in enumerate(turns):
            question = self._question(turn, conversation.language, rng)
            content = escaped(question) if k else with_images(question, len(conversation.images))
            messages += [
                Message(role="user", content=content),
                Message(role="assistant", content=escaped(turn.answer)),
            ]
        return dataclasses.replace(
            sample,
            id=sample_id(sample.provenance.digest, locator),
            provenance=dataclasses.replace(sample.provenance, locator=locator),
            images=tuple(conversation.images),
            words=conversation.words,
            text=None,
            messages=tuple(messages),
            fingerprint=sample.fingerprint if first is sample.images[0] else fingerprint_of(first),
            use_case=leaves[0],
            secondary=tuple(leaves[1:]),
            labeller=WRITTEN_BY + writer,
        )
