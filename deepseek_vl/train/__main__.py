"""`python -m deepseek_vl.train`: trains a model in one of its stages."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from deepseek_vl.train import processes
from deepseek_vl.train.dry_run import report
from deepseek_vl.train.settings import SettingsError, load_settings, shipped_names
from deepseek_vl.train.trainer import Trainer, TrainingError
from sources.terminal import escaping

PROG = "python -m deepseek_vl.train"
EXAMPLES = """\
examples:
  %(prog)s stage3-1.3b --set data.sources.0.path=out
  %(prog)s my.yaml --set optimization.steps=100 --dry-run
  torchrun --nproc-per-node 8 -m deepseek_vl.train stage2-7b --set output=runs/stage2"""


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command.

    Returns:
        0; 1 if the training had to end, or a file cannot be written; 2 for a mistake in settings, data or checkpoints.
    """
    args = build_parser(prog).parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        settings = load_settings(args.settings, args.set)
        joined = processes.start(settings.compute.device)
        trainer = Trainer(settings, joined)
        if args.dry_run:
            for line in report(trainer):
                print(line, flush=True)
        else:
            trainer.run()
    except (SettingsError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except torch.OutOfMemoryError:
        advice = (
            "lower optimization.sequences_per_batch, or set compute.checkpoint_activations (--dry-run estimates memory)"
        )
        print(f"error: the memory of the device is not enough; {advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; start again with the same command to continue from the latest checkpoint", file=sys.stderr)
        return 130
    finally:
        processes.stop()
    return 0


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train a model on outputs of the pipeline. The same command continues an interrupted training.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shipped = ", ".join(shipped_names())
    parser.add_argument("settings", type=Path, help=f"YAML file, or shipped settings: {shipped}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")
    parser.add_argument("--dry-run", action="store_true", help="say what would be trained, on what, and how long")
    return parser


if __name__ == "__main__":
    sys.exit(main())
