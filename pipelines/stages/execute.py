"""Execution: one job on a Beam runner, under the output's lock, with every failure turned into one sentence."""

import dataclasses
import logging
import re
import time
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from filters.filter import FilterUnavailable
from pipelines.job import Job
from pipelines.recipe import UsageError
from pipelines.stages.graph import build
from pipelines.stages.input_files import InputFiles
from pipelines.stages.list_inputs import gather_all, write_listing
from pipelines.stages.progress import progress_of
from pipelines.stages.references import prepare
from pipelines.stages.staging_folder import clean, remove_staging, take_log
from pipelines.storage import OutputError, OutputInUse, StorageError
from pipelines.storage.errors import DamagedFile
from pipelines.tables.manifest import AccountingError
from pipelines.taxonomy_files import publish_taxonomy
from pipelines.workers.pool import ReadersLost
from pipelines.workers.protocol import ProtocolError

_View = TypeVar("_View", bound=PipelineOptions)
# Errors whose text is a sentence for the user.
OUR_OWN = (OutputError, AccountingError, StorageError, DamagedFile, FilterUnavailable, ReadersLost)
# Errors that another try of the step does not mend.
FINAL = (UsageError, OutputInUse, OutputError, AccountingError, StorageError, FilterUnavailable, ProtocolError)
MAX_TRIES = 4
FIRST_PAUSE_S = 1.0  # before the next try, doubled with every one
TRY_AGAIN_THEMSELVES = ("DataflowRunner",)


class _Options(PipelineOptions):
    """Options that keep their views: Beam asks for 500 of them in a run, and each builds a parser of arguments."""

    def view_as(self, cls: type[_View]) -> _View:
        views: dict[type[PipelineOptions], PipelineOptions] = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        view = views[cls]
        assert isinstance(view, cls)
        return view


def execute(job: Job, limit: int | None, readers: int, beam_args: list[str]) -> dict[str, Any]:
    """Run a job to its end.

    Args:
        readers: reader processes of a local run; a cluster's workers have one each.
    Returns:
        {"ok": true}, or the sentence to show as {"usage": …} (a mistake of the user) or {"error": …}.
    """
    options = _Options(beam_args, save_main_session=False)
    FileSystems.set_options(options)
    storage = job.storage()
    try:
        with storage.lock() as lease:
            take_log(job)
            clean(job)
            publish_taxonomy(job.load_recipe(), storage)
            references, _ = prepare(job.load_recipe(), storage, job.run)
            inputs = InputFiles(job.load_recipe(), storage, readers)
            material = gather_all(job.load_recipe(), storage, readers)
            listing, num_inputs = write_listing(inputs, job.run, limit, material)
            progress_of(job).add("inputs", inputs_found=num_inputs)
            progress_of(job).flush()
            is_local = options.view_as(StandardOptions).runner is None
            planned = dataclasses.replace(
                job,
                listing=tuple(listing),
                num_inputs=num_inputs,
                references=references,
                material=tuple(material.values()),
                readers=readers if is_local else 1,
                is_local=is_local,
            )
            _run_pipeline(planned, options)
            lease.check()
            clean(job)
            if not job.load_recipe().output.keep_staging:
                remove_staging(job)
        return {"ok": True}
    except UsageError as error:
        return {"usage": str(error)}
    except OutputInUse as error:
        return {"error": str(error), "is_refused": True}
    except StorageError as error:
        return {"error": str(error)}
    except Exception as error:  # the one place where a run's failure becomes a sentence; the traceback goes to the log
        logging.getLogger().exception("the run failed")
        return {"error": sentence(error)}


def _run_pipeline(job: Job, options: PipelineOptions) -> None:
    """Run the pipeline to its end; if a step fails or a worker is lost, run it again, with the parts that are there.

    Neither the local runner nor Beam's job service tries a failed step again. Dataflow does so itself.
    """
    for number in range(MAX_TRIES):
        pipeline = beam.Pipeline(runner=_local_runner() if job.is_local else None, options=options)
        build(pipeline, dataclasses.replace(job, checks_staging=number > 0))
        try:
            result = pipeline.run()
            if not options.view_as(GoogleCloudOptions).template_location:  # else there is no job to wait for
                result.wait_until_finish()
            return
        except Exception as error:
            is_last = number + 1 == MAX_TRIES or options.view_as(StandardOptions).runner in TRY_AGAIN_THEMSELVES
            if is_last or _is_final(error):
                raise
            logging.getLogger().warning("a step failed and is tried again: %s", sentence(error))
            time.sleep(FIRST_PAUSE_S * 2**number)


def _is_final(error: BaseException) -> bool:
    """Return True if another try would end in the same way: errors travel through Beam inside the text of another."""
    names = "|".join(cls.__name__ for cls in FINAL)
    if isinstance(error, DamagedFile):
        return False
    return isinstance(error, FINAL) or re.search(rf"\b({names}): ", str(error)) is not None


def _local_runner() -> Any:
    """Beam's portable in-process runner, named: `DirectRunner` would first try another one that it downloads."""
    from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

    return FnApiRunner()


def sentence(error: BaseException) -> str:
    """One sentence about an error: our own errors travel through Beam inside the text of another."""
    text = str(error)
    if isinstance(error, OUR_OWN):
        return text.partition(" [while running")[0]
    for cls in OUR_OWN:
        found = re.findall(rf"{cls.__name__}: (.+?)(?: \[while running|\\n|\n|$)", text)
        if found:
            return str(found[-1])
    if isinstance(error, OSError) and error.strerror:
        return f"the output cannot be written: {error.strerror}"
    found = re.findall(r"OSError: \[Errno \d+\] (.+?)(?: \[while running|\\n|\n|$)", text)
    if found:
        return f"the output cannot be written: {found[-1]}"
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"
