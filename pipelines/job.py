"""A job: what every process of a run must know, as plain data that travels to workers."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from pipelines.once import once
from pipelines.recipe import Recipe, UsageError
from pipelines.recipe_file import build_recipe
from pipelines.storage import Storage
from sources.base.remote import RemoteSource


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run of a recipe into an output.

    Args:
        recipe: the recipe as JSON; of secrets only the names of their files (`sources/base/secrets.py`).
        output: folder or `gs://`, `s3://` prefix.
        run: random name of this run; only progress files carry it.
        listing: files, relative to the output, with one input a line (`pipelines/stages/list_inputs.py`).
        num_inputs: lines in these files.
        references: file, relative to the output, that lists other collections to compare samples with
            (`pipelines/stages/references.py`); empty without any.
        material: virtual inputs that are made from files (`pipelines/stages/material.py`).
        retry_failed: parts that hold failed items are read again.
        readers: reader processes that one worker process may run side by side.
        is_local: all workers are threads of one process.
        checks_staging: finished files are read and compared with their digests, wherever the output is.
    """

    recipe: str
    output: str
    run: str
    listing: tuple[str, ...] = ()
    num_inputs: int = 0
    references: str = ""
    material: tuple[str, ...] = ()
    retry_failed: bool = False
    readers: int = 1
    is_local: bool = False
    checks_staging: bool = False

    def load_recipe(self) -> Recipe:
        """The recipe, checked."""
        return _recipe_of(self.recipe)

    def check_machine(self) -> None:
        """Raise UsageError if the machine of a worker lacks what the sources that are read on it need."""
        for source in self.load_recipe().sources:
            if not isinstance(source, RemoteSource):  # what it fetches was fetched elsewhere, perhaps
                try:
                    source.check()
                except ValueError as error:
                    raise UsageError(str(error)) from error

    def storage(self) -> Storage:
        """The output."""
        return Storage(self.output)

    def to_json(self) -> str:
        """The job as JSON, the inverse of `from_json`."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> "Job":
        """The job that `to_json` wrote."""
        content: dict[str, Any] = json.loads(text)
        return Job(**{**content, "listing": tuple(content["listing"]), "material": tuple(content["material"])})


@once
def _recipe_of(text: str) -> Recipe:
    """Check a recipe once in a process: every step of the graph asks for it, and a check takes 6 ms."""
    return build_recipe(json.loads(text))
