"""`python -m deepseek_vl.evaluate`: evaluates models on tasks in local files."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import find, load
from deepseek_vl.conversation import IMAGE_MARK
from deepseek_vl.evaluate.records import Record, read_records
from deepseek_vl.evaluate.results import TaskResult, compare, picture, summarize, table, to_json
from deepseek_vl.evaluate.runner import Outcome, run_task
from deepseek_vl.evaluate.tasks import Task, load_task, shipped_names
from deepseek_vl.processor import Processor
from sources.terminal import escaping, raw

PROG = "python -m deepseek_vl.evaluate"
EXAMPLES = """\
examples:
  %(prog)s runs/stage3-pico/model held_out_text held_out_answers --data out
  %(prog)s runs/a/model mmbench pope --data benchmarks --compare runs/b/model --output results
  %(prog)s runs/a/model docvqa --data benchmarks --blind runs/without-images/model
  %(prog)s checkpoints/mine my_task.yaml --data folder --limit 100"""


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command; return 0, or 2 for a mistake in a task, its data, or a model."""
    args = build_parser(prog).parse_args(arguments)
    try:
        tasks = [load_task(name) for name in args.tasks]
        read = [_records(task, args.data, args.limit) for task in tasks]
        models = [args.model, *args.compare, *args.blind]
        blind = [([_without_images(record) for record in records], unusable) for records, unusable in read]
        outcomes = [_run(model, tasks, read, args) for model in models[: 1 + len(args.compare)]]
        outcomes += [_run(model, tasks, blind, args) for model in args.blind]
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    results = [
        [summarize(task, found, unusable) for task, found, (_, unusable) in zip(tasks, of_model, read, strict=True)]
        for of_model in outcomes
    ]
    names = [_name(model, models) for model in models]
    names[len(models) - len(args.blind) :] = [f"{name} (blind)" for name in names[len(models) - len(args.blind) :]]
    print(table(names, results))
    for number, other in enumerate(names[1:], 1):
        for task, first, second in zip(tasks, outcomes[0], outcomes[number], strict=True):
            print(f"{task.name}: {names[0]} minus {other}: {compare(first, second)}")
    if args.output is not None:
        _write(args.output, models, names, outcomes, results)
    return 0


def _records(task: Task, folder: Path, limit: int | None) -> tuple[list[Record], list[tuple[str, str]]]:
    records: list[Record] = []
    unusable: list[tuple[str, str]] = []
    for found in read_records(task, folder, limit):
        if isinstance(found, Record):
            records.append(found)
        else:
            unusable.append((found[0], str(found[1])))
    return records, unusable


def _without_images(record: Record) -> Record:
    """Return a question without its images, to see what can be answered without looking."""
    messages = tuple(
        {**message, "content": message["content"].replace(IMAGE_MARK, "").strip()} for message in record.messages
    )
    prompt, text = record.prompt.replace(IMAGE_MARK, "").strip(), record.text.replace(IMAGE_MARK, "").strip()
    return replace(record, images=(), prompt=prompt, text=text, messages=messages)


def _run(
    model: str,
    tasks: Sequence[Task],
    read: Sequence[tuple[list[Record], list[tuple[str, str]]]],
    args: argparse.Namespace,
) -> list[list[Outcome]]:
    device = devices.pick(args.device)
    folder = find(model)
    loaded = load(folder, device=device, dtype=devices.pick_dtype(args.dtype, device))
    processor = Processor.load(folder)
    found = []
    for task, (records, _) in zip(tasks, read, strict=True):
        outcomes: list[Outcome] = []
        for outcome in run_task(task, records, loaded, processor):
            outcomes.append(outcome)
            print("\r", end="", file=raw(sys.stderr))
            print(f"{task.name}: {len(outcomes):,} of {len(records):,}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        found.append(outcomes)
    return found


def _write(
    folder: Path,
    models: Sequence[str],
    names: Sequence[str],
    outcomes: Sequence[Sequence[Sequence[Outcome]]],
    results: Sequence[Sequence[TaskResult]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = [to_json(model, found) for model, found in zip(models, results, strict=True)]
    (folder / "results.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "results.svg").write_text(picture(names, results), encoding="utf-8")
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for model, of_model in zip(models, outcomes, strict=True):
            for result, of_task in zip(results[0], of_model, strict=True):
                for outcome in of_task:
                    line = {
                        "model": model,
                        "task": result.task,
                        "id": outcome.record.id,
                        "prompt": outcome.record.prompt,
                        "expected": list(outcome.record.expected),
                        "answer": outcome.answer,
                        "value": outcome.value,
                        "error": outcome.error,
                    }
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"results: {folder / 'results.json'}, {folder / 'results.svg'}, {folder / 'answers.jsonl'}")


def _name(model: str, models: Sequence[str]) -> str:
    """Return the last part of a model's path that tells it from the others."""
    parts = [part for part in Path(model).parts if part != "model"]
    others = [[part for part in Path(other).parts if part != "model"] for other in models if other != model]
    for length in range(1, len(parts) + 1):
        if all(other[-length:] != parts[-length:] for other in others):
            return "/".join(parts[-length:])
    return model


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Evaluate models on tasks whose data are in local files.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", help="folder of a checkpoint, or a hub id")
    parser.add_argument("tasks", nargs="+", help=f"YAML files, or shipped tasks: {', '.join(shipped_names())}")
    parser.add_argument("--data", type=Path, default=Path(), help="folder that the tasks' data are in")
    parser.add_argument("--compare", action="append", default=[], metavar="MODEL", help="another model, side by side")
    parser.add_argument(
        "--blind", action="append", default=[], metavar="MODEL", help="another model, which is shown no images"
    )
    parser.add_argument("--limit", type=int, help="records of each task at most")
    parser.add_argument("--output", type=Path, help="folder for results.json, results.svg and answers.jsonl")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--dtype", help="bfloat16, float16 or float32 (default: what the device is fast in)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
