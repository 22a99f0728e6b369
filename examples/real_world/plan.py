"""The steps of the real-world run: inputs, the run, the same run interrupted, and a comparison."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pymupdf
import yaml

from examples.real_world import inputs, packages, scans
from examples.real_world.site import serving
from examples.steps import Step, StepError
from pipelines.recipe import RECIPES

PORT = 8000
HELD_OUT_PX = 800
COMPARED = ("data", "ledger", "errors")  # what the same inputs must give to the byte


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is read and made.

    Args:
        packages: number of packages of each kind, from the front of the list; None: all.
        interruptions: seconds after which the second run is killed, one after the other.
    """

    packages: int | None
    scans: int
    held_out: int
    charts: int
    ocr: int
    synthetic_pages: int
    web_pages: int
    interruptions: tuple[float, ...]


SIZES = {
    "full": Size(
        packages=None,
        scans=300,
        held_out=60,
        charts=5000,
        ocr=5000,
        synthetic_pages=1000,
        web_pages=2000,
        interruptions=(120, 600, 1200),
    ),
    "small": Size(
        packages=1,
        scans=10,
        held_out=5,
        charts=50,
        ocr=50,
        synthetic_pages=10,
        web_pages=20,
        interruptions=(20, 40),
    ),
}


@dataclass(frozen=True)
class Plan:
    """The run in a folder: `inputs/`, `recipe.yaml`, `out/`, `again/`."""

    size: Size
    output: Path
    workers: int

    def steps(self) -> list[Step]:
        """Return all steps."""
        return [
            Step("packages", "packages of Debian", self._packages),
            *(Step(kind, f"inputs: {kind}", partial(self._sort, kind)) for kind in inputs.SUFFIXES),
            Step("papers", "inputs: papers", self._papers),
            Step("text", "inputs: manual pages as text", self._text),
            Step("web", "inputs: a web site", self._web),
            Step("scans", "inputs: scans with known text", self._scans),
            Step("held_out", "inputs: pages that must not be in the data", self._held_out),
            Step("recipe", "recipe", self._recipe),
            Step("run", "the run", partial(self._run, "out", ())),
            Step("captures", "pages of the web are fetched once: another visit gives another picture", self._captures),
            Step("again", "the run again, killed in between", partial(self._run, "again", self.size.interruptions)),
            Step("compared", "comparison of both", self._compare),
        ]

    @property
    def key(self) -> str:
        """What a folder must have been made with to go on in it."""
        return f"{self.size}\n"

    def _inputs(self, kind: str) -> Path:
        return self.output / "inputs" / kind

    def _unpacked(self, kind: str) -> list[Path]:
        return [self._inputs("packages") / name for name in packages.packages()[kind][: self.size.packages]]

    def _packages(self) -> None:
        names = {name for found in packages.packages().values() for name in found[: self.size.packages]}
        packages.unpack(sorted(names), self._inputs("packages"))

    def _sort(self, kind: str) -> None:
        count = inputs.sort_files(kind, self._unpacked(kind), self._inputs(kind))
        print(f"    {count:,} files")

    def _papers(self) -> None:
        print(f"    {inputs.sort_papers(self._unpacked('papers'), self._inputs('papers')):,} documents")

    def _text(self) -> None:
        print(f"    {inputs.write_manuals(self._unpacked('text'), self._inputs('text'), self.workers):,} manual pages")

    def _web(self) -> None:
        starts = inputs.copy_sites(self._unpacked("web"), self._inputs("web"))
        lines = "".join(f"http://localhost:{PORT}/{start}\n" for start in starts)
        self._inputs("seeds.txt").write_text(lines, "utf-8")
        print(f"    {len(starts)} first pages")

    def _pdfs(self) -> list[Path]:
        return sorted(self._inputs("pdfs").rglob("*.pdf"))

    def _scans(self) -> None:
        pdfs = sorted(path for package in self._unpacked("scans") for path in package.rglob("*.pdf"))
        made = scans.make_scans(pdfs, self._inputs("scans"), self.size.scans)
        if not made:
            raise StepError("the packages of `scans` have no PDF with a page of text")
        print(f"    {made} pictures")

    def _held_out(self) -> None:
        """Render pages as an evaluation set has them: the run must find and leave out what shows them."""
        folder = self._inputs("held_out")
        folder.mkdir(exist_ok=True)
        pdfs = self._pdfs()
        for number, path in enumerate(pdfs[:: max(1, len(pdfs) // self.size.held_out)]):
            with pymupdf.open(path) as document:
                page = document[document.page_count // 2]
                scale = HELD_OUT_PX / max(page.rect.width, page.rect.height)
                page.get_pixmap(matrix=pymupdf.Matrix(scale, scale)).save(folder / f"{number:03d}.png")

    def _recipe(self) -> None:
        kinds = ("pdfs", "papers", "books", "notebooks", "text", "scans", "held_out")
        folders = {kind: self._inputs(kind).resolve() for kind in kinds}
        content = recipe(self.size, folders, self._inputs("seeds.txt").resolve())
        (self.output / "recipe.yaml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")

    def _run(self, name: str, interruptions: Sequence[float]) -> None:
        command = [sys.executable, "-m", "pipelines.run", "--recipe", str(self.output / "recipe.yaml")]
        command += ["--output", str(self.output / name), "--workers", str(self.workers)]
        with serving(self._inputs("web"), PORT), (self.output / f"{name}.log").open("a") as log:
            for seconds in interruptions:
                if _killed(command, seconds, log):
                    print(f"    killed after {seconds:.0f} s", flush=True)
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        if code:
            raise StepError(f"the pipeline ended with code {code}; its output is in {self.output / f'{name}.log'}")

    def _captures(self) -> None:
        target = self.output / "again" / ".staging" / "captures"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.output / "out" / ".staging" / "captures", target)

    def _compare(self) -> None:
        differ = different(self.output / "out", self.output / "again")
        (self.output / "compared.json").write_text(json.dumps(differ, indent=1) + "\n", "utf-8")
        if differ:
            raise StepError(f"{len(differ)} files differ after the interruptions, the first is {differ[0]}")
        print("    the same bytes")


def recipe(size: Size, folders: Mapping[str, Path], seeds: Path) -> dict[str, Any]:
    """Return the shipped recipe `real_world` with these inputs and sizes, labels and evaluation sets."""
    content: dict[str, Any] = yaml.safe_load((RECIPES / "real_world.yaml").read_text("utf-8"))
    of_type: dict[str, dict[str, Any]] = {
        "pdfs": {"input": [str(folders["pdfs"])]},
        "books": {"input": [str(folders["books"])]},
        "papers": {"input": [str(folders["papers"])]},
        "images": {"input": [str(folders["scans"])]},
        "notebooks": {"input": [str(folders["notebooks"])]},
        "text": {"input": [str(folders["text"])]},
        "charts": {"num_samples": size.charts},
        "ocr": {"num_samples": size.ocr},
        "synthetic_pages": {"num_samples": size.synthetic_pages},
        "web": {
            "input": [f"@{seeds}"],
            "max_pages": size.web_pages,
            "max_pages_per_host": size.web_pages,
            "allow": [f"localhost:{PORT}"],
            "ports": [PORT],
        },
    }
    content["sources"] = [{**source, **deepcopy(of_type.get(source["type"], {}))} for source in content["sources"]]
    content["decontaminate"] = [str(folders["held_out"])]
    content["taxonomy"] = {}
    return content


def _killed(command: Sequence[str], seconds: float, log: Any) -> bool:
    """Start a command in a group of its own and kill the group after some seconds; False if it ended before."""
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(2)  # readers end when the coordinator is gone
        return True
    return False


def different(first: Path, second: Path) -> list[str]:
    """Return the names of files below data, ledger and errors that two outputs do not have with the same bytes."""
    digests = [
        {
            path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for part in COMPARED
            for path in (output / part).rglob("*.parquet")
        }
        for output in (first, second)
    ]
    names = sorted(digests[0].keys() | digests[1].keys())
    return [name for name in names if digests[0].get(name) != digests[1].get(name)]
