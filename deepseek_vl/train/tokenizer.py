"""`python -m deepseek_vl.train.tokenizer`: trains a tokenizer for a preset on outputs of the pipeline."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from deepseek_vl.config import PRESETS, SPECIAL_TOKENS, ModelConfig, preset
from deepseek_vl.conversation import IMAGE_MARK, render
from deepseek_vl.train.dataset import Dataset
from sources.terminal import escaping

PROG = "python -m deepseek_vl.train.tokenizer"
EXAMPLES = """\
examples:
  %(prog)s out --preset pico --output tokenizer
  %(prog)s out/pdfs out/ocr --preset nano --output tokenizer --max-samples 20000
  %(prog)s out --preset pico --vocabulary 320 --output tokenizer"""
# Digits are separate tokens, as in the public models: numbers are read digit by digit.
DIGITS = Regex(r"\p{N}")


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command; return 0, or 2 for a mistake in it."""
    args = build_parser(prog).parse_args(arguments)
    try:
        config = preset(args.preset)
        vocabulary = args.vocabulary or config.language.vocabulary
        texts = (text for path in args.data for text in _texts(Dataset(path), args.max_samples))
        tokenizer = train_tokenizer(texts, config, vocabulary)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    args.output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.output / "tokenizer.json"))
    print(f"{tokenizer.get_vocab_size():,} tokens in {args.output / 'tokenizer.json'}")
    return 0


def train_tokenizer(texts: Iterator[str], config: ModelConfig, vocabulary: int | None = None) -> Tokenizer:
    """Train a byte-level BPE whose special tokens have the ids of `config`.

    Args:
        vocabulary: number of tokens; None for as many as the model has.

    Raises:
        ValueError: the special tokens of `config` are not the first ids, there is no text, or the vocabulary is smaller
            than the bytes or larger than the model's.
    """
    places = {getattr(config, field): token for field, token in SPECIAL_TOKENS.items()}
    if sorted(places) != list(range(len(places))):
        raise ValueError(f"the special tokens of this preset are not the first ids but {sorted(places)}")
    least, most = len(places) + 256, config.language.vocabulary
    if vocabulary is not None and not least <= vocabulary <= most:
        raise ValueError(f"the vocabulary must be between {least} and {most} tokens, got {vocabulary}")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(DIGITS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary or config.language.vocabulary,
        special_tokens=[AddedToken(places[k], special=True, normalized=False) for k in sorted(places)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    first = next(texts, None)
    if first is None:
        raise ValueError("the data sets hold no text")
    tokenizer.train_from_iterator(_chained(first, texts), trainer)
    return tokenizer


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train a byte-level BPE tokenizer on the texts of data sets.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", nargs="+", help="outputs of the pipeline")
    parser.add_argument("--preset", required=True, choices=sorted(PRESETS), help="the model that it is for")
    parser.add_argument("--output", required=True, type=Path, help="folder for tokenizer.json")
    parser.add_argument(
        "--vocabulary",
        type=int,
        help="number of tokens (default: as many as the model has); a small model reads more easily letter by letter",
    )
    parser.add_argument("--max-samples", type=int, default=50_000, help="samples read of each data set")
    return parser


def _texts(dataset: Dataset, limit: int) -> Iterator[str]:
    num_read = 0
    for number, group in enumerate(dataset.groups):
        for row in range(group.num_rows):
            found = dataset.row(number, row)
            if found is None:
                continue
            num_read += 1
            if num_read > limit:
                return
            if found.get("text"):
                yield found["text"].replace(IMAGE_MARK, "")
            if found.get("messages"):  # with the system prompt, which is in front of every conversation
                yield _rendered(found["messages"])


def _rendered(messages: Sequence[Mapping[str, str]]) -> str:
    turns = [{"role": turn["role"], "content": turn["content"].replace(IMAGE_MARK, "")} for turn in messages]
    return "".join(piece for piece in render(turns) if isinstance(piece, str))


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


if __name__ == "__main__":
    sys.exit(main())
