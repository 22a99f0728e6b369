"""Work units, requests to a store, bytes in shuffles and bytes stored, for inputs of several lengths.

    python -m benchmarks.units --corpus FOLDER [--pages 600]

How full units are, and how many of them one new input changes, is counted on 20,000 made-up inputs. The rest is counted
in real runs on `--pages` pages, with inputs and output in a bucket that is a folder: with one worker, which finds again
what it has read or written; as if each task had another worker (a unit that is read, a unit that is decided, a
shard), which is what a large cluster comes to; and with nothing kept at all.
"""

import argparse
import hashlib
import json
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

from apache_beam.runners.portability.fn_api_runner import execution

from benchmarks.pdfs import cut_corpus
from pipelines.job import Job
from pipelines.recipe import RECIPES
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.stages import input_files
from pipelines.stages.decide import Decide
from pipelines.stages.deduplicate import WriteIndex
from pipelines.stages.execute import execute
from pipelines.stages.stage import Stage
from pipelines.stages.write_shards import WriteShard
from pipelines.storage import object_store, remote_files
from pipelines.storage.base_store import ABSENT, Head, ObjectStore
from pipelines.storage.local_cache import LocalCache
from pipelines.taxonomy_files import pinned
from pipelines.units import Input, units_of

NUM_INPUTS = 20_000
NUM_TRIALS = 40
ONE_WORKER, MANY_WORKERS, NOTHING_KEPT = WORKERS = "one worker", "a worker a task", "nothing kept"
UNIT_FOLDERS = ("input", "parts", "scores", "verdicts")  # what is asked for once or more for each unit
BUCKET = "benchmark"
# Amazon's and Google's names for what they bill: writes (and lists), and reads (and metadata).
WRITES, READS, FREE = ("upload", "write_if", "copy", "list"), ("download", "read_range", "head"), ("delete",)


def made_up(num_pages: int, extra: int | None = None) -> list[tuple[str, Input]]:
    """Inputs of `num_pages` pages, and one more."""
    numbers = [*range(NUM_INPUTS), *([] if extra is None else [NUM_INPUTS + extra])]
    names = {k: hashlib.sha256(f"{num_pages}/{k}".encode()).hexdigest() for k in numbers}
    return [(digest, Input(f"{k}.pdf", num_pages, 1, "")) for k, digest in names.items()]


class FolderStore(ObjectStore):
    """A bucket whose objects are the files of a folder, and which counts requests.

    Args:
        requests: number by kind and by what they were about.
    """

    def __init__(self, folder: Path):
        super().__init__(f"gs://{BUCKET}")
        self._folder = folder
        self.requests: Counter[tuple[str, str]] = Counter()

    def _asked(self, kind: str, key: str) -> Path:
        folder, _, rest = key.partition("/")
        about = rest.split("/")[1] if rest.startswith(".staging/") else rest.partition("/")[0]
        self.requests[kind, "input" if folder == "in" else about] += 1
        return self._folder / key

    def head(self, key: str) -> Head | None:
        path = self._asked("head", key)
        if not path.is_file():
            return None
        found = path.stat()
        return Head(found.st_size, str(found.st_mtime_ns), found.st_mtime)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self._asked("read_range", key).read_bytes()[start : start + length]

    def download(self, key: str, into: IO[bytes]) -> None:
        into.write(self._asked("download", key).read_bytes())

    def upload(self, key: str, file: IO[bytes]) -> None:
        self._write(self._asked("upload", key), file.read())

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        path = self._asked("write_if", key)
        if tag != (str(path.stat().st_mtime_ns) if path.is_file() else ABSENT):
            return None
        self._write(path, data)
        return str(path.stat().st_mtime_ns)

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        self._asked("list", prefix)
        files = (path for path in self._folder.rglob("*") if path.is_file())
        for key, size in sorted((str(path.relative_to(self._folder)), path.stat().st_size) for path in files):
            if key.startswith(prefix) and key > after:
                yield key, size

    def delete(self, key: str) -> None:
        self._asked("delete", key).unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        self._write(self._asked("copy", target), (self._folder / source).read_bytes())

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def measure(folder: Path, how: str) -> dict[str, Any]:
    """Requests, bytes in shuffles and bytes stored of a run on the PDFs in `folder/in`, for each unit and page.

    Args:
        how: one of `WORKERS`.
    """
    store, shuffled = FolderStore(folder), 0
    append = execution.GroupingBuffer.append

    def counted(buffer: Any, data: bytes) -> None:
        nonlocal shuffled
        shuffled += len(data)
        append(buffer, data)

    content = load_recipe(RECIPES / "pdfs.yaml")
    content["sources"][0]["input"] = [f"gs://{BUCKET}/in/**/*.pdf"]
    recipe = json.dumps(pinned(build_recipe(content)).to_json(travels=True))
    out = how.replace(" ", "-")
    with ExitStack() as patches:
        patches.enter_context(patch.object(object_store, "object_store", lambda scheme, bucket: store))
        patches.enter_context(patch.object(execution.GroupingBuffer, "append", counted))
        if how == NOTHING_KEPT:
            for cache in (remote_files._small, input_files._downloads):
                patches.enter_context(patch.object(cache, "held", _uncached))
        if how == MANY_WORKERS:
            for step, cache in (
                (Stage, input_files._downloads),
                (WriteIndex, remote_files._small),
                (Decide, remote_files._small),
                (WriteShard, remote_files._small),
            ):
                patches.enter_context(patch.object(step, "work", _emptying(step.work, cache)))
        answer = execute(Job(recipe=recipe, output=f"gs://{BUCKET}/{out}", run=secrets.token_hex(4)), None, 1, [])
    if answer != {"ok": True}:
        raise SystemExit(f"the run failed: {answer}")
    num_units = len(list((folder / out).glob(".staging/parts/*/*/*")))
    num_pages = json.loads((folder / out / "manifest.json").read_text())["items"]["found"]
    of_units = {k: n for k, n in store.requests.items() if k[1] in UNIT_FOLDERS}
    kinds = Counter(dict.fromkeys(("writes", "reads"), 0))
    for (kind, _), number in of_units.items():
        kinds["writes" if kind in WRITES else "reads" if kind in READS else "deletes"] += number
    size = {
        name: sum(path.stat().st_size for path in (folder / out / name).rglob("*") if path.is_file())
        for name in (".staging", "data", "ledger")
    }
    return {
        "units": num_units,
        "pages": num_pages,
        **{f"{kind}_a_unit": round(number / num_units, 2) for kind, number in kinds.items()},
        "shuffled_bytes_a_unit": round(shuffled / num_units),
        **{f"{name.strip('.')}_kb_a_page": round(n / num_pages / 1000, 1) for name, n in size.items()},
        "requests": {f"{kind} {about}": number for (kind, about), number in sorted(store.requests.items())},
    }


@contextmanager
def _uncached(key: str, fill: Any) -> Iterator[Path]:
    """`held` of a cache that keeps nothing."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        yield Path(folder)


def _emptying(work: Any, cache: LocalCache) -> Any:
    """A step that empties a cache before each element."""

    def wrapped(self: Any, *args: Any, **sides: Any) -> list[Any]:
        for key in list(cache._folders):
            cache.drop(key)
        return list(work(self, *args, **sides))

    return wrapped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--pages-per-file", type=int, nargs="+", default=[64, 15, 3, 1])
    args = parser.parse_args()
    result: dict[int, dict[str, Any]] = {}
    for num_pages in args.pages_per_file:
        before = {unit.name for unit in units_of(0, made_up(num_pages), 64)}
        changed = [
            len(before - {unit.name for unit in units_of(0, made_up(num_pages, extra), 64)})
            for extra in range(NUM_TRIALS)
        ]
        with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
            written = cut_corpus(args.corpus, args.pages, num_pages, Path(name) / "in")
            ours = {how: measure(Path(name), how) for how in WORKERS}
        found = {
            "pages_a_unit": round(NUM_INPUTS * num_pages / len(before), 1),
            "units_changed_by_one_input": sum(changed) / NUM_TRIALS,
            **ours,
        }
        result[num_pages] = found
        print(f"{num_pages} pages a file ({written} pages)")
        for name, value in found.items():
            print(f"  {name}: {value}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
