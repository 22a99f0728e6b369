"""`python -m deepseek_vl.score`: scores images by questions that have a few answers to choose from."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import find, load
from deepseek_vl.images import read_rgb
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Item, Question, Scorer

PROG = "python -m deepseek_vl.score"
EXAMPLES = """\
examples:
  %(prog)s page.png --model deepseek-community/deepseek-vl-1.3b-chat --question "Is the text sharp?"
  %(prog)s *.png --model checkpoints/mine --question "Is there a chart?" --question "Is there a photo?"
  %(prog)s page.png --model checkpoints/mine --question "What is it?" --choices page photo chart"""


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Print one JSON line per image: its path and, for every question, the probability of each choice.

    Returns:
        0; 1 if an image could not be read (its line has an `error`); 2 for a mistake in the command.
    """
    args = build_parser(prog).parse_intermixed_args(arguments)
    try:
        questions = tuple(Question(text, tuple(args.choices)) for text in args.question)
        device = devices.pick(args.device)
        folder = find(args.model)
        model = load(folder, device=device, dtype=devices.pick_dtype(args.dtype, device))
        scorer = Scorer(
            model,
            Processor.load(folder),
            batch_tokens=args.batch_tokens,
            processes=args.processes,
            compiled=args.compiled,
        )
        for question in questions:
            scorer.prepare(Item((), (question,)))  # report a question that is too long before any image is read
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed: list[tuple[Path, str]] = []
    decoded: list[Path] = []

    def items() -> Iterator[Item]:
        for path in args.images:
            try:
                picture = read_rgb(path)
            except ValueError as error:
                failed.append((path, str(error)))
            else:
                decoded.append(path)
                yield Item((picture,), questions)

    for n, scores in enumerate(scorer.score_items(items())):
        answers = [
            {"question": q.text, "probabilities": dict(zip(q.choices, np.exp(s).round(6).tolist(), strict=True))}
            for q, s in zip(questions, scores, strict=True)
        ]
        print(json.dumps({"image": str(decoded[n]), "answers": answers}, ensure_ascii=False), flush=True)
    for path, message in failed:
        print(json.dumps({"image": str(path), "error": message}, ensure_ascii=False))
    return 1 if failed else 0


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser; images may come before and after options, with `parse_intermixed_args`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print the probability of each answer to a question about each image, one JSON line per image.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="+", type=Path, help="image files")
    parser.add_argument("--model", required=True, help="folder of a checkpoint, or a hub id")
    parser.add_argument("--question", action="append", required=True, help="may be given several times")
    parser.add_argument("--choices", nargs="+", default=["Yes", "No"], help="answers to choose from (default: Yes No)")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--dtype", help="bfloat16, float16 or float32 (default: what the device is fast in)")
    parser.add_argument("--processes", type=int, default=0, help="processes that decode images (default: threads)")
    parser.add_argument("--compiled", action="store_true", help="compile the model first")
    parser.add_argument("--batch-tokens", type=int, default=16384, help="tokens read in one pass")
    return parser


if __name__ == "__main__":
    sys.exit(main())
