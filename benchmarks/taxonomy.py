"""The taxonomy: labels per second on one core, their accuracy, and the coverage of the instruction recipe.

    python benchmarks/taxonomy.py [--pdfs GLOB] [--seconds 10]

Speed is measured with distinct prompts, in comparison with a bare loop that calls the `predict` of one fastText
classifier. Accuracy is measured on the test half of taxonomy/held_out.jsonl, whose authors never saw the examples;
settings were chosen on the other half. Coverage is measured with pipelines/recipes/page_questions.yaml, together with
the share of pages that each writer can write about. The last line is JSON.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # or `import taxonomy` would find this script

import fasttext
import numpy as np

from sources.base.sample import Sample
from sources.base.source import ItemError
from sources.pdfs.source import Pdfs
from taxonomy.evaluation import LEVELS, Evaluation, evaluate, half_of, read_labelled, table
from taxonomy.examples import Example, examples_of, folds, variants
from taxonomy.fasttext.model import train
from taxonomy.fasttext.tokenizer import line_of
from taxonomy.instructions import Instructions, InstructionSettings
from taxonomy.labelling import SampleLabeller
from taxonomy.loader import BUNDLED, load
from taxonomy.tree import Taxonomy, ancestor
from taxonomy.writers.registry import WRITERS

BATCH = 2_000
ROOT = Path(__file__).resolve().parent.parent


def distinct_prompts(taxonomy: Taxonomy, num: int) -> list[str]:
    """Return at most `num` distinct variants of the taxonomy's prompts."""
    texts = {text for example in examples_of(taxonomy) for text in variants(example, 8)}
    return sorted(texts)[:num]


def rate(label: Callable[[list[str]], Any], prompts: list[str], seconds: float) -> float:
    """Return prompts per second of CPU time; the tokenizer's cache is cleared before every round."""
    label(prompts[:BATCH])
    done, spent_s = 0, 0.0
    while spent_s < seconds:
        line_of.cache_clear()
        began = time.process_time()
        for start in range(0, len(prompts), BATCH):
            label(prompts[start : start + BATCH])
        spent_s += time.process_time() - began
        done += len(prompts)
    return done / spent_s


def bare_fasttext(taxonomy: Taxonomy) -> Callable[[list[str]], Any]:
    """Return the `predict` of a fastText classifier like our first one, trained on the same examples."""
    with tempfile.TemporaryDirectory() as folder:
        model = train(examples_of(taxonomy), list(taxonomy.leaves), num_variants=0)
        model.save(Path(folder))
        classifier = fasttext.load_model(str(Path(folder) / "classifier-0.bin"))
    return lambda prompts: classifier.predict([line_of(prompt) for prompt in prompts])


def accuracy_left_out(taxonomy: Taxonomy) -> dict[str, float]:
    """Return the accuracy by level on a fifth of the examples, with a model trained on the others."""
    first, *others = folds(examples_of(taxonomy), 5)
    leaves = list(taxonomy.leaves)
    model = train([example for part in others for example in part], leaves)
    best = model.log_probabilities([example.prompt for example in first]).argmax(axis=1)
    pairs = [(example.use_case, leaves[k]) for example, k in zip(first, best, strict=True)]
    return {
        name: float(np.mean([ancestor(truth, level) == ancestor(found, level) for truth, found in pairs]))
        for name, level in LEVELS.items()
    }


def pages_of(pattern: str, num_files: int) -> Iterator[list[Sample]]:
    """Yield at most 64 pages of each PDF."""
    source = Pdfs(side_px=512)
    for path in sorted(Path("/").glob(pattern.lstrip("/")))[:num_files]:
        samples = []
        with source.open(path) as pages:
            for page in range(min(64, len(pages))):
                with suppress(ItemError):
                    samples.append(pages[page])
        yield samples


def writable_shares(taxonomy: Taxonomy, documents: list[list[Sample]]) -> dict[str, float]:
    """Return by writer the share of pages with text that it can write about."""
    written: Counter[str] = Counter()
    num_pages = 0
    for pages in documents:
        num_pages += sum(bool(page.words.texts) for page in pages)
        for name in WRITERS:
            made = Instructions(taxonomy, InstructionSettings(writers=(name,))).write(pages)
            written[name] += sum(conversation is not None for conversation in made)
    return {name: written[name] / max(1, num_pages) for name in WRITERS}


def recipe_coverage(inputs: str | None) -> tuple[dict[str, Any], str]:
    """Run the bundled recipe; return the labels of its manifest and the output of `coverage`."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "pipelines.run", "--recipe", "pipelines/recipes/page_questions.yaml"]
        line += ["--output", folder, *(["--input", inputs] if inputs else [])]
        subprocess.run(line, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run(
            [sys.executable, "-m", "taxonomy", "coverage", folder], cwd=ROOT, check=True, capture_output=True, text=True
        )
        return json.loads((Path(folder) / "manifest.json").read_text())["labels"], shown.stdout


def as_json(found: Evaluation) -> dict[str, Any]:
    return {
        "prompts": found.num,
        **{f"{language} {level}": round(value, 4) for (language, level), value in sorted(found.accuracy.items())},
        "answered": round(found.answered, 4),
        "leaf right of answered": round(found.accuracy_answered["leaf"], 4),
        "calibration error": round(found.calibration_error, 4),
        "given a further leaf": round(found.secondary_rate, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", metavar="GLOB", help="PDFs for coverage (default: the bundled examples)")
    parser.add_argument("--files", type=int, default=60, help="number of PDFs that writers are tried on")
    parser.add_argument("--seconds", type=float, default=10, help="CPU time of each speed measurement")
    parser.add_argument("--half", choices=("development", "test"), default="test")
    args = parser.parse_args()
    taxonomy = load()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["VELLUM_CACHE"] = cache
        labeller = SampleLabeller(taxonomy)
        labeller.label_prompts(["a first prompt"])
        training_s = time.monotonic() - began
    prompts = distinct_prompts(taxonomy, 20_000)
    ours = rate(labeller.label_prompts, prompts, args.seconds)
    bare = rate(bare_fasttext(taxonomy), prompts, args.seconds)
    print(f"training and calibration, once per version of the file: {training_s:.1f} s")
    print(f"labels per second on one core: {ours:,.0f}; bare fastText predict: {bare:,.0f}; ratio {ours / bare:.2f}\n")
    examples: list[Example] = half_of(read_labelled(BUNDLED.parent / "held_out.jsonl", taxonomy), args.half)
    found = evaluate(labeller, examples)
    print(f"held-out prompts, {args.half} half")
    print(table(found))
    left_out = accuracy_left_out(taxonomy)
    by_level = ", ".join(f"{level} {share:.1%}" for level, share in left_out.items())
    print(f"\nexamples left out of training (each unlike the others): {by_level}")
    documents = list(pages_of(args.pdfs or str(ROOT / "sources/pdfs/examples/*.pdf"), args.files)) if args.pdfs else []
    shares = writable_shares(taxonomy, documents) if documents else {}
    if shares:
        num = sum(len(pages) for pages in documents)
        print(f"\npages that a writer can ask something about, of {num:,} pages of {len(documents)} files")
        for name, share in sorted(shares.items(), key=lambda entry: -entry[1]):
            print(f"{name:24}{share:7.1%}")
    labels, shown = recipe_coverage(args.pdfs)
    print("\ncoverage of pipelines/recipes/page_questions.yaml\n" + shown)
    result = {
        "labels_per_s": round(ours),
        "bare_fasttext_per_s": round(bare),
        "training_s": round(training_s, 1),
        args.half: as_json(found),
        "left_out": {k: round(v, 4) for k, v in left_out.items()},
        "writable": {k: round(v, 3) for k, v in shares.items()},
        "leaves_covered": sum(1 for use_case in labels["targets"] if labels["counts"].get(use_case)),
        "leaves": len(labels["targets"]),
        "versions": {name: importlib.metadata.version(name) for name in ("fasttext-numpy2-wheel", "numpy")},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
