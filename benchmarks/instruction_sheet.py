"""The instruction writers judged by eye: a sheet of each writer's conversations, and the error rate of the judged ones.

    python -m benchmarks.instruction_sheet OUT [OUT …] --sheet FOLDER [--per-writer 100]
    python -m benchmarks.instruction_sheet --count FOLDER

The first command takes finished outputs whose samples are pages (text, words with boxes, no conversations yet), tries
every writer alone on all of them, and writes a page per writer (`counting.html`, conversations with their pictures)
with a list (`counting.jsonl`). It prints how many pages each writer can ask about, and the answers to questions that
have a few. A person writes what is wrong into the field `error` of the list (null is right), after opening the
picture where the text does not settle it; the second command counts. The last line is JSON.
"""

import argparse
import html
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
from PIL import Image

from sources.base.sample import EncodedImage, Provenance, Sample, Words
from taxonomy.answers import choice_of
from taxonomy.instructions import Instructions
from taxonomy.loader import load
from taxonomy.settings import InstructionSettings
from taxonomy.writers.registry import WRITERS

COLUMNS = ["id", "source", "images", "text", "words", "provenance"]
UNIT = 64  # pages that are written about together, as in a run
MAX_CHARS = 3_000  # of a message are shown
STYLE = "body{font:15px sans-serif}img{max-width:46%;vertical-align:top}pre{white-space:pre-wrap;margin:4px}"


def pages_of(out: Path) -> list[Sample]:
    """Return the samples of a finished output that are texts with images, ordered as in their documents."""
    rows = ds.dataset(out / "data").to_table(columns=COLUMNS).to_pylist()
    samples = [_sample(row) for row in rows if row["text"] is not None and row["images"]]
    return sorted(samples, key=lambda s: (s.provenance.uri, s.provenance.digest, _number(s.provenance.locator)))


def _number(locator: str) -> tuple[int, str]:
    digits = "".join(c for c in locator.partition(";")[0] if c.isdigit())
    return int(digits or 0), locator


def _sample(row: dict[str, Any]) -> Sample:
    images = []
    for image in row["images"]:
        width, height = Image.open(io.BytesIO(image["bytes"])).size
        extension = image["path"].rpartition(".")[2]
        images.append(EncodedImage(data=image["bytes"], extension=extension, width=width, height=height))
    words = row["words"] or []
    boxes = np.array([[w["x0"], w["y0"], w["x1"], w["y1"]] for w in words], np.float32).reshape(-1, 4)
    return Sample(
        id=row["id"],
        source=row["source"],
        provenance=Provenance(**row["provenance"]),
        images=images,
        text=row["text"],
        words=Words(
            texts=[w["text"] for w in words], boxes=boxes, images=np.array([w["image"] for w in words], np.int32)
        ),
    )


def conversations(pages: Sequence[Sample], writer: str) -> Iterator[Sample]:
    """Yield what a writer alone makes of the pages."""
    writing = Instructions(load(), InstructionSettings(writers=(writer,), weights={writer: 1}))
    for start in range(0, len(pages), UNIT):
        for conversation in writing.write(pages[start : start + UNIT]):
            if conversation is not None:
                yield conversation


def write_sheet(folder: Path, writer: str, made: Sequence[Sample]) -> None:
    """Write the HTML page and the list of a writer's conversations."""
    rows, shown = [], []
    for number, sample in enumerate(made):
        names = []
        for k, image in enumerate(sample.images):
            name = f"{writer}-{number:03d}-{k}.{image.extension}"
            (folder / name).write_bytes(image.data)
            names.append(name)
        turns = [{"role": m.role, "content": m.content[:MAX_CHARS]} for m in sample.messages or ()]
        rows.append({"number": number, "uri": sample.provenance.uri, "images": names, "turns": turns, "error": None})
        text = "".join(f"<pre><b>{t['role']}</b> {html.escape(t['content'])}</pre>" for t in turns)
        pictures = "".join(f'<img src="{name}">' for name in names)
        shown.append(f"<h3>{number} · {html.escape(sample.provenance.locator)}</h3>{pictures}{text}<hr>")
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / f"{writer}.jsonl").write_text("".join(lines), "utf-8")
    (folder / f"{writer}.html").write_text(f"<meta charset=utf-8><style>{STYLE}</style>{''.join(shown)}", "utf-8")


def spread(made: Sequence[Sample], num: int) -> list[Sample]:
    """Return `num` of the samples, evenly spread over all."""
    num = min(num, len(made))
    return [made[k * len(made) // num] for k in range(num)]


def count(folder: Path) -> dict[str, dict[str, float]]:
    """Return by writer the number of judged conversations and the share of those with an error."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        wrong = [row for row in rows if row["error"]]
        found[path.stem] = {"judged": len(rows), "wrong": len(wrong), "rate": round(len(wrong) / max(1, len(rows)), 4)}
        print(f"{path.stem:22}{len(rows):6} judged{len(wrong):5} wrong{found[path.stem]['rate']:8.1%}")
        for row in wrong:
            print(f"    {row['number']}: {row['error']}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", nargs="*", type=Path, metavar="OUT")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="written: pages, lists and pictures")
    parser.add_argument("--per-writer", type=int, default=100, metavar="N")
    parser.add_argument("--writers", nargs="*", default=sorted(WRITERS), metavar="NAME")
    parser.add_argument("--count", type=Path, metavar="FOLDER", help="count the judged lists of a folder")
    args = parser.parse_args()
    if args.count:
        print(json.dumps(count(args.count)))
        return
    pages = [page for out in args.outputs for page in pages_of(out)]
    result: dict[str, dict[str, object]] = {}
    for writer in args.writers:
        made = list(conversations(pages, writer))
        answers: Counter[str] = Counter()
        for sample in made:
            assert sample.messages is not None
            choice = choice_of(sample.messages[1].content, sample.provenance.locator.partition(";ask=")[2])
            answers.update([choice] if choice else [])
        result[writer] = {
            "share": round(len(made) / max(1, len(pages)), 3),
            "made": len(made),
            "answers": dict(answers),
        }
        print(f"{writer:22}{len(made):6} of {len(pages):,} pages  {dict(answers)}", flush=True)
        if args.sheet:
            args.sheet.mkdir(parents=True, exist_ok=True)
            write_sheet(args.sheet, writer, spread(made, args.per_writer))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
