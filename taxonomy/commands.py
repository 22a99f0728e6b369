"""The commands about the taxonomy. Commands about an output folder are implemented in `pipelines`."""

import argparse
import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sources.config_file import ConfigFileError
from sources.terminal import escaping
from taxonomy.corrections import read_corrections, write_corrections
from taxonomy.diff import compare, describe
from taxonomy.editing import add_examples
from taxonomy.evaluation import evaluate, half_of, read_labelled, table
from taxonomy.examples import Example, language_of
from taxonomy.label_studio import interface, read_annotations
from taxonomy.labeller import Query
from taxonomy.labelling import SampleLabeller
from taxonomy.loader import BUNDLED, load, warnings
from taxonomy.prompts import is_path, read_prompts
from taxonomy.schema import LANGUAGES, SCHEMA_PATH, Branch, json_schema
from taxonomy.settings import LabelSettings
from taxonomy.writers.registry import WRITERS

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PROG = "python -m taxonomy"
RUNNERS_UP = 4
# Commands about an output need its storage, lock and ledger. `taxonomy` never imports `pipelines`: it runs the module.
PIPELINE_COMMANDS = {
    "relabel": "pipelines.commands.relabel",
    "coverage": "pipelines.commands.coverage",
    "export": "pipelines.commands.export_tasks",
}
EXAMPLES = """\
`%(prog)s COMMAND --help` explains a command.

examples:
  %(prog)s validate
  %(prog)s label "Turn this chart into a table"
  %(prog)s coverage out"""
EXAMPLES_OF: Mapping[str, Sequence[str]] = {
    "validate": ("", " my_use_cases.yaml"),
    "show": ("", " my_use_cases.yaml"),
    "diff": (" old.yaml", " old.yaml new.yaml"),
    "label": (
        ' "Turn this chart into a table"',
        " --taxonomy my_use_cases.yaml 这张图里有几只猫？",
        " --file prompts.txt --json",
    ),
    "evaluate": (" held_out.jsonl", " held_out.jsonl --half test --mistakes 20"),
    "import": (" export.json", " export.json --corrections corrections.jsonl --add-examples"),
    "interface": (" > interface.xml", " --taxonomy my_use_cases.yaml > interface.xml"),
    "schema": ("",),
}


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run a command and return its exit code: 0 done, 1 failed (or a taxonomy with mistakes), 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in PIPELINE_COMMANDS:
        code: int = importlib.import_module(PIPELINE_COMMANDS[words[0]]).main(words[1:], prog=f"{prog} {words[0]}")
        return code
    args = build_parser(prog).parse_args(words)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except ConfigFileError as error:
        print(error, file=sys.stderr)
        return FAILED


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of the commands that are carried out here; of the others it knows the names."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Check, show, compare and use the taxonomy of use cases.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog="\n".join(["examples:", *(f"  %(prog)s{words}" for words in EXAMPLES_OF[name])]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(run=run)
        return added

    def with_path(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--taxonomy", type=Path, default=BUNDLED, metavar="FILE", help="the YAML file (default: the bundled one)"
        )

    validate = command("validate", _validate, "check a taxonomy: every mistake with its line")
    validate.add_argument("path", type=Path, nargs="?", default=BUNDLED, metavar="FILE")
    show = command("show", _show, "print the tree with target shares and numbers of prompts")
    show.add_argument("path", type=Path, nargs="?", default=BUNDLED, metavar="FILE")
    diff = command("diff", _diff, "compare two versions, and say what happens to labels")
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, nargs="?", default=BUNDLED, metavar="NEW")
    label = command("label", _label, "label prompts (`relabel` labels the samples of an output)")
    label.add_argument("prompts", nargs="*", metavar="PROMPT")
    label.add_argument("--file", type=Path, metavar="FILE", help="prompts: one per line, or JSONL; - is stdin")
    label.add_argument("--json", action="store_true", help="print one JSON object per prompt")
    with_path(label)
    score = command("evaluate", _evaluate, "accuracy, confusion and calibration on labelled prompts (JSONL)")
    score.add_argument("file", type=Path, metavar="FILE")
    score.add_argument("--half", choices=("development", "test"), help="only this half, by a hash of the prompt")
    score.add_argument("--mistakes", type=int, default=0, metavar="N", help="print the N surest mistakes")
    with_path(score)
    back = command("import", _import, "import the choices that reviewers made in Label Studio")
    back.add_argument("file", type=Path, metavar="FILE", help="Label Studio's export, format JSON")
    back.add_argument("--corrections", type=Path, default=Path("corrections.jsonl"), metavar="FILE")
    back.add_argument("--add-examples", action="store_true", help="also add the prompts to the taxonomy's file")
    with_path(back)
    view = command("interface", _interface, "print Label Studio's labelling interface for a taxonomy")
    with_path(view)
    command("schema", _schema, f"write {SCHEMA_PATH.name}, which editors complete and check with")
    for name, about in (
        ("relabel", "relabel a finished output's samples in place"),
        ("coverage", "counts and shares of an output's leaves against their targets, gaps first"),
        ("export", "an output's samples as Label Studio tasks, least sure first"),
    ):
        commands.add_parser(name, help=about, add_help=False)
    return parser


def _validate(args: argparse.Namespace) -> int:
    taxonomy = load(args.path)
    prompts = sum(len(getattr(leaf.prompts, lang)) for leaf in taxonomy.leaves.values() for lang in LANGUAGES)
    for warning in warnings(taxonomy):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{args.path}: {len(taxonomy.leaves)} leaves, {prompts:,} prompts, all well")
    return DONE


def _show(args: argparse.Namespace) -> int:
    taxonomy = load(args.path)
    served: dict[str, list[str]] = {}
    for name, writer in WRITERS.items():
        for leaf in dict.fromkeys(taxonomy.asking[k] for k in writer.question_templates if k in taxonomy.asking):
            served.setdefault(leaf, []).append(name)
    print(f"{'':52}{'share':>8}{'en':>5}{'zh':>5}  written by")
    for node_id, node, share in taxonomy.walk():
        indent = "  " * node_id.count("/")
        name = f"{indent}{node_id.rpartition('/')[2]}"
        if isinstance(node, Branch):
            print(f"{name:52}{share:8.1%}")
        else:
            counts = "".join(f"{len(getattr(node.prompts, language)):5}" for language in LANGUAGES)
            print(f"{name:52}{share:8.2%}{counts}  {', '.join(served.get(node_id, ['–']))}")
    return DONE


def _diff(args: argparse.Namespace) -> int:
    print(describe(compare(load(args.old), load(args.new))))
    return DONE


def _label(args: argparse.Namespace) -> int:
    paths = [word for word in args.prompts if is_path(word)]
    if paths:
        print(
            f"error: {paths[0]} looks like a path, not like a prompt; `relabel {paths[0]}` labels an output's samples, "
            f"and `label --file {paths[0]}` the prompts in a file",
            file=sys.stderr,
        )
        return WRONG_USAGE
    taxonomy = load(args.taxonomy)
    prompts = [*args.prompts, *(read_prompts(args.file) if args.file else [])]
    if not prompts:
        print("error: expected prompts, or --file with some", file=sys.stderr)
        return WRONG_USAGE
    labeller = SampleLabeller(taxonomy, LabelSettings())
    leaves = list(taxonomy.leaves)
    labels = labeller.label_prompts(prompts)
    probabilities = labeller.probabilities([Query(prompt) for prompt in prompts])
    for prompt, label, row in zip(prompts, labels, probabilities, strict=True):
        if args.json:
            print(json.dumps({"prompt": prompt, **dataclasses.asdict(label)}, ensure_ascii=False))
            continue
        if len(labels) > 1:
            print(prompt)
        print(f"{label.use_case}  {label.confidence:.2f}  by {label.labeller}")
        for use_case in label.secondary:
            print(f"  and   {use_case}")
        runners_up = [k for k in row.argsort()[::-1] if leaves[k] != label.use_case][:RUNNERS_UP]
        for k in runners_up:
            print(f"  {row[k]:.2f}  {leaves[k]}")
    return DONE


def _evaluate(args: argparse.Namespace) -> int:
    taxonomy = load(args.taxonomy)
    examples = read_labelled(args.file, taxonomy)
    if args.half:
        examples = half_of(examples, args.half)
    evaluation = evaluate(SampleLabeller(taxonomy), examples)
    print(table(evaluation))
    for prompt, truth, predicted, confidence in evaluation.mistakes[: args.mistakes]:
        print(f"{confidence:.2f}  {predicted}  (is {truth})  {prompt}")
    return DONE


def _import(args: argparse.Namespace) -> int:
    taxonomy = load(args.taxonomy)
    found = read_annotations(args.file, taxonomy)
    chosen = found.corrections
    corrections = read_corrections(args.corrections, taxonomy) if args.corrections.exists() else {}
    given = {c.sample_id: " ".join((c.use_case, *c.secondary)) for c in chosen}
    changed = {sample_id: leaves for sample_id, leaves in given.items() if corrections.get(sample_id) != leaves}
    write_corrections(args.corrections, corrections | changed)
    print(f"{len(chosen):,} annotations, {len(changed):,} new: {args.corrections} holds {len(corrections | changed):,}")
    if found.num_unlabelled or found.num_skipped:
        print(f"{found.num_unlabelled:,} tasks have no choice, and {found.num_skipped:,} were skipped")
    if args.add_examples:
        examples = [Example(c.prompt, c.use_case, language_of(c.prompt)) for c in chosen]
        added = add_examples(args.taxonomy, examples)
        print(f"{len(added):,} prompts added to {args.taxonomy}")
    return DONE


def _interface(args: argparse.Namespace) -> int:
    print(interface(load(args.taxonomy)), end="")
    return DONE


def _schema(_args: argparse.Namespace) -> int:
    SCHEMA_PATH.write_text(json_schema(), "utf-8")
    print(SCHEMA_PATH)
    return DONE
