"""Reading a unit in a reader that may hang or die: what it dies on is given up, everything else is read."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.input_files import InputFiles
from pipelines.storage import Storage
from pipelines.units import Slice, Unit
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.process import KILLED
from pipelines.workers.protocol import GivenUp, ReadSlice, ReadUnit
from sources.base.source import InputError


def read_unit(job: Job, recipe: Recipe, storage: Storage, unit: Unit, request: ReadUnit) -> None:
    """Let a reader carry out a request for a unit; its slices are filled in here.

    An item that the reader hangs or dies on is asked for in the source's other ways, and then given up. Too many such
    items of one input, or a fault while it is opened or its samples are measured, give up the rest of that input alone.
    """
    inputs = InputFiles(recipe, storage, job.readers, job.run)
    with ExitStack() as files:
        slices = [_opened(inputs, unit.source, each, files) for each in unit.slices]
        while True:
            is_nothing_left = not any(map(_left, slices))
            try:
                with readers_of(recipe, job.readers).reader() as reader:
                    reader.ask(replace(request, slices=tuple(slices)))
                return
            except (InputError, ItemFault) as error:
                if is_nothing_left:
                    raise
                fault = error if isinstance(error, ItemFault) else ItemFault(None, error.cause, error.message)
            if fault.slice is None and len(slices) > 1 and not request.apart:
                request = replace(request, apart=True)  # shows which of the inputs it is
                continue
            for number in range(len(slices)) if fault.slice is None else [fault.slice]:
                slices[number] = _after_fault(slices[number], fault, recipe.limits.faults_per_unit)


def _opened(inputs: InputFiles, index: int, wanted: Slice, files: ExitStack) -> ReadSlice:
    found = ReadSlice(path=Path(), digest=wanted.digest, first=wanted.first, last=wanted.last)
    try:
        local = files.enter_context(inputs.opened(index, wanted.uri, wanted.digest))
        if local.state != wanted.state:
            raise InputError("changed", "the file changed while the run was going on; run again")
    except InputError as error:
        return _given_up(found, _left(found), error.cause, error.message)
    return replace(found, path=local.path)


def _after_fault(wanted: ReadSlice, fault: ItemFault, limit: int) -> ReadSlice:
    """The slice with the item of a fault marked as faulty, or without all items that are left."""
    if fault.item is None or fault.cause == KILLED:  # another way of reading would be another sample
        items = _left(wanted) if fault.item is None else [fault.item]
        return _given_up(wanted, items, fault.cause, fault.message)
    before = {each.item for each in wanted.faulty}
    faulty = GivenUp(item=fault.item, cause=fault.cause, message=fault.message)
    wanted = replace(wanted, faulty=(*wanted.faulty, faulty))
    if fault.item in before or len(before) + 1 < limit:
        return wanted
    rest = [item for item in _left(wanted) if item > fault.item]
    return _given_up(wanted, rest, "gave_up", f"given up after {limit} pages before it hung or crashed the reader")


def _left(wanted: ReadSlice) -> list[int]:
    given_up = {each.item for each in wanted.given_up}
    return [item for item in range(wanted.first, wanted.last) if item not in given_up]


def _given_up(wanted: ReadSlice, items: Iterable[int], cause: str, message: str) -> ReadSlice:
    more = tuple(GivenUp(item=item, cause=cause, message=message) for item in items)
    return replace(wanted, given_up=wanted.given_up + more)
