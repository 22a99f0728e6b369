"""The vocabulary as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from sources.charts.schema.flows import History, Network, Procedure, Process, Project
from sources.charts.schema.quantities import Bridge, Field, Funnel, NamedList, Relation, Samples, Topic
from sources.charts.schema.records import Record
from sources.charts.schema.texts import Entry, Text


@dataclass(frozen=True, kw_only=True)
class Vocabulary(Entry):
    """All topics and names of charts."""

    lists: Mapping[str, NamedList]
    topics: tuple[Topic, ...]
    relations: tuple[Relation, ...]
    samples: tuple[Samples, ...]
    fields: tuple[Field, ...]
    bridges: tuple[Bridge, ...]
    funnels: tuple[Funnel, ...]
    projects: tuple[Project, ...]
    histories: tuple[History, ...]
    processes: tuple[Process, ...]
    procedures: tuple[Procedure, ...]
    networks: tuple[Network, ...]
    records: tuple[Record, ...]
    publishers: tuple[Text, ...] = ()

    def can_cross(self, rows: str, columns: str) -> bool:
        """Return True if every row can have a value for every column: no place is in another one."""
        kinds = [self.lists[name].kind or "thing" for name in (rows, columns)]
        return kinds[0] != kinds[1] or self.lists[rows].time or kinds[0] == "thing"
