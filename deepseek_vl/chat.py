"""`python -m deepseek_vl.chat`: a conversation about images in a terminal, or one answer for a script."""

import argparse
import contextlib
import importlib
import os
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from deepseek_vl import quantization
from deepseek_vl.checkpoint import CheckpointError, load
from deepseek_vl.conversation import SYSTEM
from deepseek_vl.device import pick, pick_dtype
from deepseek_vl.engine import Engine
from deepseek_vl.images import read_rgb
from deepseek_vl.packing import pack
from deepseek_vl.processor import Processor
from deepseek_vl.sampling import SamplingSettings
from sources.terminal import escaping, raw

DONE, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130
PROG = "python -m deepseek_vl.chat"
EXAMPLES = """\
examples:
  %(prog)s --model deepseek-community/deepseek-vl-1.3b-chat
  %(prog)s --model checkpoints/mine page.png --prompt "What does the table say?"
  %(prog)s --model checkpoints/mine chart.png --temperature 0.7 --seed 3 < question.txt"""
CACHED_IMAGES = 16
HELP = """\
/image PATH  add an image to your next message
/new         start over
/quit        leave (or Ctrl-D)
Ctrl-C       stop the answer"""


class Chat:
    """A conversation with a model: its messages, its images, and the images for the next message (`pending`)."""

    def __init__(self, engine: Engine, sampling: SamplingSettings, system: str):
        self.engine, self.sampling, self.system = engine, sampling, system
        self.messages: list[dict[str, Any]] = []
        self.images: list[Image.Image] = []
        self.pending: list[Image.Image] = []

    def start_over(self) -> None:
        """Clear the conversation."""
        self.messages, self.images, self.pending = [], [], []

    def ask(self, text: str) -> str:
        """Print the answer to a message while it is generated, and add both to the conversation.

        Of a stopped answer the part so far is kept; if there is none, the message is not kept either.

        Returns:
            The finish reason of the answer (see `TokenStream`).
        Raises:
            ValueError: the conversation is too long, or the logits are not finite; the message is not kept.
        """
        parts = [*([{"type": "image"}] * len(self.pending)), {"type": "text", "text": text}]
        conversation = [*self.messages, {"role": "user", "content": parts}]
        images = [*self.images, *self.pending]
        stream = self.engine.add(self.engine.processor.prompt(conversation, images, system=self.system), self.sampling)
        text_so_far = ""
        try:
            while stream.finish_reason is None:
                # The model generates the template's space after "Assistant:" itself.
                new_text = "".join(piece for _, piece in self.engine.step())
                new_text = new_text if text_so_far else new_text.lstrip()
                text_so_far += new_text
                print(_printable(new_text), end="", file=raw(sys.stdout), flush=True)
        except KeyboardInterrupt:
            self.engine.cancel(stream)
        if stream.finish_reason == "not_finite":
            raise ValueError("the model gives no finite logits; its weights are broken, or its type is too narrow")
        if text_so_far or stream.finish_reason != "cancelled":
            self.messages = [*conversation, {"role": "assistant", "content": text_so_far}]
            self.images, self.pending = images, []
        return str(stream.finish_reason)


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    args = build_parser(prog).parse_args(arguments)
    try:
        device = pick(args.device)
        dtype = pick_dtype(args.dtype, device, quantized=args.quantize is not None)
        sampling = SamplingSettings(
            max_tokens=args.max_tokens, temperature=args.temperature, top_p=args.top_p, seed=args.seed
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    try:
        question = args.prompt if args.prompt is not None or sys.stdin.isatty() else sys.stdin.buffer.read().decode()
        images = [_read(path) for path in args.images]
        processor = Processor.load(args.model)
        model = load(args.model, device=device, dtype=dtype, quantize=args.quantize)
        pack(model)
        engine = Engine(
            model,
            processor,
            rows=1,
            slots=args.slots,
            cached_images=CACHED_IMAGES,
            prefix_tokens=args.slots,
            compiled=args.compiled,
        )
        chat = Chat(engine, sampling, args.system)
        chat.pending = images
        if question is None:
            converse(chat)
            return DONE
        reason = chat.ask(_utf8(question))
        print(flush=True)
        return STOPPED if reason == "cancelled" else DONE
    except (CheckpointError, ValueError, OSError, RuntimeError) as error:
        if isinstance(error, BrokenPipeError):  # the reader closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        _report(error)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED


def converse(chat: Chat) -> None:
    """Read messages and commands from the terminal until the user leaves."""
    with contextlib.suppress(ImportError):  # line editing and history, if the platform has them
        importlib.import_module("readline")
    print(f"{HELP}\n", file=sys.stderr)
    while True:
        try:
            line = _utf8(input(f"[images: {len(chat.pending)}] > " if chat.pending else "> "))
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print("\n/quit or Ctrl-D leaves", file=sys.stderr)
            continue
        if line.strip() == "/quit":
            return
        try:
            _run_line(chat, line)
        except (ValueError, OSError, RuntimeError) as error:
            _report(error)


def _report(error: Exception) -> None:
    sentence = str(error).partition("\n")[0] or type(error).__name__
    print(f"error: {sentence}", file=sys.stderr)


def _run_line(chat: Chat, line: str) -> None:
    """Run a line, which is a command or a message. Raises ValueError."""
    command, _, argument = line.strip().partition(" ")
    if command == "/new":
        chat.start_over()
    elif command == "/image":
        if not argument:
            raise ValueError("name a file: /image PATH")
        chat.pending.append(_read(Path(argument.strip().strip("'\"")).expanduser()))
    elif line.startswith("/"):
        if command != "/help":
            print(f"{command} is no command (a message that begins with / needs a space before it)", file=sys.stderr)
        print(HELP, file=sys.stderr)
    elif line.strip():
        reason = chat.ask(line)
        notes = {"length": "[the longest answer ends here]", "cancelled": "[stopped]"}
        print(f" {notes[reason]}\n" if reason in notes else "\n")


def _read(path: Path) -> Image.Image:
    """Read an image file. Raises ValueError with its path."""
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        return read_rgb(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _utf8(text: str) -> str:
    """Replace bytes that are not UTF-8, which Python keeps as lone surrogates."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _printable(text: str) -> str:
    """Remove control characters, which a terminal would obey; leave the text as it is if the output is no terminal."""
    if not sys.stdout.isatty():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Talk with a model about images; with --prompt or piped input, print one answer.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("--model", required=True, metavar="DIR|ID", help="a checkpoint's folder, or a hub id (owner/name)")
    option("images", nargs="*", type=Path, metavar="IMAGE", help="images of the first message")
    option("--prompt", metavar="TEXT", help="print the answer to this and leave")
    option("--system", default=SYSTEM, metavar="TEXT", help="system prompt (default: the authors')")
    option("--temperature", type=float, default=0.0, help="0 takes the likeliest token (default), 1 samples")
    option("--top-p", type=float, default=1.0, help="sample among the likeliest tokens of this probability")
    option("--max-tokens", type=int, default=512, metavar="N", help="longest answer (default: %(default)s)")
    option("--seed", type=int, default=0, help="the same seed gives the same answer (default: %(default)s)")
    option("--slots", type=int, default=8192, metavar="N", help="longest conversation in tokens (default: %(default)s)")
    option("--device", help="cpu, cuda, cuda:1, mps, … (default: the best there is)")
    option("--dtype", help="bfloat16, float16 or float32 (default: float32 on a CPU, else bfloat16)")
    option("--quantize", choices=quantization.KINDS, help=quantization.HELP)
    option("--compiled", action="store_true", help="compile the model first; on CUDA, record decoding in a graph, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
