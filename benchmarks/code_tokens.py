"""The estimate of tokens by which long web code is rejected, compared with a byte-pair tokenizer.

    python -m benchmarks.code_tokens

No model's tokenizer can be bundled, so a similar one is trained here (byte-level BPE, digits in threes, words with the
space before them) on Python's library, its manual and a Chinese one (apt-get install python3.11-doc
debian-reference-zh-cn), and not on the synthesized pages whose code is then counted by both. A model's tokenizer, with
more training data and three times as many pieces, may need fewer tokens. The last line is JSON.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from sources.rng import generator
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.page import make_page
from sources.synthetic_pages.vocabulary import BUNDLED
from sources.web.code.tokens import estimate_tokens

CORPUS = (
    (Path("/usr/lib/python3.11"), "*.py"),
    (Path("/usr/share/doc/python3.11/html"), "*.html"),
    (Path("/usr/share/debian-reference"), "*.zh-cn.html"),
)
MAX_CHARS = 8_000_000  # per folder
PIECES = r" ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def texts() -> Iterator[str]:
    """Yield the corpus, file by file."""
    for folder, pattern in CORPUS:
        if not folder.is_dir():
            packages = "libpython3.11-stdlib python3.11-doc debian-reference-zh-cn"
            raise SystemExit(f"{folder} is missing: apt-get install {packages}")
        remaining = MAX_CHARS
        for path in sorted(folder.rglob(pattern)):
            text = path.read_text(encoding="utf-8", errors="replace")[:remaining]
            remaining -= len(text)
            yield text


def train_tokenizer(num_pieces: int) -> Tokenizer:
    """Train a byte-level byte-pair tokenizer on the corpus."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=num_pieces, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=80, help="pages per language")
    parser.add_argument("--pieces", type=int, default=32_000, help="in the tokenizer's vocabulary")
    args = parser.parse_args()
    tokenizer = train_tokenizer(args.pieces)
    result: dict[str, float | int] = {"pieces": tokenizer.get_vocab_size(), "pages": args.pages}
    for language in ("en", "zh"):
        pages = [
            make_page(list(KINDS)[k % len(KINDS)], language, BUNDLED, generator(3, k, "benchmark"), 0.8).html
            for k in range(args.pages)
        ]
        ratios = np.array([estimate_tokens(html) / len(tokenizer.encode(html).ids) for html in pages])
        low, median, high = np.quantile(ratios, (0.05, 0.5, 0.95))
        print(f"{language}: estimate / tokenizer: median {median:.2f}, 5 % below {low:.2f}, 5 % above {high:.2f}")
        result |= {f"{language}_median": float(median), f"{language}_p05": float(low), f"{language}_p95": float(high)}
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    main()
