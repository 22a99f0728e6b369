"""`python -m deepseek_vl.score`: scores images by questions that have a few answers to choose from."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepseek_vl import device as devices
from deepseek_vl import quantization
from deepseek_vl.bulk_score import BulkScorer, run
from deepseek_vl.checkpoint import digest, find, load
from deepseek_vl.processor import Processor
from deepseek_vl.score_shards import Shard, find_shards, printable
from deepseek_vl.scoring import Item, ItemError, Question, Scorer
from sources.terminal import escaping

PROG = "python -m deepseek_vl.score"
EXAMPLES = """\
examples:
  %(prog)s page.png --model deepseek-community/deepseek-vl-1.3b-chat --question "Is the text sharp?"
  %(prog)s *.png --model checkpoints/mine --question "Is there a chart?" --question "Is there a photo?"
  %(prog)s page.png --model checkpoints/mine --question "What is it?" --choices page photo chart
  %(prog)s --input out --output scores --model checkpoints/mine --question "Is the text sharp?" """


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Score images on the command line, one JSON line each, or shards into a folder.

    Returns:
        0; 1 if an image (or, of shards, a whole file) could not be scored, which is named; 2 for a mistake in the
        command.
    """
    args = build_parser(prog).parse_intermixed_args(arguments)
    try:
        if bool(args.images) == bool(args.input) or bool(args.input) != bool(args.output):
            raise ValueError("name either images, or --input and --output")
        questions = tuple(Question(printable(text), tuple(map(printable, args.choices))) for text in args.question)
        folder = find(args.model)
        shards, unreadable = _shards(args)
        scorer, how = _load(args, folder)
        scorer.prepare(Item((), questions))  # report a question that cannot be asked before any image is read
        if args.input:
            bulk = BulkScorer(scorer, questions, f"{digest(folder)} {how}", args.output)
            failures = [*unreadable, *run(bulk, shards)]
            for failure in failures:
                print(f"error: {printable(failure)}", file=sys.stderr)
            return 1 if failures else 0
        return _print_scores(scorer, questions, args.images)
    except BrokenPipeError:  # the reader closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError) as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here" if args.input else "stopped", file=sys.stderr)
        return 130


def _shards(args: argparse.Namespace) -> tuple[list[Shard], list[str]]:
    """Return the shards that this process scores, and why inputs cannot be read. Raises ValueError."""
    number, _, count = args.part.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f"--part {args.part}: expected a number and a count, such as 1/4")
    found = list(find_shards(args.input or ()))
    shards = [shard for shard in found if isinstance(shard, Shard)]
    return shards[int(number) - 1 :: int(count)], [error.message for error in found if isinstance(error, ItemError)]


def _load(args: argparse.Namespace, folder: Path) -> tuple[Scorer, str]:
    """Load the model; return it with a text that names how it computes. Raises ValueError."""
    device = devices.pick(args.device)
    dtype = devices.pick_dtype(args.dtype, device, quantized=args.quantize is not None)
    model = load(folder, device=device, dtype=dtype, quantize=args.quantize)
    scorer = Scorer(
        model,
        Processor.load(folder),
        batch_tokens=args.batch_tokens,
        threads=args.threads,
        processes=args.processes,
        compiled=args.compiled,
    )
    return scorer, f"{device.type} {dtype} {args.quantize} {args.compiled}"


def _print_scores(scorer: Scorer, questions: tuple[Question, ...], paths: Sequence[Path]) -> int:
    """Print one JSON line per image, in order: its scores, or why there are none. Return the exit code."""
    failed = False
    results = scorer.score_items(Item((path,), questions) for path in paths)
    for path, scores in zip(paths, results, strict=True):
        line: dict[str, Any] = {"image": printable(str(path))}
        if isinstance(scores, ItemError):
            failed = True
            line["error"] = printable(scores.message)
        else:
            line["answers"] = [
                {"question": q.text, "probabilities": dict(zip(q.choices, np.exp(s).round(6).tolist(), strict=True))}
                for q, s in zip(questions, scores, strict=True)
            ]
        text = json.dumps(line, ensure_ascii=False)
        print(text if text.isprintable() else json.dumps(line), flush=True)  # escaped as JSON has it
    return 1 if failed else 0


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser; images may come before and after options, with `parse_intermixed_args`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print the probability of each answer to a question about each image, one JSON line per image; or "
        "score whole shards into Parquet files.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("images", nargs="*", type=Path, help="image files")
    option(
        "--input",
        nargs="+",
        metavar="SHARDS",
        help="instead of images: Parquet files, folders of these or of images, JSONL files, or patterns",
    )
    option("--output", type=Path, metavar="SCORES", help="folder of scores, one Parquet file per shard of --input")
    option("--part", default="1/1", metavar="K/N", help="score only every Nth shard from the Kth, for N processes")
    option("--model", required=True, help="folder of a checkpoint, or a hub id")
    option("--question", action="append", required=True, help="may be given several times")
    option("--choices", nargs="+", default=["Yes", "No"], help="answers to choose from (default: Yes No)")
    option("--device", help="cuda, mps or cpu (default: the best there is)")
    option("--dtype", help="bfloat16, float16 or float32 (default: what the device is fast in)")
    option("--quantize", choices=quantization.KINDS, help=quantization.HELP)
    option("--batch-tokens", type=int, default=16384, help="tokens read in one pass")
    option("--processes", type=int, default=0, help="processes that decode images (default: threads)")
    option("--compiled", action="store_true", help="compile the model first")
    option("--threads", type=int, default=4, help="images decoded ahead of the model at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
