"""`python -m pipelines.run`: from a command line to shards, a card and a report."""

import argparse
import contextlib
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.dry_run import print_plan
from pipelines.inputs import write_listing
from pipelines.job import STAGING, Job
from pipelines.recipe import RECIPES, SOURCES, Recipe, UsageError, apply_setting, build_recipe, load_recipe
from pipelines.storage import Storage, StorageError
from pipelines.watch import watch

DONE, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130
LOG = "log.txt"
ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    args, beam_args = _parser().parse_known_args(arguments)
    try:
        recipe = recipe_of(args)
        storage = Storage(args.output)
        _check_beam_arguments(beam_args)
        if args.dry_run:
            print_plan(recipe, storage, args.limit, args.workers)
            return DONE
        return _run(recipe, storage, args, beam_args)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except StorageError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped before anything was done", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.run",
        allow_abbrev=False,
        description="Turn inputs into training shards with a card, a report and an account of every item.",
        epilog="Any further option goes to Apache Beam, e.g. --runner DataflowRunner --project … --region ….",
    )
    parser.add_argument("--source", choices=sorted(SOURCES), help="run this source with its default recipe")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="run this recipe (YAML)")
    parser.add_argument(
        "--input",
        nargs="+",
        metavar="GLOB|DIR|@LIST|URI",
        help="files, folders, globs, gs:// or s3:// URIs, or @FILE with one of these a line; "
        "without it, the bundled examples are read",
    )
    parser.add_argument("--output", default="out", metavar="DIR", help="folder or bucket prefix (default: out)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, e.g. side_px=1344, language.keep=[en,zh], output.shard_mb=512",
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
    content = load_recipe(path)
    build_recipe(content, f"the recipe {path}")  # so that mistakes in the file are told apart from those in --set
    for setting in args.set:
        apply_setting(content, setting)
    if args.input:
        if len(content["sources"]) > 1:
            raise UsageError("--input is for recipes with one source; write `input` under each source of this recipe")
        content["sources"][0]["input"] = args.input
    return build_recipe(content, "the command line" if args.set else f"the recipe {path}")


def _check_beam_arguments(beam_args: list[str]) -> None:
    known = (
        "--source",
        "--recipe",
        "--input",
        "--output",
        "--set",
        "--limit",
        "--workers",
        "--dry-run",
        "--retry-failed",
    )
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
            import difflib

            name = word.partition("=")[0]
            options = [*known, *(o for action in parser._actions for o in action.option_strings)]
            close = difflib.get_close_matches(name, options, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; see --help, or Beam's documentation for its options"
            raise UsageError(f"unknown option {name}{hint}")


def _run(recipe: Recipe, storage: Storage, args: argparse.Namespace, beam_args: list[str]) -> int:
    started = time.monotonic()
    run = secrets.token_hex(4)
    for f in recipe.filters:
        try:
            f.check()
        except ValueError as error:
            raise UsageError(str(error)) from error
    listing, num_inputs = write_listing(recipe, storage, run, args.limit)
    job = Job(
        recipe=json.dumps(recipe.to_json(secrets=True)),
        output=str(args.output),
        listing=tuple(listing),
        run=run,
        retry_failed=args.retry_failed,
    )
    request = json.dumps({"job": job.to_json(), "workers": args.workers, "beam_args": beam_args})
    progress = Path(storage.path(f"{STAGING}/progress/{run}")) if storage.is_local else None
    with _log(storage).open("wb") as log:
        coordinator = subprocess.Popen(
            [sys.executable, "-m", "pipelines.coordinator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others at once
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(":"),
            },
        )
        assert coordinator.stdin is not None
        assert coordinator.stdout is not None
        try:
            coordinator.stdin.write(request.encode() + b"\n")
            coordinator.stdin.close()
            watch(coordinator, progress, num_inputs)
        except KeyboardInterrupt:
            _kill(coordinator)
            print("\nstopped; finished parts are kept: run the same command again to go on", file=sys.stderr)
            return STOPPED
        except BaseException:
            _kill(coordinator)
            raise
        answer = _answer(coordinator.stdout.read())
    if "error" in answer:
        print(f"error: {answer['error']}", file=sys.stderr)
        print(
            f"(details: {_log(storage)}; finished parts are kept: run the same command again to go on)",
            file=sys.stderr,
        )
        return FAILED
    from pipelines.summary import print_summary

    print_summary(storage, progress, time.monotonic() - started)
    return DONE


def _log(storage: Storage) -> Path:
    path = Path(storage.path(f"{STAGING}/{LOG}") if storage.is_local else "vellum-log.txt")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the output cannot be written: {path.parent}: {error.strerror}") from error
    return path


def _kill(coordinator: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(coordinator.pid, signal.SIGKILL)
    coordinator.wait()


def _answer(output: bytes) -> dict[str, Any]:
    for line in reversed(output.decode(errors="replace").splitlines()):
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and ("ok" in answer or "error" in answer):
            return answer
    return {"error": "the coordinator died without a word (killed, or out of memory)"}


if __name__ == "__main__":
    sys.exit(main())
