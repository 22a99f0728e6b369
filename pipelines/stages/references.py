"""References: collections that samples are compared with, read and checked before the work starts.

`dedupe.against` names outputs whose samples count as kept, `decontaminate` names evaluation sets that must not leak.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.duplicates.contamination import SCHEMA as RUN_SCHEMA
from pipelines.duplicates.contamination import counted_runs, exceptions_in
from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.index import AGAINST, EVALUATION, rows_of, write_index
from pipelines.duplicates.settings import FINGERPRINT_VERSION, Dedupe
from pipelines.public_names import public_place
from pipelines.recipe import Recipe, UsageError
from pipelines.stages.input_files import local_copy
from pipelines.storage import STAGING, Storage, StorageError, match
from pipelines.storage.arrow_file import read_local, table_bytes
from pipelines.tables.manifest import MANIFEST, AccountingError, paths, read_manifest
from pipelines.tables.schema import KEPT
from pipelines.workers.evaluation_items import IMAGE_SUFFIXES
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import ReadCollection
from sources.base.source import InputError

FOLDER = f"{STAGING}/references"
KINDS = {EVALUATION: "decontaminate", AGAINST: "dedupe.against"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One file of a collection, as prepared.

    Args:
        setting: `decontaminate` or `dedupe.against`.
        uri: the file as it was found.
        digest: sha256 of its bytes.
        num_items: rows or images in it.
        rows: its rows for the search (`pipelines/duplicates/index.py`), relative to the output.
        runs: hashes of its text runs, for evaluation sets, relative to the output; else empty.
    """

    setting: str
    uri: str
    digest: str
    num_items: int
    rows: str
    runs: str

    def described(self) -> dict[str, Any]:
        """Its entry in the manifest, which names no folder of this machine."""
        uri = public_place(self.uri)
        return {"setting": self.setting, "uri": uri, "items": self.num_items, "sha256": self.digest}


def prepare(recipe: Recipe, storage: Storage, run: str) -> tuple[str, list[Reference]]:
    """Read every collection that the recipe names.

    Returns:
        Where the list of references is written, relative to the output ("" without any), and the list.
    Raises:
        UsageError: a collection is missing, empty, unreadable or made by another version; it names the file.
    """
    references: list[Reference] = []
    excepted = _exceptions(recipe, storage)
    for kind, patterns in (
        (EVALUATION, recipe.decontaminate),
        (AGAINST, recipe.dedupe.against if recipe.dedupe else ()),
    ):
        for pattern in patterns:
            found = len(references)
            try:
                for uri in _files(pattern, kind, storage):
                    references += _prepared(recipe, storage, run, uri, kind, len(references), excepted)
            except StorageError as error:
                raise UsageError(f"{KINDS[kind]}: {pattern}: {error}") from error
            if not sum(reference.num_items for reference in references[found:]):
                raise UsageError(f"{KINDS[kind]}: {pattern} holds nothing to compare with")
    if not references:
        return "", []
    path = f"{FOLDER}/{run}/references.json"
    storage.write_bytes(path, json.dumps([asdict(reference) for reference in references]).encode())
    return path, references


def read_references(storage: Storage, path: str) -> list[Reference]:
    """The list that `prepare` wrote."""
    return [Reference(**entry) for entry in json.loads(storage.read_bytes(path))] if path else []


def _files(pattern: str, kind: int, output: Storage) -> Iterator[str]:
    """Files of a collection: the ledger of an output, else images and Parquet files. Raises UsageError."""
    root = Storage(pattern) if not any(sign in pattern for sign in "*?[") else None
    if root is not None and root.root == output.root:
        raise UsageError(f"{KINDS[kind]}: {pattern} is the output of this run; its samples would repeat themselves")
    if root is not None and root.exists(MANIFEST):
        try:
            manifest = read_manifest(root)
        except AccountingError as error:
            raise UsageError(f"{KINDS[kind]}: {pattern}: {error}") from error
        if manifest.get("fingerprint") != FINGERPRINT_VERSION:
            raise UsageError(
                f"{KINDS[kind]}: {pattern} holds hashes of another kind (fingerprint version "
                f"{manifest.get('fingerprint', 'none')}, expected {FINGERPRINT_VERSION}); run it again with this Vellum"
            )
        yield from (root.path(path) for path in paths(manifest, "ledger"))
        return
    found = False
    for uri in match(pattern):
        if uri.lower().endswith((".parquet", *IMAGE_SUFFIXES)):
            found = True
            yield uri
    if not found:
        expected = "an output of Vellum, a folder or files of images or Parquet"
        raise UsageError(f"{KINDS[kind]}: {pattern}: nothing to compare with there; expected {expected}")


def _prepared(
    recipe: Recipe, storage: Storage, run: str, uri: str, kind: int, number: int, excepted: tuple[np.ndarray, str]
) -> Iterator[Reference]:
    settings = recipe.dedupe or Dedupe()
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        try:
            with local_copy(uri, storage) as found:
                digest = _sha256(found.path)
                table = _ledger(found.path) if _is_ledger(found.path, uri) else None
                if table is None:
                    table = _collection(recipe, found.path, uri, Path(folder) / "items")
        except (InputError, ItemFault) as error:
            raise UsageError(f"{KINDS[kind]}: {uri}: {error.message}") from error
    names = table["name"].to_pylist()
    records = from_arrow(table["fingerprint"], FINGERPRINT)
    ids = names if kind == AGAINST and _are_ids(names) else sample_ids(names)
    rows_path, runs_path = f"{FOLDER}/{run}/{number:06d}.rows", ""
    write_index(storage, rows_path, rows_of(records, ids, np.arange(len(names)), settings, unit=number, kind=kind))
    storage.write_bytes(f"{rows_path}.names", json.dumps(names).encode())
    if kind == EVALUATION:
        runs = _runs_of(table, excepted[0])
        if len(runs):  # pictures without texts have none, and cost no look at any sample
            runs_path = f"{FOLDER}/{run}/{number:06d}.runs"
            storage.write_bytes(runs_path, table_bytes(runs))
        if excepted[1]:  # the same set with other exceptions is another reference
            digest = hashlib.sha256(f"{digest} {excepted[1]}".encode()).hexdigest()
    yield Reference(setting=KINDS[kind], uri=uri, digest=digest, num_items=len(names), rows=rows_path, runs=runs_path)


def names_of(storage: Storage, reference: Reference) -> list[str]:
    """The name of every item of a reference, in the order of its rows."""
    names: list[str] = json.loads(storage.read_bytes(f"{reference.rows}.names"))
    return names


def sample_ids(names: Sequence[str]) -> list[str]:
    """32 hex digits for every name of an item that has no content id."""
    return [hashlib.sha256(name.encode()).hexdigest()[:32] for name in names]


def _are_ids(names: Sequence[str]) -> bool:
    return all(len(name) == 32 and not name.strip("0123456789abcdef") for name in names)


def _is_ledger(path: Path, uri: str) -> bool:
    if not uri.endswith(".parquet"):
        return False
    try:
        return {"id", "verdict", "fingerprint"} <= set(pq.read_schema(path).names)
    except (OSError, pa.ArrowInvalid):
        return False  # the reader says what is wrong with it


def _ledger(path: Path) -> pa.Table:
    """Kept samples of a ledger, in the shape of a collection."""
    table = pq.read_table(path, columns=["id", "verdict", "fingerprint"])
    kept = table.filter(pc.equal(table["verdict"], KEPT)).combine_chunks()
    return pa.table(
        {
            "name": kept["id"],
            "fingerprint": kept["fingerprint"],
            "runs": pa.array([[]] * len(kept), pa.list_(pa.struct(list(RUN_SCHEMA)))),
        }
    )


def _collection(recipe: Recipe, path: Path, uri: str, out: Path) -> pa.Table:
    """Items read by the reader process, which may be killed over them."""
    with readers_of(recipe, 1).reader() as reader:
        reader.ask(ReadCollection(path=path, name=uri, out=out))
    return read_local(out)


def _runs_of(table: pa.Table, exceptions: np.ndarray) -> pa.Table:
    """The runs that count, each with its place in a text and the item that has it."""
    lists = table["runs"].combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    items = np.repeat(np.arange(len(lists), dtype=np.uint32), np.diff(lists.offsets.to_numpy()))
    rows = pa.Table.from_struct_array(lists.flatten()).append_column("item", pa.array(items))
    return counted_runs(rows, exceptions).combine_chunks()


def _exceptions(recipe: Recipe, storage: Storage) -> tuple[np.ndarray, str]:
    """The runs that are no contamination, and the digest of the files that name them. Raises UsageError."""
    runs, digest = [np.zeros(0, np.uint64)], hashlib.sha256()
    for uri in recipe.decontaminate_except:
        try:
            with local_copy(uri, storage) as found:
                text = found.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError, StorageError) as error:
            raise UsageError(f"decontaminate_except: {uri}: expected a file of text in UTF-8 ({error})") from error
        except InputError as error:
            raise UsageError(f"decontaminate_except: {uri}: {error.message}") from error
        runs.append(exceptions_in(text))
        digest.update(text.encode())
    return np.unique(np.concatenate(runs)), digest.hexdigest() if recipe.decontaminate_except else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
