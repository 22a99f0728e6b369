"""Work units and calls to the output's storage, for inputs of several lengths.

    python -m benchmarks.units --corpus FOLDER [--pages 600]

How full units are, and how many of them one new input changes, is counted on 20,000 made-up inputs. Calls are counted
in a real run on `--pages` pages, on a local folder; on an object store each of them is a request.
"""

import argparse
import hashlib
import json
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.pdfs import cut_corpus
from pipelines.job import Job
from pipelines.recipe import RECIPES, build_recipe, load_recipe
from pipelines.stages.execute import execute
from pipelines.storage.local_files import LocalFiles
from pipelines.taxonomy_files import pinned
from pipelines.units import Input, units_of

NUM_INPUTS = 20_000
NUM_TRIALS = 40
CALLS = {"size": "head", "open": "read", "create": "write", "publish_files": "write", "move": "move"}


def made_up(num_pages: int, extra: int | None = None) -> list[tuple[str, Input]]:
    """Inputs of `num_pages` pages, and one more."""
    numbers = [*range(NUM_INPUTS), *([] if extra is None else [NUM_INPUTS + extra])]
    names = {k: hashlib.sha256(f"{num_pages}/{k}".encode()).hexdigest() for k in numbers}
    return [(digest, Input(f"{k}.pdf", num_pages, 1, "")) for k, digest in names.items()]


def count_calls(corpus: Path, out: Path) -> tuple[Counter[str], dict[str, Any]]:
    """Calls to the storage of a run in this process, by kind, and its manifest."""
    calls: Counter[str] = Counter()
    originals = {name: getattr(LocalFiles, name) for name in CALLS}

    def counted(name: str) -> Any:
        def call(self: LocalFiles, *arguments: Any) -> Any:
            calls[CALLS[name]] += len(arguments[0]) if name == "publish_files" else 1
            return originals[name](self, *arguments)

        return call

    content = load_recipe(RECIPES / "pdfs.yaml")
    content["sources"][0]["input"] = [str(corpus)]
    recipe = json.dumps(pinned(build_recipe(content)).to_json(secrets=True))
    for name in CALLS:
        setattr(LocalFiles, name, counted(name))
    try:
        answer = execute(Job(recipe=recipe, output=str(out), run=secrets.token_hex(4)), None, 1, [])
    finally:
        for name, original in originals.items():
            setattr(LocalFiles, name, original)
    if answer != {"ok": True}:
        raise SystemExit(f"the run failed: {answer}")
    return calls, json.loads((out / "manifest.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--pages-per-file", type=int, nargs="+", default=[64, 15, 3, 1])
    args = parser.parse_args()
    result: dict[int, dict[str, float]] = {}
    for num_pages in args.pages_per_file:
        before = {unit.name for unit in units_of(0, made_up(num_pages), 64)}
        changed = [
            len(before - {unit.name for unit in units_of(0, made_up(num_pages, extra), 64)})
            for extra in range(NUM_TRIALS)
        ]
        with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
            written = cut_corpus(args.corpus, args.pages, num_pages, Path(name) / "corpus")
            calls, _ = count_calls(Path(name) / "corpus", Path(name) / "out")
            units = len(list((Path(name) / "out").glob(".staging/parts/*/*/*")))
        found = {
            "pages_a_unit": round(NUM_INPUTS * num_pages / len(before), 1),
            "units_changed_by_one_input": sum(changed) / NUM_TRIALS,
            **{f"{kind}s_a_unit": round(calls[kind] / units, 1) for kind in sorted(set(CALLS.values()))},
        }
        result[num_pages] = found
        print(f"{num_pages} pages a file ({written} pages read in {units} units): {found}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
