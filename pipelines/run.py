"""`python -m pipelines.run`: from a command line to shards, a card and a report."""

import argparse
import dataclasses
import difflib
import json
import logging
import os
import secrets
import site
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filters.filter import FilterUnavailable
from pipelines.commands.coordination import RunLog, coordinate
from pipelines.commands.dry_run import print_plan
from pipelines.commands.secret_arguments import take_keys, take_spoken
from pipelines.commands.summary import print_summary
from pipelines.contradictions import refuse_contradictions
from pipelines.job import Job
from pipelines.mixture.settings import Mixture
from pipelines.mixture.tokens import tokenizer_digest
from pipelines.overrides import apply_setting
from pipelines.recipe import RECIPES, Recipe, UsageError
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.registry import SOURCES
from pipelines.storage import STAGING, Storage, StorageError, is_remote
from pipelines.storage.names import is_web
from pipelines.storage.object_files import ObjectFiles
from pipelines.storage.temporary import temporary_folder
from pipelines.taxonomy_files import pinned
from sources.base.remote import RemoteSource
from sources.base.synthetic import SyntheticSource
from sources.terminal import escaping
from taxonomy.loader import BUNDLED

DONE, FAILED, WRONG_USAGE, TOO_MANY_FAILED, STOPPED = 0, 1, 2, 3, 130
PROG = "python -m pipelines.run"
EXAMPLES = """\
examples:
  %(prog)s --source pdfs
  %(prog)s --source pdfs --input 'papers/**/*.pdf' --output papers --set side_px=1344
  %(prog)s --source charts --set num_samples=200 --dry-run
  %(prog)s --recipe my.yaml --output gs://bucket/v1 --runner DataflowRunner --project mine --region europe-west1"""
TRANSLATES_ONLY = ("--dry_run", "--template_location")  # Beam options after which no job has run
ROOT = Path(__file__).resolve().parent.parent  # a checkout, or the folder that the wheel is installed in


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command. Returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 too many failed, 130 stopped."""
    args, beam_args = build_parser(prog).parse_known_args(arguments)
    try:
        recipe = recipe_of(args)
        refuse_contradictions(recipe)
        storage = Storage(args.output)
        is_local = not any(arg.startswith("--runner") for arg in beam_args)
        variables, warnings = take_spoken(recipe, is_local=is_local)
        beam_args, of_keys = take_keys(beam_args, is_local=is_local)
        for warning in (*warnings, *of_keys):
            print(f"warning: {warning}", file=sys.stderr)
        _check_beam_arguments(beam_args)
        with temporary_folder() as lock:
            recipe = _ready(recipe, on_this_machine=is_local)
            if args.dry_run:
                _set_beam_options(recipe, args.output, beam_args)
                print_plan(recipe, storage, args.limit, args.workers)
                return DONE
            return _run(recipe, storage, args, beam_args, lock, variables, is_local=is_local)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except (StorageError, FilterUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped before anything was done", file=sys.stderr)
        return STOPPED


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of our own options; Apache Beam has others."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Turn inputs into training shards with a card, a report and an account of every item.",
        epilog=f"Any further option goes to Apache Beam, e.g. --runner, --project, --region.\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--source", choices=sorted(SOURCES), help="run this source with its default recipe")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="run this recipe (YAML)")
    parser.add_argument(
        "--input",
        nargs="+",
        action="extend",
        metavar="GLOB|DIR|@LIST|URI",
        help="files, folders, globs, gs:// or s3:// URIs, or @FILE with one of these a line; of web pages, URLs, or "
        "files with one a line; without it, the bundled examples are read",
    )
    parser.add_argument("--output", default="out", metavar="DIR", help="folder or bucket prefix (default: out)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, e.g. side_px=1344, language.keep=[en,zh], output.shard_mb=512; FILTER=true adds a "
        "filter, FILTER=false drops it",
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="read the first N inputs only")
    parser.add_argument(
        "--workers",
        type=_positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="local processes (default: one a core)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    parser.add_argument("--retry-failed", action="store_true", help="read again the parts that hold failed items")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return number


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe that a command line means. Raises UsageError."""
    if (args.source is None) == (args.recipe is None):
        raise UsageError(f"name either --source ({', '.join(sorted(SOURCES))}) or --recipe FILE")
    path = args.recipe or RECIPES / f"{args.source}.yaml"
    content = load_recipe(path)  # it is checked there: mistakes in the file are not blamed on --set
    for setting in args.set:
        apply_setting(content, setting)
    if args.input:
        # Where only one source reads files, they are meant for it; else where one makes its samples from files. A lone
        # source says itself that it reads none.
        sources = content["sources"]
        kinds = [SOURCES[entry["type"]] for entry in sources]
        readers = [entry for entry, kind in zip(sources, kinds, strict=True) if not issubclass(kind, SyntheticSource)]
        if not readers:
            readers = [e for e, kind in zip(sources, kinds, strict=True) if getattr(kind, "takes_material", False)]
        readers = readers or sources
        if len(readers) > 1:
            raise UsageError("--input could be for several sources; write `input` under each source of this recipe")
        readers[0]["input"] = args.input
    return build_recipe(content, "the command line" if args.set else f"the recipe {path}")


def _check_beam_arguments(beam_args: list[str]) -> None:
    if not beam_args:
        return
    if not beam_args[0].startswith("-"):
        raise UsageError(f"unexpected {beam_args[0]!r}; quote patterns, or give them after --input")
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns at import about extras that are not installed
    from apache_beam.options.pipeline_options import PipelineOptions

    parser: Any = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for cls in PipelineOptions.__subclasses__():
        try:
            cls._add_argparse_args(parser)
        except argparse.ArgumentError:
            continue
    _, unknown = parser.parse_known_args(beam_args)
    for word in unknown:
        if word.startswith("--"):
            name = word.partition("=")[0]
            options = [
                o for known in (build_parser(), parser) for action in known._actions for o in action.option_strings
            ]
            close = difflib.get_close_matches(name, options, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; see --help, or Beam's documentation for its options"
            raise UsageError(f"unknown option {name}{hint}")


def _set_beam_options(recipe: Recipe, output: str, beam_args: list[str]) -> None:
    """Let this process reach object stores as the options say (endpoints, impersonation), if there are any to reach."""
    named = (output, *(name for source in recipe.sources for name in source.input))
    if any(not is_web(name) and is_remote(name.removeprefix("@")) for name in named):
        from apache_beam.io.filesystems import FileSystems
        from apache_beam.options.pipeline_options import PipelineOptions

        FileSystems.set_options(PipelineOptions(beam_args))


def _run(
    recipe: Recipe,
    storage: Storage,
    args: argparse.Namespace,
    beam_args: list[str],
    lock: int,
    variables: Mapping[str, str],
    *,
    is_local: bool,
) -> int:
    started = time.monotonic()
    if is_local:
        for source in recipe.sources:
            if isinstance(source, RemoteSource):
                for warning in source.warnings(ObjectFiles()):
                    print(f"warning: {warning}", file=sys.stderr)
    run = secrets.token_hex(4)
    job = Job(
        recipe=json.dumps(recipe.to_json(travels=True)), output=storage.root, run=run, retry_failed=args.retry_failed
    )
    request = {"job": job.to_json(), "limit": args.limit, "workers": args.workers, "beam_args": beam_args}
    progress = Path(storage.path(f"{STAGING}/progress/{run}")) if storage.is_local else None
    log = RunLog(storage, job)
    try:
        answer = coordinate(
            request,
            log,
            progress,
            recipe.item_noun(),
            lock=lock,
            environment={"PYTHONPATH": _python_path(), **variables},
            restart=is_local,
        )
    except KeyboardInterrupt:
        print("\nstopped; finished parts are kept: run the same command again to go on", file=sys.stderr)
        return STOPPED
    if "usage" in answer:
        log.discard()
        raise UsageError(answer["usage"])
    if "error" in answer:
        print(f"error: {answer['error']}", file=sys.stderr)
        if answer.get("is_refused"):
            log.discard()
        else:
            advice = "finished parts are kept: run the same command again to go on"
            print(f"(details: {log.keep()}; {advice})", file=sys.stderr)
        return FAILED
    log.discard()
    if any(arg.startswith(TRANSLATES_ONLY) for arg in beam_args):
        print("the job was translated, and nothing was run")
        return DONE
    _set_beam_options(recipe, args.output, beam_args)
    return _exit_code(recipe, print_summary(storage, progress, time.monotonic() - started)["inputs"])


def _exit_code(recipe: Recipe, inputs: Mapping[str, int]) -> int:
    """The exit code of a finished run, with a sentence if too few inputs could be read."""
    if not inputs["read"]:
        print(f"error: none of the {inputs['matched']:,} inputs could be read", file=sys.stderr)
        return FAILED
    limit = recipe.limits.max_failed_share
    if inputs["failed"] > limit * inputs["matched"]:
        print(
            f"error: {inputs['failed']:,} of {inputs['matched']:,} inputs failed, a larger share than "
            f"limits.max_failed_share ({limit:g}); the output holds the others",
            file=sys.stderr,
        )
        return TOO_MANY_FAILED
    return DONE


def _python_path() -> str:
    """Where the other processes of a run find the packages, whatever folder it is started from.

    An installed copy is found without help, and must not be named: its folder holds every other package too, and those
    of PYTHONPATH come before Python's own modules.
    """
    installed = {Path(folder).resolve() for folder in (*site.getsitepackages(), site.getusersitepackages())}
    named = [] if ROOT in installed else [str(ROOT)]
    return os.pathsep.join([*named, *filter(None, [os.environ.get("PYTHONPATH")])])


def _ready(recipe: Recipe, *, on_this_machine: bool) -> Recipe:
    """The recipe with sources and filters checked, and filters and taxonomy pinned. Raises UsageError.

    Args:
        on_this_machine: sources are read here. What other machines have is known there.
    """
    for source in recipe.sources if on_this_machine else ():
        try:
            source.check()
        except ValueError as error:
            raise UsageError(str(error)) from error
    filters = []
    taxonomy = None if recipe.taxonomy is None else Path(recipe.taxonomy.path or BUNDLED)
    for f in recipe.filters:
        try:
            f.check()
            filters.append(f.pinned(taxonomy))
        except ValueError as error:
            raise UsageError(str(error)) from error
    return pinned(dataclasses.replace(recipe, filters=tuple(filters), mixture=_counting(recipe.mixture)))


def _counting(mixture: Mixture | None) -> Mixture | None:
    """The mixture with what its tokens are counted with. Raises UsageError."""
    if mixture is None:
        return None
    try:
        return dataclasses.replace(mixture, digest=tokenizer_digest(mixture.tokenizer))
    except ValueError as error:
        raise UsageError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
