"""The data of a training: data sets, mixed in groups, divided into lanes, and prepared for this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepseek_vl.processor import Processor
from deepseek_vl.train.dataset import Dataset
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.features import FeatureStore
from deepseek_vl.train.lanes import Component, Lane
from deepseek_vl.train.loader import Loader
from deepseek_vl.train.settings import DataSettings, DataSource, OptimizationSettings

ALL = "all"  # the only group where steps mix text and images


class Mixture:
    """The data sets of a training.

    Raises:
        ValueError: a data set cannot be read, or its condition is wrong; the setting is named.
    """

    def __init__(self, settings: DataSettings, seed: int):
        self.settings, self._seed = settings, seed
        self.datasets = [_dataset(index, source) for index, source in enumerate(settings.sources)]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of which each step reads one."""
        if self.settings.text_share is None:
            return (ALL,)
        return tuple(sorted({source.group for source in self.settings.sources}))

    def group_of(self, step: int) -> str:
        """Return the group that a step reads, which is the same in every process."""
        share = self.settings.text_share
        if share is None:
            return ALL
        return "text" if share.is_text(step) else "multimodal"

    def digests(self) -> list[str]:
        """Return what identifies the shards of each data set."""
        return [dataset.digest for dataset in self.datasets]

    def components(self, group: str) -> list[Component]:
        """Return the data sets of a group with their weights."""
        return [
            Component(dataset, source.weight, index)
            for index, (dataset, source) in enumerate(zip(self.datasets, self.settings.sources, strict=True))
            if group in (ALL, source.group)
        ]

    def lanes(self, group: str, processor: Processor, numbers: Sequence[int]) -> list[Lane]:
        """Return some of the group's lanes."""
        settings = self.settings
        encoder = ExampleEncoder(
            processor, max_tokens=settings.tokens, max_images=settings.max_images, too_long=settings.too_long
        )
        components = self.components(group)
        for component in components:
            groups = component.dataset.groups
            per_block = settings.rows_per_block * len(groups) // component.dataset.num_rows + 2
            component.dataset.cached_groups = max(8, min(len(groups), per_block * len(numbers)))
        return [
            Lane(
                components,
                encoder,
                lane=lane,
                num_lanes=settings.lanes,
                max_tokens=settings.tokens,
                max_images=settings.max_images,
                packed=settings.packed,
                rows_per_block=settings.rows_per_block,
                seed=f"{self._seed}/{group}",
            )
            for lane in numbers
        ]

    def loader(
        self,
        processor: Processor,
        optimization: OptimizationSettings,
        rank: int,
        world_size: int,
        store: FeatureStore | None = None,
    ) -> Loader:
        """Return the loader of one of `world_size` processes.

        Raises:
            ValueError: the lanes cannot be divided evenly.
        """
        settings = self.settings
        if settings.lanes % world_size:
            raise ValueError(f"data.lanes ({settings.lanes}) must be a multiple of the {world_size} processes")
        numbers = range(rank, settings.lanes, world_size)
        lanes: Mapping[str, Any] = {group: self.lanes(group, processor, numbers) for group in self.groups}
        return Loader(
            lanes,
            processor.config,
            group_of=self.group_of,
            sequences_per_lane=optimization.sequences // settings.lanes,
            sequences_per_batch=optimization.sequences_per_batch,
            num_tokens=settings.tokens,
            workers=settings.workers,
            ahead=settings.ahead,
            store=store,
        )


def _dataset(index: int, source: DataSource) -> Dataset:
    try:
        return Dataset(source.path, where=source.where, split=source.split)
    except ValueError as error:
        raise ValueError(f"data.sources.{index}: {error}") from error
