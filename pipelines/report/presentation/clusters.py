"""Groups of duplicates for the report: each kept sample with its duplicates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.duplicates.search import REASONS
from pipelines.report.presentation.elsewhere import kept_elsewhere
from pipelines.tables.manifest import Files, paths
from pipelines.tables.schema import DUPLICATE

COLUMNS = ("id", "uri", "locator", "verdict", "reason", "duplicate_of", "distance", "similarity", "thumbnail")
BATCH_ROWS = 4_096
MAX_CLUSTERS = 24


@dataclass
class Cluster:
    """A kept sample, some of its duplicates, and how many there are.

    Args:
        kept: its ledger row; None if it is in another output that cannot be read any more.
        is_elsewhere: it is in another output or collection.
        members: ledger rows of duplicates that have a thumbnail, the most distant first.
    """

    id: str
    kept: dict[str, Any] | None = None
    members: list[dict[str, Any]] = field(default_factory=list)
    num_members: int = 0
    is_elsewhere: bool = False


def read_clusters(files: Files, manifest: Mapping[str, Any], against: Sequence[str] = ()) -> list[Cluster]:
    """The groups that have pictures, the largest first; at most `MAX_CLUSTERS`.

    Args:
        against: places of the outputs and collections whose samples count as kept (`dedupe.against`).
    """
    if not any(manifest["samples"]["duplicates"].get(reason) for reason in REASONS):
        return []
    sizes: Counter[str] = Counter()
    pictures: dict[str, dict[str, Any]] = {}
    for path in paths(manifest, "ledger"):
        with files.open(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=list(COLUMNS)):
                table = pa.Table.from_batches([batch])
                is_near = pc.and_(pc.equal(table["verdict"], DUPLICATE), pc.is_in(table["reason"], pa.array(REASONS)))
                for entry in pc.value_counts(table["duplicate_of"].filter(is_near)).to_pylist():
                    sizes[entry["values"]] += entry["counts"]
                seen = pc.and_(
                    pc.is_valid(table["thumbnail"]), pc.or_(is_near, pc.not_equal(table["verdict"], DUPLICATE))
                )
                pictures |= {row["id"]: row for row in table.filter(seen).to_pylist()}
    clusters: dict[str, Cluster] = {}
    kept = {key: row for key, row in pictures.items() if row["verdict"] != DUPLICATE}  # an input may be given again
    for row in pictures.values():
        if row["verdict"] == DUPLICATE:
            clusters.setdefault(row["duplicate_of"], Cluster(row["duplicate_of"])).members.append(row)
    # A duplicate may have a thumbnail as an example of its reason; without its kept sample's it is no pair to look at.
    for sample_id in _found(files, manifest, {each for each in clusters if each not in kept}):
        del clusters[sample_id]
    for cluster in clusters.values():
        cluster.kept = kept.get(cluster.id)
        cluster.num_members = sizes[cluster.id]
        cluster.members.sort(key=lambda row: (-(row["distance"] or 0), row["similarity"] or 0, row["id"]))
        cluster.is_elsewhere = cluster.kept is None
    largest = sorted(clusters.values(), key=lambda cluster: (-cluster.num_members, cluster.id))[:MAX_CLUSTERS]
    others = kept_elsewhere([cluster.id for cluster in largest if cluster.is_elsewhere], against)
    for cluster in largest:
        cluster.kept = cluster.kept or others.get(cluster.id)
    return largest


def _found(files: Files, manifest: Mapping[str, Any], ids: set[str]) -> set[str]:
    """Those of the ids that this ledger has, other than as duplicates."""
    found: set[str] = set()
    wanted = pa.array(sorted(ids), pa.string())
    for path in paths(manifest, "ledger") if ids else ():
        with files.open(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["id", "verdict"]):
                is_found = pc.and_(pc.is_in(batch["id"], wanted), pc.not_equal(batch["verdict"], DUPLICATE))
                found.update(batch["id"].filter(is_found).to_pylist())
    return found
